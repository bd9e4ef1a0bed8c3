"""Intervals for shares and means, and tests of paired answers: plain formulas with their sources, no library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

Interval = tuple[float, float]

CONFIDENCE: Final = 0.95
_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
FEWEST_SCORES: Final = 10
"""Below so many scores the interval of their mean is not shown: it rests on the mean being about normal."""
FEWEST_PAIRS: Final = 10
"""Below so many pairs nothing is said of a difference: its interval would be wider than it is worth."""


def wilson(successes: int, n: int) -> Interval | None:
    """Return the score interval of a share (Wilson 1927; Newcombe 1998, Stat. Med. 17:857, method 3).

    It holds its level for few tests and for shares near 0 and 1, where the usual one does not.

    Returns:
        None for a share of nothing.
    """
    if n == 0:
        return None
    z2 = _Z * _Z
    share = successes / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if successes == 0 else middle - half  # exact at the ends, where rounding would leave 1e-18
    high = 1.0 if successes == n else middle + half
    return low, high


def mean_interval(mean: float, deviation: float, n: int) -> Interval | None:
    """Return Student's interval of a mean of scores 0 … 1, kept within that range.

    Args:
        mean: of the scores.
        deviation: of the sample (with n - 1).
        n: how many there are.

    Returns:
        None for fewer than `FEWEST_SCORES`, and where all are equal: that is no reason to be certain.
    """
    if n < FEWEST_SCORES or deviation <= 0:
        return None
    half = student_quantile(n - 1) * deviation / math.sqrt(n)
    return max(0.0, mean - half), min(1.0, mean + half)


def student_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t by the expansion of Abramowitz and Stegun 26.7.5.

    From nine degrees of freedom on it is right to four digits.
    """
    z, v = _Z, float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / v**power for power, term in enumerate(terms, start=1))


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test: a binomial of the pairs that differ, one half each way.

    Summed from the largest term down, so that any number of pairs takes no more than a few thousand steps.
    """
    n, least = only_first + only_second, min(only_first, only_second)
    if 2 * least == n:
        return 1.0
    largest = math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2)
    term = total = 1.0
    for k in range(least, 0, -1):
        term *= k / (n - k + 1)
        total += term
        if term < 1e-17 * total:
            break
    return min(1.0, 2 * math.exp(largest) * total)


def paired_difference(only_first: int, only_second: int, pairs: int) -> tuple[float, Interval]:
    """Return the share under the second condition less that under the first, and its interval.

    The interval is Wald's with half a pair added to each of the four cells (Agresti and Min 2005, Stat. Med.
    24:729): it holds its level on average, also where no pair differs.
    """
    b, c, n = only_first + 0.5, only_second + 0.5, pairs + 2
    middle = (c - b) / n
    half = _Z * math.sqrt(b + c - (c - b) ** 2 / n) / n
    return (only_second - only_first) / pairs, (max(-1.0, middle - half), min(1.0, middle + half))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number, in their order (Holm 1979): the smallest times n, the next times n - 1 …"""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(order):
        reached = max(reached, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = reached
    return adjusted
