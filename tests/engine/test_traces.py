"""What was said is kept however an attempt ends, before the row of its test; only where it is wanted."""

from __future__ import annotations

import anyio
import pytest
from engine_rig import OneTurn, Rig, ScriptedClient, ids, job, lane

from console.vocabulary.chat import ChatRequest
from console.vocabulary.command import Stop
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import TestRow
from console.vocabulary.trace import Said, TraceRow
from console.work.contract import TestResult


class Talk(OneTurn):
    """Two turns, each of which is noted."""

    fault = False

    async def run(self, test, ask, said):
        said.append(Said(turn=0, role="user", content=f"instance {test.instance}"))
        for turn in (1, 2):
            answer = await ask(ChatRequest(messages=({"role": "user", "content": "go on"},)))
            said.append(Said(turn=turn, role="assistant", content=answer.content))
            if self.fault:
                raise ZeroDivisionError("ours")
        return TestResult(verdict=Verdict.PARTIAL, score=0.5, turns=2)


def talk(answer=None, tests=1, **options) -> Rig:
    lanes = [lane("a", workers=2)]
    client = ScriptedClient(answer) if answer is not None else ScriptedClient()
    rig = Rig([job(ids(tests), lanes)], lanes, client, work=options.pop("work", Talk()), **options)
    rig.traces = True
    return rig


def pairs(rig: Rig) -> list[tuple[TraceRow, TestRow]]:
    """Return every trace with the row that follows it; fails where something stands between or is missing."""
    kept = [row for row in rig.journal.rows if isinstance(row, (TraceRow, TestRow))]
    traces, tests = kept[::2], kept[1::2]
    assert all(isinstance(row, TraceRow) for row in traces)
    assert all(isinstance(row, TestRow) for row in tests)
    for trace, test in zip(traces, tests, strict=True):
        assert (trace.test, trace.attempt, trace.lane, trace.verdict) == (
            test.test, test.attempt, test.lane, test.verdict,
        )  # fmt: skip
    return list(zip(traces, tests, strict=True))


def test_a_verdict_is_preceded_by_what_was_said():
    rig = talk(tests=5)
    rig.run()
    found = pairs(rig)
    assert len(found) == 5
    for trace, test in found:
        instance = test.test.rpartition("/")[2]
        assert [one.content for one in trace.said] == [f"instance {instance}", "fine", "fine"]
        assert [one.turn for one in trace.said] == [0, 1, 2]


def test_infrastructure_failures_leave_what_was_said_so_far_of_every_attempt():
    def second_turn_fails(endpoint, request, number):
        return 1.0, ({} if number % 2 == 0 else {"outcome": Outcome.BAD_REQUEST, "status": 400})

    rig = talk(second_turn_fails)
    rig.run()
    found = pairs(rig)
    assert [(trace.attempt, trace.verdict) for trace, _ in found] == [
        (1, Verdict.INFRASTRUCTURE),
        (2, Verdict.INFRASTRUCTURE),
        (3, Verdict.INFRASTRUCTURE),
    ]
    assert {len(trace.said) for trace, _ in found} == {2}


def test_a_stopped_test_leaves_what_was_said_so_far():
    async def stop(engine):
        await anyio.sleep(1.5)
        engine.steering.obey(Stop())

    rig = talk(tests=2)
    rig.run(stop)
    assert [(trace.verdict, len(trace.said)) for trace, _ in pairs(rig)] == [(Verdict.CANCELLED, 2)] * 2


def test_a_fault_of_ours_leaves_what_was_said_so_far():
    work = Talk()
    work.fault = True
    rig = talk(work=work)
    rig.run()
    found = pairs(rig)
    assert {(trace.verdict, len(trace.said)) for trace, _ in found} == {(Verdict.INFRASTRUCTURE, 2)}


@pytest.mark.parametrize("work", [Talk(), OneTurn()])
def test_without_traces_nothing_is_kept(work):
    rig = talk(tests=3, work=work)
    rig.traces = False
    rig.run()
    assert len(rig.journal.tests) == 3
    assert not rig.journal.of(TraceRow)


def test_a_full_disk_keeps_traces_and_rows_in_their_order():
    async def fill(engine):
        await anyio.sleep(0.5)
        rig.journal.blocked = True
        await anyio.sleep(10)
        assert not rig.journal.tests
        rig.journal.blocked = False

    rig = talk(tests=4)
    rig.run(fill)
    assert sorted(test.test for _, test in pairs(rig)) == sorted(ids(4))
