"""The probe sees what the loop keeps waiting: lower bounds on a real loop, everything else without a clock."""

from __future__ import annotations

import asyncio
import os
import random
import time

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from console.llm.read_probe import EVERY_NS, JITTER_NS, Arrivals, read_probe
from console.llm.timerfd import TimerFd

MS = 1_000_000
RUNNERS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
NO_TIMERFD = TimerFd.open() is None


class Delays:
    def __init__(self) -> None:
        self.probe = ""
        self.read: list[int] = []
        self.lag: list[int] = []

    def read_delay(self, ns: int) -> None:
        self.read.append(ns)

    def loop_lag(self, ns: int) -> None:
        self.lag.append(ns)


async def blocked(delays: Delays, clock=time.perf_counter_ns) -> None:
    """Block the loop for 60 ms, then let the probe run."""
    with read_probe(delays, clock):
        await asyncio.sleep(0.03)
        delays.read.clear()
        delays.lag.clear()
        time.sleep(0.06)  # noqa: ASYNC251 - blocking is what is tested
        await asyncio.sleep(0.03)


@pytest.mark.skipif(NO_TIMERFD, reason="this system has no timerfd")
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_blocked_loop_is_seen_by_arrivals_and_by_timers(runner):
    delays = Delays()
    RUNNERS[runner](blocked(delays))
    assert delays.probe == "timerfd"
    assert max(delays.read) >= 40 * MS
    assert max(delays.lag) >= 40 * MS
    # Every arrival of the blocked time counts, not only the first of them.
    assert len([ns for ns in delays.read if ns > 0]) >= 60 * MS // (EVERY_NS + JITTER_NS)


@pytest.mark.parametrize("runner", RUNNERS)
def test_without_a_timer_descriptor_timers_stand_in_and_the_probe_says_so(runner, monkeypatch):
    monkeypatch.setattr(TimerFd, "open", classmethod(lambda cls: None))
    delays = Delays()
    RUNNERS[runner](blocked(delays))
    assert delays.probe == "timer"
    assert delays.read == delays.lag
    assert max(delays.read) >= 40 * MS


def test_another_clock_than_the_kernels_has_no_arrivals_that_are_known():
    delays = Delays()
    asyncio.run(blocked(delays, lambda: time.perf_counter_ns() + 5))
    assert delays.probe == "timer"


@pytest.mark.skipif(NO_TIMERFD, reason="this system has no timerfd")
def test_a_probe_leaves_no_descriptor_and_no_timer_behind():
    async def probe_twice() -> tuple[set[str], set[str], int]:
        before = set(os.listdir("/proc/self/fd"))
        delays = Delays()
        for _ in range(2):
            with read_probe(delays):
                await asyncio.sleep(0.02)
        heard = len(delays.read) + len(delays.lag)
        await asyncio.sleep(0.05)
        return before, set(os.listdir("/proc/self/fd")), len(delays.read) + len(delays.lag) - heard

    before, after, heard_later = asyncio.run(probe_twice())
    assert after <= before
    assert heard_later == 0


@given(st.lists(st.integers(min_value=0, max_value=10**9), max_size=30), st.integers())
def test_arrivals_come_evenly_and_none_is_left_out_however_late_one_looks(steps, seed):
    arrivals = Arrivals(0, random.Random(seed))
    now_ns = 0
    times: list[int] = []
    for step in steps:
        now_ns += step
        times += [now_ns - delay for delay in arrivals.delays(now_ns)]
        assert arrivals.next_ns > now_ns
    gaps = [late - early for early, late in zip([0, *times], times, strict=False)]
    assert all(EVERY_NS - JITTER_NS <= gap <= EVERY_NS + JITTER_NS for gap in gaps)


def test_a_machine_that_slept_for_an_hour_is_not_an_hour_of_delays():
    arrivals = Arrivals(0, random.Random(0))
    delays = arrivals.delays(3_600_000 * MS)
    assert len(delays) < 10_000
    assert max(delays) <= 60_000 * MS


def test_timers_that_run_early_are_on_time():
    arrivals = Arrivals(0, random.Random(0))
    first_ns = arrivals.next_ns
    assert arrivals.delays(first_ns - MS // 2) == []
    assert arrivals.delays(first_ns - MS // 2, early_ns=MS) == [0]
