"""Samples as figures: means and percentiles of latencies, shares and rates, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from console.capacity.bounds import (
    FEWEST,
    ONE_SIDED,
    TWO_SIDED,
    mean_of,
    percentile_bounds,
    share_bounds,
    worth_above,
)
from console.records.percentile import FLOORS, enough, percentile_of_sorted
from console.vocabulary.level import Estimate

_WORTH_AT: Final = (50, 90)
"""Percentiles at which one asks what neighbours have in common; those above have it from p90."""


def latency_estimates(
    samples: Mapping[str, Sequence[float]],
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Return what is shown, with 95 % intervals and without what is below its floor, and what rules judge by.

    Args:
        samples: metric -> its samples in ms, in the order in which answers came; those without any are left out.
    """
    shown: dict[str, Estimate] = {}
    judged: dict[str, Estimate] = {}
    for metric, values in samples.items():
        n = len(values)
        if not n:
            continue
        mean = mean_of(values)
        shown[f"{metric}_mean"] = Estimate(mean.value, *mean.bounds(TWO_SIDED), n)
        judged[f"{metric}_mean"] = Estimate(mean.value, *mean.bounds(ONE_SIDED), n)
        ordered = sorted(values)
        worth = float(n)
        for q in FLOORS:
            value = percentile_of_sorted(ordered, q)
            if q in _WORTH_AT:
                worth = worth_above(values, value)
            name = f"{metric}_p{q}"
            judged[name] = Estimate(value, *percentile_bounds(ordered, q, worth, tail=ONE_SIDED), n)
            if enough(n, q):
                shown[name] = Estimate(value, *percentile_bounds(ordered, q, worth, tail=TWO_SIDED), n)
    return shown, judged


def share_estimate(successes: int, n: int) -> Estimate:
    """Return a share with its exact interval; of nothing, one that says nothing."""
    return Estimate(successes / n if n else 0.0, *share_bounds(successes, n, tail=TWO_SIDED), n)


def rate_estimate(amounts: Sequence[float], seconds: float, answers: int) -> Estimate:
    """Return how much came per second, with an interval by the means of equal slices (batch means).

    Args:
        amounts: what came in each slice.
        seconds: of all of them.
        answers: how many requests stand behind it; from few there is no interval.
    """
    slice_s = seconds / len(amounts)
    mean = mean_of(amounts)
    low, high = mean.bounds(TWO_SIDED) if answers >= FEWEST else (None, None)
    return Estimate(
        mean.value / slice_s,
        None if low is None else max(0.0, low / slice_s),
        None if high is None else high / slice_s,
        answers,
    )
