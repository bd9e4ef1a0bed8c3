"""Load over time from when requests began and ended: exact peaks, and a curve of few points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from console.engine.gates import NS_PER_S

MOST_POINTS: Final = 400
_STEPS_S: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)


class Spans:
    """Requests, or tests, of one scope. One that took no time was refused: it was sent, and never in flight."""

    def __init__(self, starts: Sequence[int], ends: Sequence[int]) -> None:
        """Take in spans in any order; the n-th start belongs to the n-th end."""
        self.starts = sorted(starts)
        lasting = [(start, end) for start, end in zip(starts, ends, strict=True) if end > start]
        self.begins = sorted(start for start, _ in lasting)
        self.ends = sorted(end for _, end in lasting)

    def levels(self) -> Iterator[tuple[int, int]]:
        """Yield (time, how many there are from then on). What ends at a moment makes room for what begins then."""
        begins, ends = self.begins, self.ends
        index = 0
        for gone, end in enumerate(ends):
            while index < len(begins) and begins[index] < end:
                index += 1
                yield begins[index - 1], index - gone
            yield end, index - gone - 1

    @property
    def peak(self) -> int:
        """Most at once."""
        return max((level for _, level in self.levels()), default=0)

    def most_within(self, window_ns: int) -> int:
        """Return the most that began within any window of this length, wherever it begins."""
        most = first = 0
        for index, start in enumerate(self.starts):
            while start - self.starts[first] >= window_ns:
                first += 1
            most = max(most, index - first + 1)
        return most


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Load in steps of equal length."""

    in_flight: tuple[float, ...]
    """Mean over each step."""
    peak: tuple[int, ...]
    """Most at any moment of each step."""
    qps: tuple[float, ...]
    """Requests begun per second."""


def step_s(duration_s: float) -> int:
    """Return the length of a step, in round seconds, so that a curve has no more points than `MOST_POINTS`."""
    for step in _STEPS_S:
        if duration_s <= step * MOST_POINTS:
            return step
    return -int(-duration_s // (MOST_POINTS * 3600)) * 3600


def curve(spans: Spans, duration_ns: int, step_ns: int) -> Curve:
    """Return load over time; the last step may be shorter than the others."""
    points = max(1, -(-duration_ns // step_ns))
    begun = [0] * points
    for start in spans.starts:
        begun[min(points - 1, start // step_ns)] += 1
    area = [0] * points
    peak = [0] * points
    at_ns = level = 0
    for time_ns, next_level in spans.levels():
        _spread(area, peak, at_ns, time_ns, level, step_ns)
        at_ns, level = time_ns, next_level
    lengths = [min(step_ns, duration_ns - point * step_ns) for point in range(points)]
    return Curve(
        in_flight=tuple(_rounded(total, length) for total, length in zip(area, lengths, strict=True)),
        peak=tuple(peak),
        qps=tuple(_rounded(count * NS_PER_S, length) for count, length in zip(begun, lengths, strict=True)),
    )


def _spread(area: list[int], peak: list[int], begin: int, end: int, level: int, step_ns: int) -> None:
    """Enter that from `begin` to `end` so many were in flight."""
    if not level:
        return
    while begin < end:
        point = begin // step_ns
        if point >= len(area):
            return
        until = min(end, (point + 1) * step_ns)
        area[point] += level * (until - begin)
        peak[point] = max(peak[point], level)
        begin = until


def _rounded(total: int, length: int) -> float:
    return round(total / length, 3) if length > 0 else 0.0


def most_at_once(groups: Iterable[Spans]) -> int:
    """Return how many of several groups were there at the same time, at most."""
    changes: list[tuple[int, int]] = []
    for group in groups:
        for begin, end in _unions(group):
            changes += [(begin, 1), (end, -1)]
    most = now = 0
    for _, change in sorted(changes):  # at the same moment those that end come first
        now += change
        most = max(most, now)
    return most


def _unions(spans: Spans) -> Iterator[tuple[int, int]]:
    """Yield the times without a gap in which at least one was there."""
    begin = 0
    before = 0
    for time_ns, level in spans.levels():
        if level and not before:
            begin = time_ns
        elif before and not level:
            yield begin, time_ns
        before = level
