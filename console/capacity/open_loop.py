"""What an open loop adds to the measurement of a level: how much was due, and whether requests wait ever longer."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev
from typing import Final

from console.capacity.steady import Window
from console.vocabulary.level import Estimate
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

_PART: Final = 4
"""The first and the last quarter of a window are compared."""
_FEWEST: Final = 5
_Z: Final = 1.959964
_Z_CERTAIN: Final = 2.575829
"""Waits of neighbours are alike, so that 99 % by the formula is less."""


def achieved(
    rows: Iterable[RequestRow], due_ns: Sequence[int], window: Window, rate: float, in_flight: float
) -> Estimate | None:
    """Return how many requests per second are answered at `rate`, by the share of those due that was answered.

    Arrivals are exact, so what chance is left is how many are in the system at both ends of the window: about the
    square root of their number each. Counting answers alone would add the chance of arrivals to it.

    Args:
        rows: of the level.
        due_ns: when prompts were due, in order; those that were never sent as well.
        window: what counts.
        rate: that was asked for.
        in_flight: mean of the window.

    Returns:
        None where nothing was due.
    """
    due = bisect_left(due_ns, window.to_ns) - bisect_left(due_ns, window.from_ns)
    answered = sum(
        row.outcome is Outcome.OK and window.from_ns <= row.at_ns + (row.total_ns or 0) < window.to_ns
        for row in rows
    )
    if due <= 0:
        return None
    share = answered / due
    half = _Z * math.sqrt(2 * max(1.0, in_flight)) / due
    return Estimate(rate * share, max(0.0, rate * (share - half)), rate * (share + half), answered)


def queue_growth(rows: Iterable[RequestRow], window: Window) -> Estimate | None:
    """Return by how many ms longer requests wait to be sent at the end of a window than at its start.

    Returns:
        None from too few requests.
    """
    part_ns = (window.to_ns - window.from_ns) / _PART
    first: list[float] = []
    last: list[float] = []
    for row in rows:
        if row.due_ns is None or not window.from_ns <= row.due_ns < window.to_ns:
            continue
        waited_ms = (row.at_ns - row.due_ns) / 1e6
        if row.due_ns < window.from_ns + part_ns:
            first.append(waited_ms)
        elif row.due_ns >= window.to_ns - part_ns:
            last.append(waited_ms)
    if min(len(first), len(last)) < _FEWEST:
        return None
    growth = fmean(last) - fmean(first)
    half = _Z_CERTAIN * math.hypot(_error(first), _error(last))
    return Estimate(growth, growth - half, growth + half, len(first) + len(last))


def _error(values: Sequence[float]) -> float:
    return stdev(values) / math.sqrt(len(values))
