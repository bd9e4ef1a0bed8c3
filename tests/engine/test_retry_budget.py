"""Retries that come back by themselves: a tenth of first tries and half of the healthy rate, and nobody waits for ever."""

from __future__ import annotations

import random

import anyio
import trio
from engine_rig import Rig, ScriptedClient, ids, job, lane, now_ns
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from console.engine.retry_budget import RetryBudget
from console.vocabulary.outcome import Outcome, Verdict


@given(
    begin_s=st.floats(0, 1e7),
    seconds=st.lists(st.floats(0.01, 100), max_size=5),
    at_once=st.integers(1, 1000),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=20),
)
def test_whoever_waits_as_long_as_told_gets_a_retry_soon(begin_s, seconds, at_once, gaps):
    async def main():
        await anyio.sleep(begin_s)
        budget = RetryBudget(now_ns())
        budget.sent(at_once, first=True)
        for each in seconds:
            budget.answered(each)
        for _ in range(12):
            budget.take(now_ns())
        for gap in gaps:
            await anyio.sleep(gap)
            waits = 0
            while (wait_s := budget.take(now_ns())) > 0.0:
                waits += 1
                assert waits <= 3, "it spins"
                await anyio.sleep(wait_s)

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_over_any_time_it_gives_no_more_than_its_rate_and_what_it_had():
    dice = random.Random(1)
    budget = RetryBudget(0)
    budget.sent(20, first=True)
    at_s, given_out = 0.0, 0
    while at_s < 600:
        at_s += dice.random() * 0.2
        given_out += budget.take(int(at_s * 1e9)) == 0.0
    assert given_out <= 11 + budget.per_second * 600
    assert given_out >= 0.98 * budget.per_second * 600


def test_who_waits_for_a_retry_on_a_lane_that_is_switched_off_goes_elsewhere_at_once():
    def answer(endpoint, request, number):
        if endpoint.deployment == "p/bad@key0":
            return 100.0, {"outcome": Outcome.SERVER_ERROR}
        return 1.0, {}

    lanes = [lane("bad", workers=50), lane("good", workers=50)]
    rig = Rig([job(ids(100), lanes)], lanes, ScriptedClient(answer))

    async def slow_until_now(engine):
        for _ in range(200):
            engine._lanes["p/bad@key0"].retries.answered(1000.0)

    assert rig.run(slow_until_now) == "finished"
    assert {row.test for row in rig.journal.tests if row.verdict is Verdict.FULL} == set(ids(100))
    # 50 fail at 100 s, the tenth trips the lane, and its probes fail until it is switched off.
    left = [row.at_ns + row.duration_ns for row in rig.journal.tests if row.lane.deployment == "bad"]
    off = next(row.at_ns for row in rig.journal.rows if "switched off" in getattr(row, "text", ""))
    assert max(left) <= off + 6e9
