"""Single-turn tests: the same task for everybody, a fair score, and prompts that a model can answer."""

from __future__ import annotations

import anyio
import msgspec
import pytest

from console.sim.player import TestPlayer
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.names import DIFFICULTIES, PLAIN_PROMPT_TYPES
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.test_id import TestId
from console.work.single_turn import (
    STEPS,
    SingleTurnWork,
    build_messages,
    make_task,
    read_plan,
    recognise,
    score_plan,
)


@pytest.mark.parametrize("task_type", STEPS)
def test_a_task_depends_on_seed_type_and_instance_alone_and_has_the_right_length(task_type):
    fewest, most = STEPS[task_type]
    lengths = {len(make_task(0, task_type, instance).tools) for instance in range(1, 61)}
    assert lengths == set(range(fewest, most + 1))
    assert make_task(0, task_type, 7) == make_task(0, task_type, 7)
    assert make_task(0, task_type, 7) != make_task(1, task_type, 7) or task_type == "simple_task"


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("prompt_type", PLAIN_PROMPT_TYPES)
def test_every_prompt_leads_to_the_plan_it_asks_for(prompt_type, difficulty):
    for instance in range(1, 30):
        task = make_task(3, "multi_stage_pipeline", instance)
        assert recognise(build_messages(task, prompt_type, difficulty)) == task.names


def test_only_the_optimal_prompt_shows_the_plan():
    task = make_task(0, "data_pipeline", 1)
    plan = "\n".join(f"{number}. {name}" for number, name in enumerate(task.names, 1))
    shown = {kind: plan in build_messages(task, kind, "easy")[1]["content"] for kind in PLAIN_PROMPT_TYPES}
    assert shown == {"baseline": False, "cot": False, "optimal": True}


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ('{"plan": ["a", "b"]}', ("a", "b")),
        ('Sure:\n```json\n{"plan": ["a"]}\n```\nDone.', ("a",)),
        ('{"thought": "x"} {"plan": []}', ()),
        ('{"plan": "a"}', None),
        ('{"plan": ["a"', None),
        ("", None),
        ('{"plan": ' + "[" * 3000 + "]" * 3000 + "}", None),
        ('{"plan": [1, 2]}', None),
        ('{"plan": [%s"a"]}' % ('"a", ' * 5000), ("a",) * 100),
    ],
)
def test_a_plan_is_read_out_of_any_text_round_it(text, plan):
    assert read_plan(text) == plan


@pytest.mark.parametrize(
    ("plan", "score"),
    [
        (["a", "b", "c"], 1),
        (["a", "c"], 2 / 3),
        (["b", "a", "c"], 2 / 3),
        (["a", "b", "c", "d"], 3 / 4),
        ([], 0),
    ],
)
def test_order_gaps_and_extras_lower_the_score(plan, score):
    assert score_plan(plan, ["a", "b", "c"]) == pytest.approx(score)


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (None, Verdict.FULL),
        ('{"plan": ["nonsense"]}', Verdict.FAILURE),
        ("I would rather not.", Verdict.FAILURE),
    ],
)
def test_the_verdict_follows_from_the_answer(content, verdict):
    test = TestId("m", "optimal", "easy", "0.8", "basic_task", 4)
    names = make_task(0, "basic_task", 4).names
    right = msgspec.json.encode({"plan": names}).decode()

    async def ask(request):
        return ChatResult(outcome=Outcome.OK, stamps=Stamps(), content=right if content is None else content)

    result = anyio.run(SingleTurnWork(0).run, test, ask, [])
    assert result.verdict is verdict


def test_the_simulated_player_slips_as_often_as_its_skill_says_and_always_alike():
    player = TestPlayer()
    right = 0
    for instance in range(1, 301):
        task = make_task(0, "basic_task", instance)
        asked = {"seed": 1, "model": "m", "messages": build_messages(task, "cot", "medium"), "tools": ()}
        answer = player.answer(**asked, max_tokens=None, skill=0.8)
        assert answer == player.answer(**asked, max_tokens=None, skill=0.8)
        assert answer is not None
        right += read_plan(answer.text) == task.names
    assert 0.72 < right / 300 < 0.88
