"""Live figures of a lane: rates over the last seconds, and latency quantiles with a bounded error."""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import Final

_LOG_GAMMA: Final = log(1.02)
_WINDOW_S: Final = 5


class RateMeter:
    """Units per second over the last five full seconds."""

    def __init__(self) -> None:
        self._buckets = [0.0] * (_WINDOW_S + 1)
        self._second = -1
        self._since_ns: int | None = None

    def add(self, now_ns: int, units: float = 1.0) -> None:
        """Count `units` now."""
        self._turn(now_ns)
        self._buckets[self._second % (_WINDOW_S + 1)] += units

    def per_second(self, now_ns: int) -> float:
        """Return the rate; over less than five seconds at the start."""
        self._turn(now_ns)
        if self._since_ns is None:
            return 0.0
        span = min(_WINDOW_S, (now_ns - self._since_ns) / 1e9)
        current = self._second % (_WINDOW_S + 1)
        if span < 1:
            return sum(self._buckets) / max(span, 0.2)
        return sum(units for index, units in enumerate(self._buckets) if index != current) / span

    def _turn(self, now_ns: int) -> None:
        second = now_ns // 1_000_000_000
        if second == self._second:
            return
        if self._since_ns is None:
            self._since_ns = now_ns
            self._second = second
            return
        steps = min(second - self._second, _WINDOW_S + 1)
        for step in range(steps):
            self._buckets[(second - step) % (_WINDOW_S + 1)] = 0.0
        self._second = max(second, self._second)


class LatencySketch:
    """Counts in buckets that grow by 2 %: any quantile within 1 % of its value, mergeable, no samples kept."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0

    def add(self, ns: int) -> None:
        """Count one latency."""
        bucket = int(log(ns) / _LOG_GAMMA) if ns > 0 else 0
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total += 1

    def quantile_ms(self, q: float, floor: int) -> float | None:
        """Return the quantile in ms, or None from fewer than `floor` samples."""
        return quantile_ms([self], q, floor)


def quantile_ms(sketches: Iterable[LatencySketch], q: float, floor: int) -> float | None:
    """Return the quantile over several sketches in ms, or None from fewer than `floor` samples."""
    counts: dict[int, int] = {}
    total = 0
    for sketch in sketches:
        total += sketch.total
        for bucket, count in sketch.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
    if total < floor:
        return None
    rank = q * (total - 1)
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen > rank:
            return 1.02 ** (bucket + 0.5) / 1e6
    return None
