"""What a chunk suffers between its arrival at this machine and our read of it, and how late the loop's timers are.

A timer descriptor becomes readable at a time that is known, and goes through the same poll and the same queue of
callbacks as the sockets of streams: how long after that time its callback runs is what data that arrived then
would have waited for. No thread takes part, so the interpreter's lock adds nothing of its own.

Times of arrival lie 10 ms apart, give or take 2 ms, so that they do not keep step with a load that comes in
beats, and none is left out: a loop that was away for 50 ms has kept five arrivals waiting, not one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Protocol

from console.llm.timerfd import TimerFd

EVERY_NS: Final = 10_000_000
JITTER_NS: Final = 2_000_000
_EARLY_NS: Final = 1_000_000
"""Timers of uvloop count whole milliseconds and may run that much early; later than due they run by up to 1 ms
for the same reason, which is left in the figure: it is five times below the least bound."""
_MOST_NS: Final = 60_000_000_000
"""Arrivals longer ago than this are not counted: the process was suspended, and did not only lag."""


class ProbeListener(Protocol):
    """Who is told the delays, in ns."""

    probe: str

    def read_delay(self, ns: int) -> None:
        """Take in what data that arrived at a known time waited for."""
        ...

    def loop_lag(self, ns: int) -> None:
        """Take in how late a timer ran."""
        ...


class Arrivals:
    """A schedule of times at which something arrives."""

    def __init__(self, start_ns: int, rng: random.Random) -> None:
        self._rng = rng
        self.next_ns = start_ns
        self._step()

    def _step(self) -> None:
        self.next_ns += EVERY_NS + self._rng.randint(-JITTER_NS, JITTER_NS)

    def delays(self, now_ns: int, *, early_ns: int = 0) -> list[int]:
        """Return for how long each arrival up to now has waited, and go on to the next one."""
        self.next_ns = max(self.next_ns, now_ns - _MOST_NS)
        waited: list[int] = []
        while self.next_ns <= now_ns + early_ns:
            waited.append(max(0, now_ns - self.next_ns))
            self._step()
        return waited


@contextmanager
def read_probe(
    listener: ProbeListener,
    now_ns: Callable[[], int] = time.perf_counter_ns,
    rng: random.Random | None = None,
) -> Generator[None]:
    """Probe the running event loop, and tell `listener`, which learns as well what the probe is.

    Without a timer descriptor (not on Linux, or `now_ns` is another clock than its own) the lateness of timers
    stands in for the delay of reads, which knows nothing of the order of events within one poll.
    """
    loop = asyncio.get_running_loop()
    rng = rng or random.Random()
    timer_fd = TimerFd.open() if now_ns is time.perf_counter_ns else None
    listener.probe = "timer" if timer_fd is None else "timerfd"
    due = Arrivals(now_ns(), rng)
    handle: asyncio.TimerHandle

    def timer_ran() -> None:
        nonlocal handle
        for delay_ns in due.delays(now_ns(), early_ns=_EARLY_NS):
            listener.loop_lag(delay_ns)
            if timer_fd is None:
                listener.read_delay(delay_ns)
        handle = loop.call_later((due.next_ns - now_ns()) / 1e9, timer_ran)

    handle = loop.call_later((due.next_ns - now_ns()) / 1e9, timer_ran)
    try:
        if timer_fd is None:
            yield
        else:
            with _watched(loop, timer_fd, Arrivals(now_ns(), rng), listener, now_ns):
                yield
    finally:
        handle.cancel()


@contextmanager
def _watched(
    loop: asyncio.AbstractEventLoop,
    timer_fd: TimerFd,
    arrivals: Arrivals,
    listener: ProbeListener,
    now_ns: Callable[[], int],
) -> Generator[None]:
    def arrived() -> None:
        for delay_ns in arrivals.delays(now_ns()):
            listener.read_delay(delay_ns)
        timer_fd.arm(arrivals.next_ns)  # which also takes the readiness away: nothing has to be read

    try:
        timer_fd.arm(arrivals.next_ns)
        loop.add_reader(timer_fd.fd, arrived)
        yield
    finally:
        loop.remove_reader(timer_fd.fd)
        timer_fd.close()
