"""Live figures of a lane: rates over the last seconds, and latency quantiles with a bounded error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from console.vocabulary import log_buckets
from console.vocabulary.log_buckets import bucket_of

_WINDOW_S: Final = 5


class RateMeter:
    """Units per second over the last five full seconds."""

    def __init__(self) -> None:
        self._buckets = [0.0] * (_WINDOW_S + 1)
        self._second = -1
        self.total = 0.0
        """Units in all."""
        self._since_ns: int | None = None

    def add(self, now_ns: int, units: float = 1.0) -> None:
        """Count `units` now."""
        if now_ns // 1_000_000_000 != self._second:
            self._turn(now_ns)
        self._buckets[self._second % (_WINDOW_S + 1)] += units
        self.total += units

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
    """Latencies in logarithmic buckets."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def add(self, ns: int) -> None:
        """Count one latency."""
        bucket = bucket_of(ns)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def quantile_ms(self, q: float, floor: int) -> float | None:
        """Return the quantile in ms, or None from fewer than `floor` samples."""
        return log_buckets.quantile_ms(self.counts, q, floor)


def quantile_ms(sketches: Iterable[LatencySketch], q: float, floor: int) -> float | None:
    """Return the quantile over several sketches in ms, or None from fewer than `floor` samples."""
    return log_buckets.quantile_ms(log_buckets.merged(sketch.counts for sketch in sketches), q, floor)
