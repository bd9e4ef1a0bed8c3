"""The turn loop: every reply is answered, finish ends it, and nothing goes on for ever."""

from __future__ import annotations

import json

import anyio
import pytest
from tool_play import DONE, Played, calling, complaint_about, following, replaying, saying, steps_of

from console.vocabulary.chat import ToolCall
from console.vocabulary.outcome import Outcome
from console.work.contract import Unanswered
from console.work.course import Ending
from console.work.library import task_of
from console.work.protocol import MAX_TURNS, MOST_CALLS, PROTOCOLS, offered_tools, rules
from console.work.registry import TOOLS
from console.work.session import Session
from console.work.turns import MOST_FAILURES, play

TASK = task_of(0, "data_pipeline", 3)
STEPS = steps_of(TASK)
WRONG = ("file_reader", {"path": "nowhere.csv", "output": "x"})

both = pytest.mark.parametrize("protocol", PROTOCOLS)


def answers(played, turn):
    return [line for line in played.said if line.turn == turn][1:]


@both
def test_a_plan_that_is_followed_reaches_the_goal_and_finish_ends_the_test(protocol):
    played = Played(TASK, following(STEPS, protocol), protocol=protocol)
    assert played.course.ending is Ending.FINISH
    assert played.session.goal_reached
    assert played.course.turns == len(STEPS) + 1
    assert played.calls == [name for name, _ in STEPS]
    assert (played.course.format_errors, played.course.assisted_turns, played.course.repaired) == (0, 0, 0)
    assert [line.role for line in played.said[:3]] == ["system", "user", "assistant"]


@both
def test_tools_are_offered_natively_or_in_the_prompt_and_nothing_but_the_length_is_asked_for(protocol):
    played = Played(TASK, following(STEPS, protocol), protocol=protocol)
    for request in played.requests:
        assert request.tools is (offered_tools() if protocol == "tools" else ()) or request.tools == ()
        assert bool(request.tools) == (protocol == "tools")
        assert (request.temperature, request.seed, request.max_tokens, request.stream) == (
            None,
            None,
            1024,
            True,
        )


@both
def test_calls_of_one_reply_are_made_in_their_order_and_those_after_finish_are_not(protocol):
    played = Played(TASK, replaying([calling(protocol, *STEPS, DONE, WRONG)]), protocol=protocol)
    assert played.session.goal_reached
    assert played.course.turns == 1
    assert played.calls == [name for name, _ in STEPS]
    assert [line.failed for line in answers(played, 1)] == [""] * (len(STEPS) + 1) + [
        "not made: after finish"
    ]


@both
def test_no_more_than_eight_calls_of_a_reply_are_made_and_a_finish_after_them_is_not(protocol):
    scan = ("file_scanner", {"folder": "in", "ending": ".csv", "output": "found"})
    played = Played(
        TASK,
        replaying([calling(protocol, *[scan] * (MOST_CALLS + 2), DONE), calling(protocol, DONE)]),
        protocol=protocol,
    )
    assert len(played.calls) == MOST_CALLS
    assert [line.failed for line in answers(played, 1)][MOST_CALLS:] == ["not made: over limit"] * 3
    assert played.course.turns == 2
    assert complaint_about(played.requests[1].messages) is None


@both
def test_ten_turns_are_the_most(protocol):
    scan = ("file_scanner", {"folder": "in", "ending": ".csv", "output": "found"})
    played = Played(TASK, lambda session, turn: calling(protocol, scan), protocol=protocol)
    assert (played.course.turns, played.course.ending) == (MAX_TURNS, Ending.TURNS)


@both
def test_five_failures_in_a_row_end_the_test_once_the_first_has_been_answered(protocol):
    one_by_one = Played(TASK, lambda session, turn: calling(protocol, WRONG), protocol=protocol)
    at_once = Played(TASK, lambda session, turn: calling(protocol, *[WRONG] * 7), protocol=protocol)
    mended = Played(
        TASK, lambda session, turn: calling(protocol, WRONG, WRONG, WRONG, WRONG, STEPS[0]), protocol=protocol
    )
    assert (one_by_one.course.turns, one_by_one.course.ending) == (MOST_FAILURES, Ending.FAILURES)
    assert (at_once.course.turns, len(at_once.calls)) == (2, 7 + 1)
    assert [line.failed for line in answers(at_once, 2)][1:] == ["not made: after failures"] * 6
    assert mended.course.ending is Ending.TURNS


@both
def test_who_makes_all_calls_in_one_reply_may_mend_what_failed_by_chance(protocol):
    """The first call fails by chance and the others for want of it: no answer was seen yet."""
    found = (
        (task, seed)
        for seed in range(9)
        for task in (task_of(seed, "multi_stage_pipeline", instance) for instance in range(1, 9))
        if len(task.plan) > MOST_FAILURES
        and not Session(task, seed=seed, success_rate=0.8).call(1, *steps_of(task)[0]).ok
    )
    task, seed = next(found)

    def reply(session, turn):
        worked = {call.tool for call in session.calls if call.ok}
        left = [step for step in steps_of(task) if step[0] not in worked]
        return calling(protocol, *left) if left else calling(protocol, DONE)

    played = Played(task, reply, protocol=protocol, rate=0.8, seed=seed)
    assert played.course.ending is Ending.FINISH
    assert played.session.goal_reached


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (saying("I think the tickets are fine."), "calls no tool"),
        (saying(""), "empty"),
        (saying("<think>hm</think>"), "empty"),
        (saying("Let me first explain at length", finish_reason="length"), "cut off"),
    ],
)
@both
def test_a_reply_without_call_is_helped_on_in_words_that_name_no_tool(protocol, reply, words):
    played = Played(TASK, replaying([reply, calling(protocol, DONE)]), protocol=protocol)
    assert (played.course.format_errors, played.course.assisted_turns, played.course.unread_replies) == (
        1,
        1,
        1,
    )
    (said,) = answers(played, 1)
    assert said.role == "user"
    assert said.content == played.requests[1].messages[-1]["content"]
    assert (words if protocol == "tools" or words != "calls no tool" else "holds no action") in said.content
    assert not any(name in said.content for name in TOOLS)
    assert complaint_about(played.requests[1].messages) is None


@both
def test_unreadable_arguments_are_a_format_error_with_its_own_answer_and_no_help(protocol):
    bad = (
        saying("", ToolCall("a", "file_reader", "in/orders.csv"))
        if protocol == "tools"
        else saying('{"action": "file_reader", "arguments": "in/orders.csv"}')
    )
    played = Played(TASK, replaying([bad, calling(protocol, DONE)]), protocol=protocol)
    (said,) = answers(played, 1)
    assert said.failed == "format: INVALID_ARGUMENTS"
    assert "in/orders.csv" in said.content
    assert (played.course.format_errors, played.course.unread_replies, played.course.assisted_turns) == (
        1,
        1,
        0,
    )
    assert played.calls == []


def test_an_action_in_text_is_taken_where_the_server_reads_no_calls_and_answered_as_text():
    written = json.dumps({"name": STEPS[0][0], "arguments": STEPS[0][1]})
    played = Played(TASK, replaying([saying(f"<tool_call>{written}</tool_call>"), calling("tools", DONE)]))
    assert played.calls == [STEPS[0][0]]
    assert (played.course.repaired, played.course.format_errors) == (1, 0)
    assert played.requests[1].messages[-1]["role"] == "user"
    assert played.requests[1].messages[-1]["content"].startswith(f"{STEPS[0][0]}: {{")
    assert complaint_about(played.requests[1].messages) is None


def test_native_calls_are_taken_where_text_was_asked_for_and_told_back_as_text():
    call = ToolCall("a", STEPS[0][0], json.dumps(STEPS[0][1]))
    played = Played(TASK, replaying([saying("", call), calling("text", DONE)]), protocol="text")
    assert played.calls == [STEPS[0][0]]
    sent = played.requests[1].messages
    assert json.loads(sent[2]["content"]) == {"action": STEPS[0][0], "arguments": STEPS[0][1]}
    assert "tool_calls" not in sent[2]


def test_ids_are_the_servers_where_they_are_new_and_made_up_where_they_are_not():
    calls = [ToolCall(given, "file_scanner", "{}") for given in ("one", "one", "call00001", "x" * 41)]
    played = Played(TASK, replaying([saying("", *calls), calling("tools", DONE)]))
    used = [call["id"] for call in played.requests[1].messages[2]["tool_calls"]]
    assert used[0] == "one"
    assert len(set(used)) == 4
    assert all(len(made_up) == 9 and made_up.isalnum() for made_up in used[1:])


def test_an_unknown_tool_is_a_failed_call_like_another():
    played = Played(
        TASK, replaying([calling("tools", ("file shredder!", {"path": "a"})), calling("tools", DONE)])
    )
    assert answers(played, 1)[0].failed == "unknown_tool: INVALID_INPUT"
    assert played.requests[1].messages[2]["tool_calls"][0]["function"]["name"] == "file_shredder_"


def test_results_are_told_in_eight_hundred_characters_at_most():
    task = task_of(0, "simple_task", 1)
    session = Session(task, seed=0, success_rate=1.0)
    session.world["files"]["in/long.csv"] = {"text": "a,b\n" + "1,2\n" * 2_000, "locked": False}
    wish = ("file_scanner", {"folder": "x" * 5_000, "ending": "y" * 5_000, "output": "z" * 5_000})
    played = Played(task, replaying([calling("tools", wish), calling("tools", DONE)]))
    assert all(len(line.content) <= 800 for line in answers(played, 1))


def test_no_answer_passes_through():
    async def ask(request):
        raise Unanswered(Outcome.RATE_LIMITED, "busy")

    async def whole():
        opening = ({"role": "system", "content": rules("tools")}, {"role": "user", "content": "x"})
        with pytest.raises(Unanswered):
            await play(
                Session(TASK, seed=0, success_rate=1.0), opening, ask, [], protocol="tools", max_tokens=9
            )
        return True

    assert anyio.run(whole)
