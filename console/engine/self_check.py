"""What this engine process measures of itself, over the last seconds and for the journal; has no clock of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from console.vocabulary.client_health import ClientMeasure, merged_measures
from console.vocabulary.log_buckets import add_counts, bucket_of

RECENT_S: Final = 10
"""How far back live figures look, in turns of a second."""


class SelfCheck:
    """Counts delays that are ours. The probe and the engine tell them; whoever watches turns the seconds.

    Delays of the event loop count only while a request is in flight: what nobody waited for changes no latency,
    and idle time would hide what happened in the busy part of a run.
    """

    def __init__(
        self, cpu_ns: Callable[[], int] | None = None, waited_ns: Callable[[], int] | None = None
    ) -> None:
        """Measure nothing yet.

        Args:
            cpu_ns: CPU time of the process; None: there is no probe, as on virtual time, and no verdict.
            waited_ns: for how long the event loop was kept from a CPU, where that is known.
        """
        self._cpu_ns = cpu_ns
        self._waited_ns = waited_ns
        self.probe = ""
        """What stands in for arriving data, such as `timerfd`."""
        self.heard: Callable[[ClientMeasure], None] | None = None
        """Told of every second that is over."""
        self.in_flight = 0
        """Requests whose latencies our delays would be part of."""
        self._read_delay: dict[int, int] = {}
        self._loop_lag: dict[int, int] = {}
        self._schedule_delay: dict[int, int] = {}
        self._others = (0.0, 0.0)
        """CPU and waiting of the busiest other process of the same client, in seconds per second."""
        self._recent: deque[ClientMeasure] = deque(maxlen=RECENT_S)
        self._unwritten: list[ClientMeasure] = []
        self._turned_ns: int | None = None
        self._turned_cpu_ns = 0
        self._turned_waited_ns = 0

    @property
    def probed(self) -> bool:
        """Whether anything measures."""
        return self._cpu_ns is not None

    def read_delay(self, ns: int) -> None:
        """Count what data waited for between its arrival and our read."""
        if self.in_flight:
            _count(self._read_delay, ns)

    def loop_lag(self, ns: int) -> None:
        """Count how late a timer ran."""
        if self.in_flight:
            _count(self._loop_lag, ns)

    def schedule_delay(self, ns: int) -> None:
        """Count how much later than it might have been a request was sent."""
        _count(self._schedule_delay, ns)

    def absorb(self, measure: ClientMeasure) -> None:
        """Take in what another process of the same client measured in a second: its delays, and its CPU if it is more."""
        for counts, others in (
            (self._read_delay, measure.read_delay),
            (self._loop_lag, measure.loop_lag),
            (self._schedule_delay, measure.schedule_delay),
        ):
            add_counts(counts, others)
        if measure.wall_ns > 0:
            self._others = max(
                self._others, (measure.cpu_ns / measure.wall_ns, measure.waited_ns / measure.wall_ns)
            )

    def turn(self, now_ns: int) -> None:
        """End a second, however long it was; the first turn begins the first one."""
        cpu_ns = self._cpu_ns() if self._cpu_ns is not None else 0
        waited_ns = self._waited_ns() if self._waited_ns is not None else 0
        if self._turned_ns is not None:
            wall_ns = now_ns - self._turned_ns
            busiest_ns, its_wait_ns = (int(share * wall_ns) for share in self._others)
            second = ClientMeasure(
                read_delay=self._read_delay,
                loop_lag=self._loop_lag,
                schedule_delay=self._schedule_delay,
                cpu_ns=max(cpu_ns - self._turned_cpu_ns, busiest_ns),
                waited_ns=max(waited_ns - self._turned_waited_ns, its_wait_ns),
                wall_ns=wall_ns,
            )
            self._recent.append(second)
            self._unwritten.append(second)
            if self.heard is not None:
                self.heard(second)
        self._read_delay, self._loop_lag, self._schedule_delay = {}, {}, {}
        self._others = (0.0, 0.0)
        self._turned_ns, self._turned_cpu_ns, self._turned_waited_ns = now_ns, cpu_ns, waited_ns

    def recent(self) -> ClientMeasure:
        """Return what the last ten seconds measured."""
        return merged_measures(self._recent)

    def take(self) -> ClientMeasure:
        """Return what the seconds since the last call measured: every one goes into exactly one row."""
        taken = merged_measures(self._unwritten)
        self._unwritten.clear()
        return taken


def _count(counts: dict[int, int], ns: int) -> None:
    bucket = bucket_of(ns)
    counts[bucket] = counts.get(bucket, 0) + 1
