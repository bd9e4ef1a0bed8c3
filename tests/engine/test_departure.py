"""A rate holds for what is really sent, however far ahead requests pass and however late they are sent."""

from __future__ import annotations

import random
from itertools import pairwise

import anyio
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples
from trio.testing import MockClock

from console.engine.arbiter import Arbiter
from console.engine.departure import Departure
from console.engine.gates import Gate, Pacer
from console.vocabulary.lane import Limits, Scope

S = 1_000_000_000


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


class Open:
    def is_open(self):
        return True

    def let_in(self):
        return "yes"

    def take_back(self, entry):
        pass


@given(
    rate=st.sampled_from([3.0, 10.0, 250.0, 1000.0]),
    burst=st.integers(0, 2),
    ahead_ms=st.sampled_from([0, 2, 30]),
    late_ms=st.sampled_from([0.0, 0.3, 5.0]),
    lost=st.sampled_from([0.0, 0.2]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=examples(30), deadline=None)
def test_sends_keep_the_law_however_late_they_are(rate, burst, ahead_ms, late_ms, lost, seed):
    rng = random.Random(seed)
    sent, between, most_between = [], 0, 0

    async def main():
        arbiter = Arbiter(now_ns, ahead_ms * 1_000_000)
        gate = Gate(Scope("key", "p/key0"), Limits(qps=rate), burst=burst)
        passage = arbiter.passage([gate])

        async def one():
            nonlocal between, most_between
            _, due_ns = await passage.enter(arbiter.next_order(), 0, Open())
            departure = Departure(passage, due_ns)
            between += 1
            most_between = max(most_between, between)
            await anyio.sleep(rng.uniform(0, late_ms) / 1e3)
            if rng.random() >= lost:
                while wait_ns := departure.claim(now_ns()):  # noqa: ASYNC110 - it waits for the time
                    await anyio.sleep(wait_ns / 1e9)
                sent.append(now_ns())
                departure.sent(sent[-1])
            between -= 1
            departure.over()
            await anyio.sleep(0.01)
            passage.leave()

        async with anyio.create_task_group() as running:
            running.start_soon(arbiter.run)
            async with anyio.create_task_group() as group:
                for _ in range(60):
                    group.start_soon(one)
            running.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    sent.sort()
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= rate * (sent[last] - sent[first] + 1) / S + burst + 1 + 1e-6
    # No more than are due ahead of time, or late, stand between the gate and the wire.
    assert most_between <= (ahead_ms + late_ms) / 1e3 * rate + burst + 2


def test_what_is_late_makes_the_next_ones_later_and_no_queue_behind_the_gate():
    pacer = Pacer(10)
    passed = []
    for _ in range(50):
        pacer.charge(pacer.ready_ns())
        pacer.expect()
        passed.append(pacer.ready_ns() - S // 10)
        pacer.sent(passed[-1] + 7_000_000)
    assert [later - sooner for sooner, later in pairwise(passed)] == [107_000_000] * 49


def test_one_that_passed_and_is_not_sent_stays_charged_and_holds_nobody_up():
    pacer = Pacer(10)
    pacer.charge(0)
    pacer.expect()
    pacer.unsent()
    assert pacer.ready_ns() == S // 10
    assert pacer.departs_ns() == 0


def test_a_request_sent_again_counts_again():
    pacer = Pacer(10)
    pacer.charge(0)
    pacer.expect()
    pacer.sent(0)
    pacer.sent(1_000_000, again=True)
    assert pacer.departs_ns() == 2 * S // 10
    assert pacer.ready_ns() == 2 * S // 10


@pytest.mark.parametrize("rate", [5.0, 20.0])
def test_a_changed_rate_holds_for_what_has_passed_already(rate):
    pacer = Pacer(10)
    pacer.charge(0)
    pacer.expect()
    pacer.sent(0)
    pacer.set_rate(S // 20, rate)
    assert pacer.departs_ns() == S // 20 + round(0.05 * 10 / rate * S)
