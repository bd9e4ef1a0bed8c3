"""The task library: stable, solvable, and every call of a plan is needed."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, TASK_TYPES
from console.work.library import LIBRARY, task_of
from console.work.prompts import opening
from console.work.registry import TOOLS
from console.work.session import Session
from console.work.templates import TEMPLATES
from console.work.wording import describe
from console.work.world import Cause, World

GOLDEN = Path(__file__).parent / "golden" / f"library-{LIBRARY}.json"
LENGTHS = {
    "simple_task": (1, 3),
    "basic_task": (2, 4),
    "data_pipeline": (3, 5),
    "api_integration": (3, 5),
    "multi_stage_pipeline": (4, 7),
}
instances = st.builds(
    task_of, st.integers(0, 5), st.sampled_from(TASK_TYPES), st.integers(min_value=1, max_value=100_000)
)


def played(task, steps, rate=1.0):
    session = Session(task, seed=0, success_rate=rate)
    for step in steps:
        session.call(1, step.tool, step.arguments)
    return session


def digest_of(task):
    """A digest of all that a model may get to see of an instance, and of what is asked of it."""
    seen = [
        opening(task, prompt_type, difficulty, "")[1]["content"]
        for prompt_type in PROMPT_TYPES
        for difficulty in DIFFICULTIES
    ]
    whole = msgspec.json.encode([task.start, task.plan, task.goal, seen])
    return hashlib.blake2b(whole, digest_size=8).hexdigest()


def test_instances_are_what_they_were():
    """A change here means that results before and after cannot be compared: raise LIBRARY and make a new golden file."""
    found = {
        task.id: digest_of(task)
        for task_type in TASK_TYPES
        for task in (task_of(0, task_type, instance) for instance in range(1, 21))
    }
    assert found == json.loads(GOLDEN.read_text())


@given(instances)
def test_the_true_plan_reaches_the_goal_and_every_call_of_it_is_needed(task):
    shortest, longest = LENGTHS[task.task_type]
    assert max(2, shortest) <= len(task.plan) <= longest
    session = played(task, task.plan)
    assert session.goal_reached
    assert all(call.ok for call in session.calls)
    for left_out in range(len(task.plan)):
        rest = [step for place, step in enumerate(task.plan) if place != left_out]
        assert not played(task, rest).goal_reached, f"{task.id} does without step {left_out + 1}"


@given(instances)
def test_order_matters(task):
    assert not played(task, task.plan[::-1]).goal_reached


@given(instances)
def test_nothing_is_reached_before_the_first_call(task):
    assert task.goal
    assert Session(task, seed=0, success_rate=1.0).conditions_met == 0


@given(instances, st.integers(0, 10_000))
def test_a_goal_is_not_reached_with_another_figure_or_word(task, pick):
    """Arguments matter: a plan with one of them changed to a value as good does something else."""
    steps = list(task.plan)
    place = pick % len(steps)
    names = [name for name in steps[place].arguments if name not in ("output", "output_path")]
    name = names[pick % len(names)]
    form = TOOLS[steps[place].tool].parameters["properties"][name]
    value = steps[place].arguments[name]
    if "enum" not in form:
        value = value + 1000 if isinstance(value, int) else f"{value}x"
    else:
        value = next(option for option in form["enum"] if option != value)
    changed = msgspec.structs.replace(steps[place], arguments={**steps[place].arguments, name: value})
    session = played(task, [*steps[:place], changed, *steps[place + 1 :]])
    if session.goal_reached:  # another way to the same state, such as the max that is the sum of one row
        assert "enum" in form or changed.tool == "data_filter"


def test_what_a_model_calls_steps_on_the_way_is_its_own_affair():
    task = task_of(0, "simple_task", 2)
    parse, keep = task.plan
    assert (parse.tool, keep.tool) == ("data_parser", "data_filter")
    renamed = [
        msgspec.structs.replace(parse, arguments={**parse.arguments, "output": "mine"}),
        msgspec.structs.replace(keep, arguments={**keep.arguments, "dataset": "mine", "output": "other"}),
    ]
    assert played(task, renamed).goal_reached


@given(instances)
def test_a_plan_with_names_of_the_models_own_and_figures_written_otherwise_reaches_the_goal(task):
    mine, steps = {}, []
    for step in task.plan:
        arguments = {
            name: mine.get(value, value) if name in ("source", "dataset", "document", "start") else value
            for name, value in step.arguments.items()
        }
        if "output" in arguments:
            mine[arguments["output"]] = arguments["output"] = f"mine{len(mine)}"
        for name, value in arguments.items():
            if isinstance(value, int):
                arguments[name] = str(value) if name == "value" else float(value)
        steps.append(msgspec.structs.replace(step, arguments=arguments))
    session = played(task, steps)
    assert [call.error for call in session.calls if not call.ok] == []
    assert session.goal_reached


@given(instances)
def test_no_step_can_be_left_out_by_working_on_what_it_works_on(task):
    """Such as a change of letters that are as wanted already: whoever skips it would reach the goal."""
    for place, left_out in enumerate(task.plan):
        before, after = left_out.arguments.get("dataset"), left_out.arguments.get("output")
        if before is None or after is None:
            continue
        steps = [
            msgspec.structs.replace(
                step,
                arguments={
                    name: before if value == after else value for name, value in step.arguments.items()
                },
            )
            for step in (*task.plan[:place], *task.plan[place + 1 :])
        ]
        assert not played(task, steps).goal_reached, f"{task.id} does without {left_out.tool}"


def test_no_two_instances_are_the_same():
    for task_type in TASK_TYPES:
        tasks = [task_of(0, task_type, instance) for instance in range(1, 201)]
        assert len({describe(task, "easy") for task in tasks}) == 200


def test_twenty_instances_go_over_all_templates_of_their_type():
    for task_type, templates in TEMPLATES.items():
        found = {task_of(3, task_type, instance).template for instance in range(1, 21)}
        assert found == {" > ".join(tools) for tools in templates}


def test_all_tools_are_needed_somewhere():
    used = {tool for templates in TEMPLATES.values() for tools in templates for tool in tools}
    assert used == set(TOOLS)


def test_another_seed_makes_other_tasks():
    assert task_of(0, "data_pipeline", 1) != task_of(1, "data_pipeline", 1)


@given(instances)
def test_wordings_differ_and_all_of_them_tell_every_name_and_figure(task):
    texts = {difficulty: describe(task, difficulty) for difficulty in DIFFICULTIES}
    assert len(set(texts.values())) == len(DIFFICULTIES)
    for text in texts.values():
        for step in task.plan:
            for name, value in step.arguments.items():
                form = TOOLS[step.tool].parameters["properties"][name]
                if "enum" not in form:
                    assert (f"{value}/" if name == "folder" else str(value)) in text, (
                        f"{step.tool}: {name} is not told in {text!r}"
                    )
    assert all(step.tool in texts["very_easy"] for step in task.plan)
    assert not any(tool in texts[difficulty] for tool in TOOLS for difficulty in DIFFICULTIES[1:])


@given(instances, st.floats(0, 1), st.floats(0, 1))
def test_failures_are_drawn_alike_and_lower_rates_fail_more(task, one, other):
    """What fails at one success rate fails at every lower one: comparisons of rates are paired."""
    low, high = sorted((one, other))
    step = task.plan[0]
    failed = {
        rate: [session.call(1, step.tool, step.arguments).ok for _ in range(8)]
        for rate, session in ((rate, Session(task, seed=7, success_rate=rate)) for rate in (low, high))
    }
    again = Session(task, seed=7, success_rate=low)
    assert [again.call(1, step.tool, step.arguments).ok for _ in range(8)] == failed[low]
    assert all(better or not worse for worse, better in zip(failed[low], failed[high], strict=True))


def test_the_share_of_failures_is_what_was_asked_for():
    calls = [
        call
        for instance in range(1, 401)
        for task in [task_of(0, "basic_task", instance)]
        for call in played(task, [task.plan[0]] * 5, rate=0.8).calls
    ]
    failed = sum(not call.ok for call in calls) / len(calls)
    assert abs(failed - 0.2) < 4 * (0.2 * 0.8 / len(calls)) ** 0.5
    assert {call.cause for call in calls if not call.ok} == {Cause.CHANCE}


def test_a_failed_call_changes_nothing_and_draws_no_chance_if_it_could_not_work():
    task = task_of(0, "basic_task", 1)
    session = Session(task, seed=0, success_rate=0.0)
    for step in task.plan:
        session.call(1, step.tool, step.arguments)
    assert session.world.sections == World(task.start).sections
    first, *later = session.calls
    assert first.cause is Cause.CHANCE
    assert all(call.cause is Cause.DEPENDENCY for call in later[:1])


@pytest.mark.parametrize("bad", ["no_such_type"])
def test_an_unknown_task_type_is_an_error(bad):
    with pytest.raises(KeyError):
        task_of(0, bad, 1)
