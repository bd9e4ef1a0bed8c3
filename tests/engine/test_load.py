"""Load levels on virtual time: concurrency is held and reached, schedules are absolute, gates hold."""

from __future__ import annotations

import random
from itertools import pairwise

import anyio
import pytest
import trio
from engine_rig import MemoryJournal, ScriptedClient, lane, now_ns
from trio.testing import MockClock

from console.engine.board import Headline
from console.engine.load import Level, LoadEngine, due_offsets_ns
from console.engine.load_ground import GroundPlan
from console.vocabulary.chat import ChatRequest, Endpoint
from console.vocabulary.command import Adapt, Change, Drain, Refused, Stop, Tune
from console.vocabulary.inspection import LaneDetail
from console.vocabulary.lane import Scope
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RunEnded


class LoadRig:
    def __init__(self, level, count, lanes, client=None):
        self.level, self.count, self.lanes = level, count, lanes
        self.client = client or ScriptedClient()
        self.journal = MemoryJournal()

    def run(self, *beside):
        return trio.run(self._main, beside, clock=MockClock(autojump_threshold=0))

    async def _main(self, beside):
        requests = [ChatRequest(messages=({"role": "user", "content": "x"},)) for _ in range(self.count)]
        plan = GroundPlan(
            lanes=self.lanes,
            headline=Headline(run_id="r", run_dir="/r", pid=1, title="x", profile="test", simulated=True),
            client=self.client,
            endpoints={
                setup.lane.id: Endpoint(api="openai", base_url="http://x", deployment=setup.lane.id)
                for setup in self.lanes
            },
            journal=self.journal,
            now_ns=now_ns,
            start_ns=now_ns(),
            rng=random.Random(0),
        )
        self.engine = LoadEngine(self.level, requests, plan)
        async with anyio.create_task_group() as group:
            for function in beside:
                group.start_soon(function, self.engine)
            state = await self.engine.run()
            self.ended_s = trio.current_time()
            group.cancel_scope.cancel()
        return state

    @property
    def times(self):
        return [at / 1e9 for at, _ in self.client.sent]


def test_a_closed_loop_holds_and_reaches_its_concurrency():
    rig = LoadRig(Level(max_concurrency=4, request_rate=None), 20, [lane("a", workers=100)])
    assert rig.run() == "finished"
    assert rig.client.peak == {"p/a@key0": 4}
    assert rig.ended_s == pytest.approx(5)
    assert len(rig.engine.rows) == 20
    assert {row.test for row in rig.engine.rows} == {f"prompt/{number}" for number in range(20)}


def test_without_a_bound_the_lanes_workers_are_the_concurrency():
    lanes = [lane("a", workers=3), lane("b", workers=1)]
    rig = LoadRig(Level(max_concurrency=None, request_rate=None), 20, lanes)
    rig.run()
    assert rig.client.peak == {"p/a@key0": 3, "p/b@key0": 1}


def test_the_profiles_gates_hold_under_a_level():
    rig = LoadRig(Level(max_concurrency=50, request_rate=None), 20, [lane("a", workers=50, qps=2)])
    rig.run()
    assert min(later - earlier for earlier, later in pairwise(rig.times)) >= 0.5 - 1e-9


def test_an_open_loop_sends_when_due_however_slow_the_answers_are():
    def slow(endpoint, request, number):
        return 30.0, {}

    rig = LoadRig(
        Level(max_concurrency=None, request_rate=10), 100, [lane("a", workers=1000)], ScriptedClient(slow)
    )
    rig.run()
    assert rig.times[-1] == pytest.approx(10.0)
    assert all(row.due_ns == row.at_ns for row in rig.engine.rows)


def test_requests_that_find_no_slot_are_sent_late_never_skipped_and_their_rows_tell():
    rig = LoadRig(Level(max_concurrency=1, request_rate=10), 20, [lane("a", workers=10)])
    rig.run()
    assert len(rig.times) == 20
    assert rig.client.peak == {"p/a@key0": 1}
    late = [row.at_ns - row.due_ns for row in rig.engine.rows if row.due_ns is not None]
    assert max(late) > 15e9


def test_a_schedule_ends_on_its_rate_whatever_was_drawn():
    level = Level(max_concurrency=None, request_rate=20)
    due = due_offsets_ns(200, level, random.Random(3))
    assert due == sorted(due)
    assert due[-1] == pytest.approx(10e9)
    even = due_offsets_ns(200, Level(max_concurrency=None, request_rate=20, burstiness=1e9), random.Random(3))
    gaps = [later - earlier for earlier, later in pairwise(even)]
    assert max(gaps) - min(gaps) < 1e5


def test_failed_prompts_are_not_tried_again_and_remain():
    def answer(endpoint, request, number):
        return 1.0, ({"outcome": Outcome.SERVER_ERROR} if number % 2 else {})

    rig = LoadRig(
        Level(max_concurrency=2, request_rate=None), 10, [lane("a", workers=2)], ScriptedClient(answer)
    )
    assert rig.run() == "finished"
    assert len(rig.client.sent) == 10
    ended = rig.journal.of(RunEnded)[0]
    assert (ended.planned, ended.done) == (10, 5)


@pytest.mark.parametrize("rate", [None, 5.0])
def test_drain_and_stop_end_a_level(rate):
    async def drain(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Drain())

    async def stop(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Stop())

    level = Level(max_concurrency=2, request_rate=rate)
    drained = LoadRig(level, 50, [lane("a", workers=9)])
    assert drained.run(drain) == "interrupted"
    assert len(drained.client.sent) < 20
    assert not [row for row in drained.engine.rows if row.outcome is Outcome.CANCELLED]
    stopped = LoadRig(level, 50, [lane("a", workers=9)])
    assert stopped.run(stop) == "interrupted"
    assert stopped.ended_s == pytest.approx(2.5)
    assert len(stopped.engine.rows) == len(stopped.client.sent)


def test_a_level_measures_failures_and_never_rests_for_them_but_waits_where_a_server_asks():
    def answer(endpoint, request, number):
        if number == 40:
            return 0.1, {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0}
        return 0.1, {"outcome": Outcome.SERVER_ERROR}

    rig = LoadRig(
        Level(max_concurrency=1, request_rate=None), 50, [lane("a", workers=1)], ScriptedClient(answer)
    )
    rig.run()
    assert rig.ended_s == pytest.approx(8.0)
    assert rig.engine.held_s == pytest.approx(3.0)
    assert [row.held_ns / 1e9 for row in rig.engine.rows if row.held_ns] == [pytest.approx(3.0)]


def test_a_drain_does_not_wait_for_the_next_due_time():
    async def drain(engine):
        await anyio.sleep(2.5)
        engine.steering.obey(Drain())

    rig = LoadRig(Level(max_concurrency=2, request_rate=0.001), 5, [lane("a", workers=9)])
    assert rig.run(drain) == "interrupted"
    assert rig.ended_s < 5


def test_a_level_keeps_its_limits_and_tells_of_its_lanes():
    said = []

    async def ask(engine):
        await anyio.sleep(2.5)
        scope = Scope("lane", "p/a@key0")
        said.append(engine.steering.obey(Tune(scopes=(scope,), workers=Change("=", 2))))
        said.append(engine.steering.obey(Adapt((scope.name,), on=True)))
        said.append(await engine.inspect(scope.name))
        said.append(engine.look())

    rig = LoadRig(Level(max_concurrency=4, request_rate=None), 40, [lane("a", workers=4)])
    assert rig.run(ask) == "finished"
    tune, adapt, detail, picture = said
    assert isinstance(tune, Refused)
    assert tune == adapt
    assert "a capacity level measures one load" in tune.text
    assert isinstance(detail, LaneDetail)
    assert (detail.lane.in_flight, detail.gates[0].most, detail.jobs) == (4, 4, ())
    assert (picture.queued, picture.phases) == (28, ())
    assert max(rig.client.peak.values()) == 4
