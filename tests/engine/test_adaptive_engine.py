"""Adaptive mode through the real engine, on virtual time, against the simulated provider's hidden limits."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import anyio
import msgspec
import pytest
import trio
from engine_rig import MemoryJournal, OneTurn, Rig, ScriptedClient, ids, job, lane, now_ns
from trio.testing import MockClock

from console.engine.board import Headline
from console.engine.engine import Engine
from console.phases.plan import Plan
from console.sim.config import SimConfig
from console.sim.in_process import InProcessClient
from console.vocabulary.chat import Endpoint, Timeouts
from console.vocabulary.command import Stop
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import LimitRow, RequestRow
from console.vocabulary.simulated import SimBehaviour

MINUTES = 4
BASE = SimBehaviour(ttft_ms=1000, ttft_spread=0.5, itl_ms=20, output_tokens=20)


def adaptive(setup):
    return msgspec.structs.replace(setup, adaptive=True)


def play(behaviour, setups, *, minutes=MINUTES):
    """Play more tests than can be done in `minutes`, then stop; return the rows of requests and of limits."""
    journal = MemoryJournal()

    async def main():
        client = InProcessClient(
            SimConfig(seed=1, providers={"p": behaviour}), now_ns=now_ns, timeouts=Timeouts()
        )
        engine = Engine(
            plan=Plan(
                title="x",
                profile="t",
                rate_mode="adaptive",
                seed=0,
                lanes=tuple(setups),
                jobs=(job(ids(20_000), setups),),
                timeouts=Timeouts(),
                attempts=20,
            ),
            headline=Headline(run_id="r", run_dir="/r", pid=1, title="x", profile="t", simulated=True),
            work=OneTurn(),
            client=client,
            endpoints={
                setup.lane.id: Endpoint(api="openai", base_url="sim://p", deployment=setup.lane.deployment)
                for setup in setups
            },
            journal=journal,
            now_ns=now_ns,
            start_ns=now_ns(),
            rng=random.Random(0),
        )

        async def stop():
            await anyio.sleep(60 * minutes)
            engine.steering.obey(Stop())

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            assert await engine.run() == "interrupted"
            group.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return [row for row in journal.requests if row.outcome is not Outcome.CANCELLED], journal.of(LimitRow)


def late(rows: list[RequestRow], seconds: float = 120.0) -> list[RequestRow]:
    """Return what was sent in the last `seconds`."""
    end_ns = MINUTES * 60 * 10**9
    return [row for row in rows if row.at_ns >= end_ns - seconds * 1e9]


SCENARIOS = {
    "5 requests/s per key": (replace(BASE, key_qps=5), 5.0),
    "120 RPM per key": (replace(BASE, key_rpm=120), 2.0),
    "6 in flight per key": (replace(BASE, key_concurrency=6, retry_after="none"), None),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_real_engine_finds_a_hidden_limit_and_stays_below_it(name):
    behaviour, limit = SCENARIOS[name]
    setups = [adaptive(lane("a", workers=200))]
    rows, changes = play(behaviour, setups)
    refused = [row for row in late(rows) if row.outcome is Outcome.RATE_LIMITED]
    admitted = len(late(rows)) - len(refused)
    assert len(refused) <= 0.02 * len(late(rows))
    if limit is not None:
        assert admitted >= 0.93 * limit * 120
    else:
        busy_s = sum((row.total_ns or 0) / 1e9 for row in late(rows))
        assert busy_s >= 0.9 * 6 * 120
    assert changes
    assert all(row.reason for row in changes)
    assert all(row.lane == setups[0].lane for row in changes)


def test_the_ceilings_of_the_profile_are_never_passed():
    setups = [adaptive(lane("a", workers=7, qps=3))]
    rows, changes = play(BASE, setups, minutes=2)
    at = sorted(row.at_ns for row in rows)
    assert min(later - sooner for sooner, later in pairwise(at)) >= 1e9 / 3 - 1
    assert len(rows) >= 0.97 * 3 * 120
    assert max([row.after or 0 for row in changes if row.what == "window"], default=7) <= 7
    assert max([row.after or 0 for row in changes if row.what == "rate"], default=3) <= 3


def test_copies_of_a_ceiling_hold_for_each_job():
    setups = [adaptive(lane("a", workers=2, per="job"))]
    client = ScriptedClient()
    rig = Rig([job(ids(30), setups, name=name) for name in "xy"], setups, client)
    assert rig.run() == "finished"
    assert client.peak == {"p/a@key0": 4}


def test_no_test_is_lost_and_the_picture_shows_what_was_found():
    behaviour_limit = 5
    sent: Counter[int] = Counter()

    def answer(endpoint, request, number):
        second = int(now_ns() // 10**9)
        sent[second] += 1
        if sent[second] > behaviour_limit:
            return 0.05, {"outcome": Outcome.RATE_LIMITED, "status": 429, "error": "rate limit reached"}
        return 2.0, {}

    seen = []

    async def look(engine):
        await anyio.sleep(60)
        seen.append(engine.look().lanes[0])
        assert set(engine.learnt(1000.0)) == {"p/a@key0"}

    setups = [adaptive(lane("a", workers=50))]
    rig = Rig([job(ids(500), setups)], setups, ScriptedClient(answer))
    assert rig.run(look) == "finished"
    full = Counter(row.test for row in rig.journal.tests if row.verdict is Verdict.FULL)
    assert full == Counter(ids(500))
    assert 3 < seen[0].qps < 6
    assert 1 <= seen[0].window <= 50
    assert any("requests/s" in event.text for event in rig.last.events)
