"""A histogram for people: a few buckets with round edges, out of many logarithmic ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Final

from console.vocabulary.log_buckets import middle_ms

MOST_EDGES: Final = 12
_STEPS: Final[tuple[tuple[float, ...], ...]] = (
    (1, 1.1, 1.2, 1.35, 1.5, 1.65, 1.8, 2, 2.2, 2.5, 2.75, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9),
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    (1, 1.5, 2, 3, 5, 7),
    (1, 2, 5),
    (1, 3),
    (1,),
)
"""Edges within a decade, the finest first."""
_OUTSIDE: Final = 0.01
"""Part of the values at each end that need no bucket of their own."""


def histogram(counts: Mapping[int, int]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return upper edges in ms, at most twelve, and one count more than edges: the last bucket has none.

    Edges are the finest round ones of which twelve reach over all but the outermost values, so that what differs
    is told apart whether answers take 50 ms or 50 s. Nothing counted: no edges, no counts.
    """
    values = sorted((middle_ms(bucket), count) for bucket, count in counts.items() if count > 0)
    if not values:
        return (), ()
    low_ms, high_ms = _inner(values)
    edges = _edges(low_ms, high_ms)
    filled = [0] * (len(edges) + 1)
    for ms, count in values:
        filled[bisect_left(edges, ms)] += count
    return tuple(edges), tuple(filled)


def _inner(values: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """Return the least and the greatest value but for the outermost ones."""
    spare = _OUTSIDE * sum(count for _, count in values)

    def first(ordered: Sequence[tuple[float, int]]) -> float:
        seen = 0
        for ms, count in ordered:
            seen += count
            if seen > spare:
                return ms
        return ordered[-1][0]

    return first(values), first(values[::-1])


def _edges(low_ms: float, high_ms: float) -> list[float]:
    edges: list[float] = []
    for steps in _STEPS:
        edges = _between(steps, low_ms, high_ms)
        if len(edges) <= MOST_EDGES:
            break
    return edges[-MOST_EDGES:]


def _between(steps: Sequence[float], low_ms: float, high_ms: float) -> list[float]:
    """Return the edges from the first one at `low_ms` or above to the first one at `high_ms` or above."""
    edges: list[float] = []
    decade = floor(log10(low_ms))
    while True:
        for step in steps:
            edge = float(f"{step * 10.0**decade:.3g}")
            if edge >= low_ms:
                edges.append(edge)
            if edge >= high_ms:
                return edges
        decade += 1
