"""Latencies of answers as figures: means and percentiles with their intervals, and the share that is good enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from console.capacity.bounds import (
    ONE_SIDED,
    TWO_SIDED,
    mean_of,
    percentile_bounds,
    share_bounds,
    worth_above,
)
from console.records.percentile import FLOORS, enough, percentile_of_sorted
from console.vocabulary.level import Estimate
from console.vocabulary.rows import RequestRow

Samples = dict[str, list[float]]
"""Metric → its samples in ms, in the order in which the answers came."""


def latencies(answered: Sequence[RequestRow]) -> Samples:
    """Return the latencies of answers: `ttft`, `tpot`, `e2e`, and where they were due at a time `response`, `queue`."""
    samples: Samples = {
        "ttft": [row.ttft_ns / 1e6 for row in answered if row.ttft_ns is not None],
        "tpot": [tpot for row in answered if (tpot := tpot_ms(row)) is not None],
        "e2e": [row.latency_ns / 1e6 for row in answered if row.latency_ns is not None],
        "response": [],
        "queue": [],
    }
    for row in answered:
        if row.due_ns is not None and row.latency_ns is not None:
            queue_ns = row.at_ns - row.due_ns
            samples["queue"].append(queue_ns / 1e6)
            samples["response"].append((queue_ns + row.latency_ns) / 1e6)
    return {name: values for name, values in samples.items() if values}


def tpot_ms(row: RequestRow) -> float | None:
    """Return (latency - TTFT) / (output tokens - 1); None: there is only one, or nobody told how many."""
    tokens, ttft_ns, latency_ns = row.completion_tokens, row.ttft_ns, row.latency_ns
    if tokens is None or tokens < 2 or ttft_ns is None or latency_ns is None:
        return None
    return (latency_ns - ttft_ns) / (tokens - 1) / 1e6


def latency_estimates(samples: Samples) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Return what is shown, with 95 % intervals and without what is below its floor, and what rules judge by."""
    shown: dict[str, Estimate] = {}
    judged: dict[str, Estimate] = {}
    for metric, values in samples.items():
        n = len(values)
        mean = mean_of(values)
        shown[f"{metric}_mean"] = Estimate(mean.value, *mean.bounds(TWO_SIDED), n)
        judged[f"{metric}_mean"] = Estimate(mean.value, *mean.bounds(ONE_SIDED), n)
        ordered = sorted(values)
        for q in FLOORS:
            value = percentile_of_sorted(ordered, q)
            worth = worth_above(values, value)
            judged[f"{metric}_p{q}"] = Estimate(
                value, *percentile_bounds(ordered, q, worth, tail=ONE_SIDED), n
            )
            if enough(n, q):
                shown[f"{metric}_p{q}"] = Estimate(
                    value, *percentile_bounds(ordered, q, worth, tail=TWO_SIDED), n
                )
    return shown, judged


def share_estimate(successes: int, n: int) -> Estimate:
    """Return a share with its exact interval; of nothing, one that says nothing."""
    return Estimate(successes / n if n else 0.0, *share_bounds(successes, n, tail=TWO_SIDED), n)


_LIMITED: Final[Mapping[str, Callable[[RequestRow], float | None]]] = {
    "ttft": lambda row: None if row.ttft_ns is None else row.ttft_ns / 1e6,
    "tpot": lambda row: 0.0 if row.completion_tokens in (0, 1) else tpot_ms(row),
    "e2e": lambda row: None if row.latency_ns is None else row.latency_ns / 1e6,
}
"""As vLLM has it, an answer of one token meets any limit of TPOT."""


def goodput(answered: Sequence[RequestRow], limits: Sequence[tuple[str, float]]) -> Estimate | None:
    """Return the share of answers within every limit; answers of which a figure is not known are left out.

    Args:
        answered: requests that were answered in full.
        limits: names and limits in ms, as `slo.parse_goodput` returns them.
    """
    if not limits:
        return None
    known = good = 0
    for row in answered:
        figures = [(_LIMITED[name](row), limit_ms) for name, limit_ms in limits]
        if any(figure is None for figure, _ in figures):
            continue
        known += 1
        good += all(figure is not None and figure <= limit_ms for figure, limit_ms in figures)
    return share_estimate(good, known) if known else None
