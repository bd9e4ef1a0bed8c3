"""What lasted, summed up over time: requests in flight, tokens as they were made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

GRID_NS: Final = 50_000_000
"""Distance of the edges where sums are exact; between them they are taken to rise evenly."""


class Grid:
    """How much of many spans had come up to any moment.

    What had come is a sum of straight lines. Each is noted where it begins to rise and where it ceases to, so that a
    span costs the same however long it is, and sums over the notes give the whole at any edge.
    """

    def __init__(self, begun_ns: int) -> None:
        """Count from `begun_ns`; what was before it counts as at it."""
        self._begun_ns = begun_ns
        self._rises: list[float] = []
        self._shifts: list[float] = []

    def add(self, begin_ns: int, end_ns: int, amount: float) -> None:
        """Let `amount` have come evenly from `begin_ns` to `end_ns`; all at once where they are equal."""
        begin, end = begin_ns - self._begun_ns, end_ns - self._begun_ns
        if begin < 0:
            begin, end = 0, max(0, end)
        if end <= begin:
            end = begin + 1
        rate = amount / (end - begin)
        last = end // GRID_NS + 1
        rises, shifts = self._rises, self._shifts
        if last >= len(rises):
            more = [0.0] * (last + 1 - len(rises))
            rises += more
            shifts += more
        first = begin // GRID_NS + 1
        rises[first] += rate
        shifts[first] += rate * begin
        rises[last] -= rate
        shifts[last] -= rate * end

    def between(self, edges_ns: Sequence[float]) -> list[float]:
        """Return how much came between each edge and the next; they ascend."""
        sums = self._up_to([(edge_ns - self._begun_ns) / GRID_NS for edge_ns in edges_ns])
        return [max(0.0, later - earlier) for earlier, later in pairwise(sums)]

    def _up_to(self, places: Sequence[float]) -> list[float]:
        rise = shift = 0.0
        counted = 0
        found: list[float] = []
        for place in places:
            edge = max(0, int(place))
            rise += sum(self._rises[counted : edge + 1])
            shift += sum(self._shifts[counted : edge + 1])
            counted = max(counted, edge + 1)
            here = rise * edge * GRID_NS - shift
            if edge + 1 < len(self._rises):
                next_rise, next_shift = rise + self._rises[edge + 1], shift + self._shifts[edge + 1]
            else:
                next_rise, next_shift = rise, shift
            there = next_rise * (edge + 1) * GRID_NS - next_shift
            found.append(here + (there - here) * max(0.0, place - edge))
        return found
