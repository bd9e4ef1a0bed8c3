"""Gates hold their limits at every instant, hand slots out in order, and lose none under cancellation."""

from __future__ import annotations

import random

import anyio
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples
from trio.testing import MockClock

from console.engine.gates import Gate, Pacer
from console.engine.slots import Slots
from console.engine.valve import Valve
from console.vocabulary.lane import Limits, Scope


def virtual(function, *arguments):
    """Run on trio's clock, which jumps when everybody sleeps."""
    return trio.run(function, *arguments, clock=MockClock(autojump_threshold=0))


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


@given(
    rate=st.floats(0.5, 200),
    burst=st.integers(0, 5),
    arrivals=st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
@settings(max_examples=examples(60), deadline=None)
def test_a_pacer_passes_at_most_rate_times_window_plus_burst_plus_one(rate, burst, arrivals):
    pacer = Pacer(rate, burst)
    now, passed = 0, []
    for gap in arrivals:
        now = max(now + int(gap * 1e8), pacer.ready_ns())
        pacer.charge(now)
        passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            window_s = (passed[last] - passed[first]) / 1e9
            assert last - first + 1 <= rate * window_s + burst + 1 + 1e-6


def test_slots_are_handed_out_first_come_first_served_and_a_lowered_limit_never_preempts():
    order = []

    async def main():
        slots = Slots(2)

        async def hold(name, seconds):
            await slots.acquire()
            order.append(name)
            await anyio.sleep(seconds)
            slots.release()

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(hold, number, 1.0)
                await anyio.sleep(0.001)
            await anyio.sleep(0.1)
            assert slots.in_use == 2
            slots.set_limit(1)
            assert slots.in_use == 2
            await anyio.sleep(1.0)
            assert slots.in_use == 1
        assert slots.in_use == 0

    virtual(main)
    assert order == [0, 1, 2, 3, 4]


@given(seed=st.integers(0, 2**32), limit=st.integers(1, 4))
@settings(max_examples=examples(40), deadline=None)
def test_every_slot_comes_back_under_cancellation_at_any_point(seed, limit):
    rng = random.Random(seed)

    async def main():
        slots = Slots(limit)
        peak = 0

        async def hold(patience, seconds):
            nonlocal peak
            with anyio.move_on_after(patience):
                await slots.acquire()
                try:
                    peak = max(peak, slots.in_use)
                    await anyio.sleep(seconds)
                finally:
                    slots.release()

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(hold, rng.uniform(0, 3), rng.uniform(0, 1))
                if rng.random() < 0.5:
                    await anyio.sleep(rng.uniform(0, 0.5))
        assert slots.in_use == 0
        assert slots.waiting == 0
        assert peak <= limit

    virtual(main)


def test_a_rate_that_is_changed_holds_from_now_on():
    pacer = Pacer(10)
    pacer.charge(0)
    pacer.charge(0)
    assert pacer.ready_ns() == 200_000_000
    pacer.set_rate(100_000_000, 100)
    assert pacer.ready_ns() == 110_000_000  # one unit is owed, at the new rate
    pacer.set_rate(100_000_000, 1)
    assert pacer.ready_ns() == 1_100_000_000


def test_a_gate_is_retuned_while_it_has_requests_in_flight():
    gate = Gate(Scope("lane", "l"), Limits())
    assert gate.unlimited
    gate.enter(0, 100)
    gate.retune(0, most=1, per_second=None, tokens_per_second=None)
    assert not gate.has_room
    gate.retune(0, most=2, per_second=10, tokens_per_second=50)
    assert gate.has_room
    assert gate.paces
    gate.enter(0, 100)
    assert gate.ready_ns() == 1_000_000_000  # 100 tokens at 50/s, of which a second's worth may pass at once
    gate.retune(0, most=None, per_second=None, tokens_per_second=None)
    assert gate.unlimited


def test_a_valve_opens_only_when_every_reason_is_gone():
    async def main():
        valve = Valve()
        valve.close("pause")
        valve.close("disk")
        passed = []

        async def wait():
            await valve.wait()
            passed.append(now_ns())

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(1)
            valve.open("pause")
            await anyio.sleep(1)
            assert not passed
            valve.open("disk")
        assert passed == [2_000_000_000]

    virtual(main)
