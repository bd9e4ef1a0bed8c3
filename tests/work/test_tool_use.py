"""Tool-use tests from id to marks: what is refused, what is asked, and what is said of a test that is not full."""

from __future__ import annotations

import anyio
import msgspec
import pytest
from tool_play import DONE, calling, saying, steps_of

from console.vocabulary.marks import ErrorClass
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.test_id import TestId
from console.work.contract import Unanswered
from console.work.library import task_of
from console.work.prompts import opening
from console.work.protocol import PROTOCOLS, rules
from console.work.tool_use import DETAIL_CHARS, MAX_TOKENS, ToolUseWork

TEST = TestId("m", "optimal", "easy", "1", "data_pipeline", 3)
STEPS = steps_of(task_of(0, "data_pipeline", 3))
WORK = ToolUseWork(0, {"m-text": "text"})


def played(replies, test=TEST):
    left = iter(replies)
    requests, said = [], []

    async def ask(request):
        requests.append(request)
        return next(left)

    return anyio.run(WORK.run, test, ask, said), requests, said


def but(**changes):
    return msgspec.structs.replace(TEST, **changes)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "prompt_type", ["baseline", "cot", "optimal", "flawed_missing_step", "flawed_missing_step@light"]
)
def test_the_opening_is_what_the_prompt_type_and_the_protocol_of_the_model_say(protocol, prompt_type):
    test = but(model="m" if protocol == "tools" else "m-text", prompt_type=prompt_type)
    result, (request,), said = played([calling(protocol, DONE)], test)
    assert request.messages == opening(task_of(0, "data_pipeline", 3), prompt_type, "easy", rules(protocol))
    assert (bool(request.tools), request.max_tokens) == (protocol == "tools", MAX_TOKENS)
    assert [(line.turn, line.role) for line in said[:3]] == [(0, "system"), (0, "user"), (1, "assistant")]
    assert (result.verdict, result.score, result.turns) == (Verdict.FAILURE, 0.0, 1)


def test_a_full_test_has_nothing_to_explain():
    result, _, _ = played([calling("tools", *STEPS, DONE)])
    assert (result.verdict, result.detail, result.turns) == (Verdict.FULL, "", 1)
    assert result.score == pytest.approx(1.0)


def test_the_detail_says_what_is_missing_what_failed_and_how_it_ended():
    name, arguments = STEPS[1]
    result, _, _ = played(
        [
            saying("Well."),
            calling("tools", STEPS[0], (name, {**arguments, "field": 7})),
            calling("tools", DONE),
        ]
    )
    assert result.detail.startswith(f"1 of 4 conditions; {name}: INVALID_INPUT 'field' ")
    assert result.detail.endswith("1 format error; finished after 3 turns")
    result, _, _ = played([calling("tools", ("x" * 10_000, {}))] * 5)
    assert len(result.detail) <= DETAIL_CHARS
    assert result.detail.endswith("gave up after failed calls")
    result, _, _ = played([calling("tools", *STEPS)] + [saying("Done.")] * 9)
    assert (result.verdict, result.marks.error_class) == (Verdict.PARTIAL, ErrorClass.TOOL_CALL_FORMAT)
    assert result.detail == "9 format errors; turns used up"


def test_chance_is_the_same_under_every_prompt_type_and_model():
    def failures(**changes):
        replies = [calling("tools", step) for step in STEPS for _ in range(2)] + [calling("tools", DONE)] * 2
        _, _, said = played(replies, but(rate="0.5", **changes))
        return [(line.tool, line.failed) for line in said if line.tool]

    assert failures() == failures(prompt_type="baseline", difficulty="hard") == failures(model="other")


def test_a_test_without_answer_has_no_result():
    async def ask(request):
        raise Unanswered(Outcome.TIMEOUT_TOTAL, "")

    async def whole():
        with pytest.raises(Unanswered):
            await WORK.run(TEST, ask, [])
        return True

    assert anyio.run(whole)
