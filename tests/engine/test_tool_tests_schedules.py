"""Tests of several turns under random faults, rests, moves and operators: what a model comes to depends on none of it."""

from __future__ import annotations

import json
import random
from collections import Counter

import anyio
import msgspec
import pytest
from engine_rig import Rig, ScriptedClient, job, lane
from seeds import seeds

from console.vocabulary.chat import ToolCall
from console.vocabulary.command import Pause, Resume, Switch, name_of
from console.vocabulary.names import TASK_TYPES
from console.vocabulary.outcome import TERMINAL, Outcome, Verdict
from console.vocabulary.rows import EventRow, TestRow
from console.vocabulary.trace import TraceRow
from console.work.library import task_of
from console.work.tool_use import ToolUseWork

FAULTS = (
    {"outcome": Outcome.SERVER_ERROR},
    {"outcome": Outcome.CONNECTION},
    {"outcome": Outcome.TIMEOUT_TOTAL},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0},
    {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 119.0},
)


def next_calls(request):
    """Follow the true plan by what was said so far, now and then with a wrong call or several at once."""
    ticket = request.messages[1]["content"].partition("\n")[0].removeprefix("Ticket ")
    task_type, _, number = ticket.partition("/")
    task = task_of(0, task_type, int(number))
    answers = [json.loads(one["content"])["ok"] for one in request.messages if one["role"] == "tool"]
    turn = sum(one["role"] == "assistant" for one in request.messages)
    mood = random.Random(f"{ticket}/{turn}")
    if mood.random() < 0.2:
        return [("file_reader", {"path": "nowhere", "output": "nothing"})]
    left = [(step.tool, step.arguments) for step in task.plan[sum(answers) :]]
    return left[: mood.randint(1, 2)] or [("finish", {})]


def client_with(fault):
    def answer(endpoint, request, number):
        delay, failed = fault()
        if failed:
            return delay, failed
        calls = [
            ToolCall(f"c{number}-{place}", name, msgspec.json.encode(arguments).decode())
            for place, (name, arguments) in enumerate(next_calls(request))
        ]
        return delay, {"content": "", "tool_calls": tuple(calls), "finish_reason": "tool_calls"}

    return ScriptedClient(answer)


def rig_with(lanes, fault):
    tests = [f"m/optimal/easy/0.8/{kind}/{number}" for kind in TASK_TYPES for number in range(1, 6)]
    rig = Rig([job(tests, lanes)], lanes, client_with(fault), attempts=3, work=ToolUseWork(seed=0))
    rig.traces = True
    return rig


def result_of(row: TestRow):
    return row.verdict, row.score, row.turns, row.detail, row.marks


def said_in(trace: TraceRow):
    """Without ids, which tell requests apart and nothing else."""
    return [
        msgspec.structs.replace(one, calls=tuple(msgspec.structs.replace(call, id="") for call in one.calls))
        for one in trace.said
    ]


@pytest.fixture(scope="module")
def undisturbed():
    rig = rig_with([lane("calm", workers=3)], lambda: (1.0, {}))
    rig.run()
    assert len(rig.journal.tests) == 25
    results = {row.test: result_of(row) for row in rig.journal.tests}
    assert len({verdict for verdict, *_ in results.values()}) > 1, "some go wrong"
    return results, {row.test: said_in(row) for row in rig.journal.of(TraceRow)}


@pytest.mark.parametrize("seed", seeds(60, quick=10))
def test_results_and_what_was_said_are_those_of_an_undisturbed_run(seed, undisturbed):
    rng = random.Random(seed)
    lanes = [lane(f"d{number}", workers=rng.randint(1, 3), qps=5) for number in range(rng.randint(2, 3))]
    trouble = rng.choice([0.05, 0.2, 0.4])

    def fault():
        return rng.choice([0.01, 0.5, 5]), rng.choice(FAULTS) if rng.random() < trouble else {}

    rig = rig_with(lanes, fault)

    async def steer(engine):
        for _ in range(3):
            await anyio.sleep(rng.random() * 40)
            setup = rng.choice(lanes[1:])
            switch = Switch("lane", name_of("lane", setup.lane), on=False)
            engine.steering.obey(rng.choice([Pause(), switch]))
            rig.journal.blocked = rng.random() < 0.3
            await anyio.sleep(rng.random() * 20)
            rig.journal.blocked = False
            engine.steering.obey(Resume())
            engine.steering.obey(msgspec.structs.replace(switch, on=True))

    assert rig.run(steer) == "finished"
    assert not [row.text for row in rig.journal.of(EventRow) if row.kind == "our_fault"]
    results, said = undisturbed
    counted = [row for row in rig.journal.tests if row.verdict in TERMINAL]
    assert max(Counter(row.test for row in counted).values(), default=1) == 1
    assert {row.test for row in rig.journal.tests} == set(results)
    assert {row.test: result_of(row) for row in counted} == {row.test: results[row.test] for row in counted}
    for trace in rig.journal.of(TraceRow):
        found = said_in(trace)
        if trace.verdict in TERMINAL:
            assert found == said[trace.test]
        else:
            assert trace.verdict in (Verdict.INFRASTRUCTURE, Verdict.CANCELLED)
            assert found == said[trace.test][: len(found)]
