"""What is sent never grows past its budget, stays valid for strict servers, and is only added to while it fits."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples
from tool_play import Played, complaint_about, saying

from console.engine.asking import estimate_tokens
from console.vocabulary.chat import ToolCall
from console.work.context import CONTEXT_TOKENS, Context, short_arguments
from console.work.library import task_of
from console.work.registry import TOOLS

TASK = task_of(0, "multi_stage_pipeline", 1)
LONG = "a long thought " * 300
CJK = "很长的想法" * 800

texts = st.sampled_from(["", "ok", LONG, CJK, "\ud800", "x" * 200_000, "\n" * 5_000]) | st.text(max_size=200)
tool_names = st.sampled_from([*TOOLS, "finish it", "", "no/tool", "n" * 300, "\ud83d"])
argument_texts = st.sampled_from(
    [
        "{}",
        "",
        "[",
        '{"path": "in/orders.csv", "output": "x"}',
        msgspec.json.encode({"path": LONG, "output": CJK}).decode(),
        msgspec.json.encode({f"k{number}": CJK[:90] for number in range(60)}).decode(),
        '{"a": "' + "y" * 100_000,
    ]
)
ids = st.sampled_from(["", "call_1", "call00001", "i" * 41, "same", "ä"])
native = st.lists(st.builds(ToolCall, ids, tool_names, argument_texts), max_size=20)
actions = st.lists(st.tuples(tool_names, argument_texts), max_size=12).map(
    lambda made: "\n".join(
        f'{{"action": {msgspec.json.encode(name.encode("utf-8", "replace").decode()).decode()}, "arguments": {arguments}}}'
        for name, arguments in made
    )
)
replies = st.builds(
    lambda text, action, calls, reason: saying(text + action, *calls, finish_reason=reason),
    texts,
    actions,
    native,
    st.sampled_from(["stop", "length", "tool_calls", None]),
)


@given(st.lists(replies, min_size=1, max_size=10), st.sampled_from(["tools", "text"]))
@settings(max_examples=examples(120), deadline=None)
def test_no_request_passes_the_budget_or_is_invalid_whatever_the_model_says(said, protocol):
    played = Played(TASK, lambda session, turn: said[(turn - 1) % len(said)], protocol=protocol)
    for request in played.requests:
        assert estimate_tokens(request) - request.max_tokens <= CONTEXT_TOKENS
        assert complaint_about(request.messages) is None
        assert request.messages[:2] == played.opening
    msgspec.json.encode(played.said)
    assert sum(len(line.content) + len(line.reasoning) for line in played.said) < 2_000_000


@given(st.lists(replies, min_size=1, max_size=10), st.sampled_from(["tools", "text"]))
@settings(max_examples=examples(30), deadline=None)
def test_every_reply_is_answered_in_its_turn(said, protocol):
    played = Played(TASK, lambda session, turn: said[(turn - 1) % len(said)], protocol=protocol)
    assert played.course.turns == len(played.requests)
    for turn in range(1, played.course.turns + 1):
        of_turn = [line for line in played.said if line.turn == turn]
        assert of_turn[0].role == "assistant"
        assert len(of_turn) >= 2
        assert len(of_turn) - 1 == max(1, len(of_turn[0].calls))


def test_what_fits_is_only_added_to_so_that_a_cache_knows_its_beginning():
    call = ToolCall("", "file_scanner", '{"folder": "in", "ending": ".csv", "output": "found"}')
    played = Played(TASK, lambda session, turn: saying("Let me look.", call))
    for earlier, later in zip(played.requests, played.requests[1:], strict=False):
        assert later.messages[: len(earlier.messages)] == earlier.messages


OPENING = ({"role": "system", "content": "s" * 350}, {"role": "user", "content": "u" * 350})
REPLY_CHARS, ANSWER_CHARS = 300, 1_400


def exchange():
    reply = {"role": "assistant", "content": "r" * REPLY_CHARS}
    return reply, [{"role": "user", "content": "a" * ANSWER_CHARS}]


def sizes_after_six_turns(budget):
    context = Context(OPENING, budget=budget)
    for _ in range(6):
        context.add(*exchange())
    messages = context.messages()
    assert messages[:2] == OPENING
    sizes = [len(message["content"]) for message in messages[2:]]
    return sizes[::2], sizes[1::2]


def test_old_results_go_first_then_old_replies_then_old_turns_and_the_last_two_stay_whole():
    replies, answers = sizes_after_six_turns(100_000)
    assert (replies, answers) == ([REPLY_CHARS] * 6, [ANSWER_CHARS] * 6)
    replies, answers = sizes_after_six_turns(3_000)
    assert replies == [REPLY_CHARS] * 6
    assert max(answers[:3]) <= 120 < min(answers[3:])
    replies, answers = sizes_after_six_turns(1_700)
    assert max(answers[:4]) <= 120 < min(answers[4:]) == ANSWER_CHARS
    assert min(replies[:4]) <= 200 < min(replies[4:]) == REPLY_CHARS
    replies, answers = sizes_after_six_turns(1_300)
    assert 2 <= len(replies) < 6
    assert (replies[-2:], answers[-2:]) == ([REPLY_CHARS] * 2, [ANSWER_CHARS] * 2)
    replies, answers = sizes_after_six_turns(900)
    assert answers[-2] <= 120


def test_a_cut_leaves_room_so_that_the_next_turn_is_added_without_another():
    context = Context(OPENING, budget=5_000)
    kept: list[bool] = []
    before = context.messages()
    for _ in range(30):
        context.add(*exchange())
        after = context.messages()
        kept.append(after[: len(before)] == before)
        before = after
    assert kept.count(False) <= len(kept) / 3


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=20), st.integers(100, 2_000))
def test_short_arguments_are_an_object_within_their_limit(arguments, limit):
    written = msgspec.json.encode(arguments).decode()
    short = short_arguments(written, limit)
    assert len(short) <= max(limit, 2)
    assert isinstance(msgspec.json.decode(short), dict)
    assert short == written or len(written) > limit
