"""Gates hold their limits at every instant, hand slots out in order, and lose none under cancellation."""

from __future__ import annotations

import random

import anyio
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from console.engine.gates import Gate, Pacer, Passage, Slots, Valve
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
@settings(max_examples=60, deadline=None)
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
@settings(max_examples=40, deadline=None)
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


@given(
    seed=st.integers(0, 2**32),
    lane_qps=st.floats(1, 20),
    key_qps=st.floats(1, 20),
    key_slots=st.integers(1, 5),
    requests=st.integers(1, 40),
)
@settings(max_examples=40, deadline=None)
def test_two_lanes_on_one_key_hold_its_rate_and_slots_together(seed, lane_qps, key_qps, key_slots, requests):
    rng = random.Random(seed)
    sent: dict[str, list[int]] = {"a": [], "b": []}
    in_flight = peak = 0

    async def main():
        key = Gate(Scope("key", "p/key0"), Limits(workers=key_slots, qps=key_qps))
        lanes = {
            name: Passage([key, Gate(Scope("lane", name), Limits(qps=lane_qps))], now_ns)
            for name in ("a", "b")
        }

        async def one(name):
            nonlocal in_flight, peak
            with anyio.move_on_after(rng.uniform(0.5, 30)):
                assert await lanes[name].enter(1.0, lambda: True)
                sent[name].append(now_ns())
                in_flight += 1
                peak = max(peak, in_flight)
                try:
                    await anyio.sleep(rng.uniform(0, 1))
                finally:
                    in_flight -= 1
                    lanes[name].leave()

        async with anyio.create_task_group() as group:
            for _ in range(requests):
                group.start_soon(one, rng.choice("ab"))
        assert key.slots is not None
        assert key.slots.in_use == 0

    virtual(main)
    assert peak <= key_slots
    for times, rate in (
        (sent["a"], lane_qps),
        (sent["b"], lane_qps),
        (sorted(sent["a"] + sent["b"]), key_qps),
    ):
        for first in range(len(times)):
            for last in range(first, len(times)):
                assert last - first + 1 <= rate * (times[last] - times[first]) / 1e9 + 1 + 1e-6


def test_a_gate_reaches_its_rate_when_there_is_work():
    async def main():
        passage = Passage([Gate(Scope("lane", "l"), Limits(qps=10))], now_ns)
        for _ in range(101):
            await passage.enter(0, lambda: True)
            passage.leave()
        return now_ns()

    assert virtual(main) == pytest.approx(10e9, rel=1e-6)


def test_tokens_per_minute_hold_by_estimate_and_by_actual_usage():
    async def pace(by_estimate):
        gate = Gate(Scope("lane", "l"), Limits(tpm=6000), tokens_by_estimate=by_estimate)
        passage = Passage([gate], now_ns)
        for _ in range(11):
            await passage.enter(1000, lambda: True)
            passage.leave(1000, 500)
        return now_ns() / 1e9

    # Ten requests of 1,000 tokens at 100 tokens/s; the first second's worth may pass at once.
    assert virtual(pace, True) == pytest.approx(99, abs=0.1)
    assert virtual(pace, False) == pytest.approx(49, abs=0.1)


def test_a_closed_passage_holds_nothing():
    async def main():
        gate = Gate(Scope("key", "k"), Limits(workers=1, qps=1))
        passage = Passage([gate], now_ns)
        assert not await passage.enter(0, lambda: False)
        assert gate.slots is not None
        assert gate.slots.in_use == 0
        assert await passage.enter(0, lambda: True)
        assert now_ns() == 0  # the refused one was not charged

    virtual(main)


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


def test_a_server_that_sends_no_usage_or_nonsense_does_not_lift_a_token_limit():
    async def pace(used):
        passage = Passage([Gate(Scope("lane", "l"), Limits(tpm=6000), tokens_by_estimate=False)], now_ns)
        for _ in range(11):
            await passage.enter(1000, lambda: True)
            passage.leave(1000, used)
        return now_ns() / 1e9

    assert virtual(pace, None) == pytest.approx(99, abs=0.1)
    assert virtual(pace, 2.0**80) < 10 * 2_000_000 / 100 + 1000
