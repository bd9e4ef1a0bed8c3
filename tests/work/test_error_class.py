"""Each error class is what a model gets that makes that error and no other."""

from __future__ import annotations

import pytest
from tool_play import DONE, Played, calling, following, replaying, saying, steps_of

from console.vocabulary.chat import ToolCall
from console.vocabulary.marks import ErrorClass
from console.vocabulary.names import TASK_TYPES
from console.work.library import task_of
from console.work.scoring import mark
from console.work.world import Cause, ErrorCode

TASK = task_of(0, "data_pipeline", 3)
STEPS = steps_of(TASK)
SCAN = ("file_scanner", {"folder": "in", "ending": ".csv", "output": "x"})


def class_of(task, *replies, then=None, **how):
    played = Played(task, replaying(replies, then=then), **how)
    return mark(played.session, played.course).marks.error_class


def made(*wishes):
    return calling("tools", *wishes)


def test_tool_call_format():
    broken = saying("", ToolCall("", STEPS[0][0], "source: orders"))
    assert class_of(TASK, then=saying("I shall call the parser.")) is ErrorClass.TOOL_CALL_FORMAT
    assert class_of(TASK, broken, made(DONE)) is ErrorClass.TOOL_CALL_FORMAT
    assert class_of(TASK, made(*STEPS[:2]), then=saying("And now?")) is ErrorClass.TOOL_CALL_FORMAT
    assert class_of(TASK, saying("Well."), made(*STEPS[:2]), made(DONE)) is not ErrorClass.TOOL_CALL_FORMAT


def test_tool_selection():
    assert class_of(TASK, made(SCAN), made(DONE)) is ErrorClass.TOOL_SELECTION
    assert class_of(TASK, made(*STEPS[:-1], ("no_such_tool", {}), DONE)) is ErrorClass.TOOL_SELECTION
    assert class_of(TASK, made(*STEPS, SCAN, DONE)) is None


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_parameter_config(task_type):
    task = task_of(0, task_type, 2)
    steps = steps_of(task)
    name, arguments = steps[0]
    refused = [(name, {**arguments, "no_such_parameter": 1}), *steps[1:], DONE]
    assert class_of(task, made(refused[0], DONE)) is ErrorClass.PARAMETER_CONFIG
    assert class_of(TASK, made((STEPS[0][0], {}), DONE)) is ErrorClass.PARAMETER_CONFIG


def test_parameter_config_where_a_call_works_but_does_something_else():
    index = next(place for place, (name, _) in enumerate(STEPS) if name == "computation_calculator")
    name, arguments = STEPS[index]
    other = "min" if arguments["operation"] != "min" else "max"
    wrong = [*STEPS[:index], (name, {**arguments, "operation": other}), *STEPS[index + 1 :]]
    played = Played(TASK, following(wrong))
    assert all(call.ok for call in played.session.calls)
    assert mark(played.session, played.course).marks.error_class is ErrorClass.PARAMETER_CONFIG


def test_dependency():
    played = Played(TASK, replaying([made(STEPS[1], DONE)]))
    assert played.session.calls[0].cause is Cause.DEPENDENCY
    assert class_of(TASK, made(STEPS[1], DONE)) is ErrorClass.DEPENDENCY
    assert class_of(TASK, made(STEPS[1], *STEPS, DONE)) is None


def test_sequence_order():
    """What is logged is logged too early: all tools worked, but the entry is of what was there before."""
    raw = STEPS[0][1]["source"]
    name, arguments = STEPS[-1]
    assert name == "utility_logger"
    early = [(name, {**arguments, "source": raw}), *STEPS[:-1]]
    played = Played(TASK, following(early))
    assert all(call.ok for call in played.session.calls)
    assert mark(played.session, played.course).marks.error_class is ErrorClass.SEQUENCE_ORDER
    assert class_of(TASK, made(*early, STEPS[-1], DONE)) is not ErrorClass.SEQUENCE_ORDER


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_who_calls_things_before_what_they_need_has_them_in_the_wrong_order(task_type):
    found = 0
    for instance in range(1, 41):
        task = task_of(0, task_type, instance)
        played = Played(task, following(steps_of(task)[::-1], retry=False))
        calls = played.session.calls
        if calls[-1].ok and {call.cause for call in calls if not call.ok} == {Cause.DEPENDENCY}:
            found += 1
            assert mark(played.session, played.course).marks.error_class is ErrorClass.SEQUENCE_ORDER
            assert class_of(task, made(steps_of(task)[-1], DONE)) is not ErrorClass.SEQUENCE_ORDER
    assert found


def test_what_failed_by_chance_before_was_not_called_too_late():
    """The first step fails by chance, the second for want of it; then the first works, and that is all."""
    task = next(
        task
        for task in (task_of(0, "data_pipeline", instance) for instance in range(1, 300))
        if [
            call.ok
            for call in Played(task, following([steps_of(task)[0]] * 2, retry=False), rate=0.5).session.calls
        ]
        == [False, True]
    )
    first, second = steps_of(task)[:2]
    assert class_of(task, made(first, second, first, DONE), rate=0.5) is ErrorClass.DEPENDENCY


def timed_out_once():
    for instance in range(1, 300):
        task = task_of(0, "basic_task", instance)
        played = Played(task, following(steps_of(task), retry=False), rate=0.5)
        last = played.session.calls[-1]
        if last.code is ErrorCode.TIMEOUT and all(call.ok for call in played.session.calls[:-1]):
            return played
    raise AssertionError("no instance times out in its last call")


def test_timeout():
    played = timed_out_once()
    assert mark(played.session, played.course).marks.error_class is ErrorClass.TIMEOUT
    again = Played(played.session.task, following(steps_of(played.session.task)), rate=0.5)
    assert mark(again.session, again.course).marks.error_class is not ErrorClass.TIMEOUT


def test_max_turns():
    assert class_of(TASK, *[made(STEPS[0])] * 10) is ErrorClass.MAX_TURNS
    assert class_of(TASK, made(*STEPS), *[made(SCAN)] * 9) is ErrorClass.MAX_TURNS


def test_other():
    assert class_of(TASK, made(*STEPS[:2]), made(DONE)) is ErrorClass.OTHER
    assert class_of(TASK, made(DONE)) is ErrorClass.OTHER
