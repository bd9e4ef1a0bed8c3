"""Percentiles, and how many samples each needs before it may be shown.

The floors are those of MLPerf's early stopping (99 % confidence): with fewer samples the percentile is not an
estimate but a guess, so it is n/a and says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

FLOORS: Final = {50: 11, 90: 64, 95: 130, 99: 662}
"""Percentile → fewest samples (`loadtest-peers.md` §6.1)."""


def percentile(values: Sequence[float], q: float) -> float:
    """Return the `q`-th percentile (0 … 100) with linear interpolation, as numpy does by default.

    Args:
        values: samples in any order.
        q: percentage, such as 95.

    Raises:
        ValueError: if there are no values, or `q` is not in 0 … 100.
    """
    return percentile_of_sorted(sorted(values), q)


def percentile_of_sorted(ordered: Sequence[float], q: float) -> float:
    """Return the `q`-th percentile of samples that are in order, as `percentile` does."""
    if not ordered:
        raise ValueError("a percentile of no values")
    if not 0 <= q <= 100:
        raise ValueError(f"{q!r} is not a percentage")
    place = (len(ordered) - 1) * q / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    part = place - low
    # As numpy: from the nearer end, so that the result is exact at both ends and monotone in between.
    if part < 0.5:
        return ordered[low] + (ordered[high] - ordered[low]) * part
    return ordered[high] - (ordered[high] - ordered[low]) * (1 - part)


def enough(n: int, q: int) -> bool:
    """Whether `n` samples reach the floor of the `q`-th percentile."""
    return n >= FLOORS[q]


def shortfall(n: int, q: int) -> str:
    """Say why the `q`-th percentile of `n` samples is not shown: `n/a (n=12 < 130)`."""
    return f"n/a (n={n} < {FLOORS[q]})"
