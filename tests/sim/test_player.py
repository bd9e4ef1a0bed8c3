"""The simulated model against the real turn loop: perfect at skill 1, lost at skill 0, the same every time."""

from collections import Counter

import anyio
import pytest

from console.sim.mind import SLIPS
from console.sim.player import TestPlayer
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, TASK_TYPES
from console.vocabulary.outcome import Outcome, Verdict
from console.work.library import task_of
from console.work.prompts import opening
from console.work.protocol import rules
from console.work.scoring import mark
from console.work.session import Session
from console.work.turns import play


def played(
    task, prompt_type="optimal", *, skill=1.0, model="m", rate=1.0, difficulty="easy", protocol="tools"
):
    """Play one test and return its marks, and what was said."""
    player, said = TestPlayer(), []

    async def ask(request):
        answer = player.answer(
            seed=0,
            model=model,
            messages=request.messages,
            tools=request.tools,
            max_tokens=request.max_tokens,
            skill=skill,
        )
        assert answer is not None, "it knows every test"
        return ChatResult(
            outcome=Outcome.OK,
            stamps=Stamps(),
            content=answer.text,
            tool_calls=answer.tool_calls,
            finish_reason=answer.finish_reason,
        )

    async def main():
        session = Session(task, seed=0, success_rate=rate)
        first = opening(task, prompt_type, difficulty, rules(protocol))
        course = await play(session, first, ask, said, protocol=protocol, max_tokens=1024)
        return mark(session, course)

    return anyio.run(main, backend="trio"), said


def tasks(count):
    return [task_of(0, task_type, number) for task_type in TASK_TYPES for number in range(1, count + 1)]


@pytest.mark.parametrize("protocol", ["tools", "text"])
def test_a_perfect_model_is_full_whatever_it_is_shown_and_however_it_is_put(protocol):
    for number, task in enumerate(tasks(8)):
        prompt_type = PROMPT_TYPES[number % len(PROMPT_TYPES)]
        difficulty = DIFFICULTIES[number % len(DIFFICULTIES)]
        marked, _ = played(task, prompt_type, difficulty=difficulty, protocol=protocol)
        assert (marked.verdict, marked.score) == (Verdict.FULL, 1.0), (task.id, prompt_type)


def test_better_models_and_better_prompts_do_better():
    def share(**how):
        found = [played(task, rate=0.8, **how)[0].verdict for task in tasks(20)]
        return found.count(Verdict.FULL) / len(found)

    by_skill = [share(skill=skill) for skill in (0.3, 0.6, 0.9)]
    assert by_skill == sorted(by_skill)
    assert by_skill[0] < by_skill[-1] - 0.1
    assert share(skill=0.6, prompt_type="baseline") < share(skill=0.6) - 0.1
    assert share(skill=0.6, prompt_type="flawed_missing_step") < share(skill=0.6) - 0.1
    assert share(skill=0.6, prompt_type="baseline", difficulty="very_hard") < share(
        skill=0.6, prompt_type="baseline", difficulty="very_easy"
    )


def test_every_slip_is_made_and_most_error_classes_are_found():
    classes = Counter(
        marked.marks.error_class
        for task in tasks(40)
        for marked in [played(task, "baseline", skill=0.1, rate=0.7)[0]]
        if marked.verdict is not Verdict.FULL
    )
    assert set(SLIPS) == {str(name) for name in classes}, classes


def test_the_same_every_time_and_the_same_slip_at_every_success_rate():
    task = task_of(0, "multi_stage_pipeline", 4)
    one, other = played(task, skill=0.5), played(task, skill=0.5)
    assert one == other
    assert played(task, skill=0.5, model="another")[1] != one[1]
    first_replies = {rate: played(task, skill=0.5, rate=rate)[1][2] for rate in (1.0, 0.6)}
    assert first_replies[1.0] == first_replies[0.6]


def test_what_is_no_test_of_its_library_is_left_to_plain_words():
    def answer(*texts, seed=0):
        return TestPlayer().answer(
            seed=seed,
            model="m",
            messages=[{"role": "user", "content": text} for text in texts],
            tools=(),
            max_tokens=None,
            skill=1.0,
        )

    first = opening(task_of(0, "simple_task", 1), "optimal", "easy", "")[1]["content"]
    assert answer("", first) is not None
    assert answer("", first, seed=1) is None
    for text in (
        "hello",
        "Ticket",
        "Ticket simple_task/0\nTask: x",
        "Ticket no_type/1\nTask: x",
        first + "x",
    ):
        answered = answer("", text)
        assert answered is None or text == first + "x"
    assert answer("one message") is None
