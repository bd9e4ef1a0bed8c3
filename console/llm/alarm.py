"""Waits that end on time, for requests that keep a rate: every one that leaves late makes the next one later.

Timers of uvloop count whole milliseconds. A timer descriptor wakes whoever waits some 50 to 100 µs after a time that
is set in nanoseconds. It is set that much too early, by what wake-ups took lately, and what is then left is waited for
on the CPU: some 20 µs a request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from console.llm.timerfd import TimerFd
from console.vocabulary.chat import Departure

_FIRST_EARLY_NS: Final = 60_000
_LEAST_EARLY_NS: Final = 20_000
_MOST_EARLY_NS: Final = 150_000
_STEP_NS: Final = 2_000


class Alarm:
    """Wakes those who wait for a time, of one asyncio loop; set up when the first one comes."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Count by `now_ns`. Where it is not the clock of timer descriptors, or there are none, loops' timers serve."""
        self._now_ns = now_ns
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer_fd: TimerFd | None = None
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = 0
        self._closed = False
        self._early_ns = _FIRST_EARLY_NS
        """What half of the wake-ups took at most: every one moves it a step towards its own."""

    async def until_due(self, departure: Departure) -> None:
        """Wait until a request may leave."""
        now_ns = self._now_ns
        while wait_ns := departure.wait_ns(asked_ns := now_ns()):
            due_ns = asked_ns + wait_ns
            if wait_ns > self._early_ns:
                await self._until(woken_ns := due_ns - self._early_ns)
                self._learn(now_ns() - woken_ns)
            while now_ns() < due_ns:
                pass

    def close(self) -> None:
        """Let go of the descriptor; who waits still is woken at once."""
        self._closed = True
        self._ring(1 << 62)
        if self._timer_fd is not None and self._loop is not None:
            self._loop.remove_reader(self._timer_fd.fd)
            self._timer_fd.close()
            self._timer_fd = None

    async def _until(self, at_ns: int) -> None:
        if self._loop is None:
            self._set_up()
        if self._timer_fd is None:
            await asyncio.sleep((at_ns - self._now_ns()) / 1e9)
            return
        assert self._loop is not None
        future = self._loop.create_future()
        self._number += 1
        entry = (at_ns, self._number, future)
        heappush(self._waiting, entry)
        if self._waiting[0] is entry:
            self._timer_fd.arm(at_ns)
        await future

    def _learn(self, late_ns: int) -> None:
        step_ns = _STEP_NS if late_ns > self._early_ns else -_STEP_NS
        self._early_ns = min(max(self._early_ns + step_ns, _LEAST_EARLY_NS), _MOST_EARLY_NS)

    def _set_up(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._now_ns is time.perf_counter_ns and not self._closed:
            self._timer_fd = TimerFd.open()
        if self._timer_fd is not None:
            self._loop.add_reader(self._timer_fd.fd, self._rang)

    def _rang(self) -> None:
        self._ring(self._now_ns())
        if self._timer_fd is not None:
            # Which also takes the readiness away: nothing has to be read.
            self._timer_fd.arm(self._waiting[0][0] if self._waiting else 1 << 62)

    def _ring(self, now_ns: int) -> None:
        waiting = self._waiting
        while waiting and (waiting[0][0] <= now_ns or waiting[0][2].done()):
            future = heappop(waiting)[2]
            if not future.done():
                future.set_result(None)
