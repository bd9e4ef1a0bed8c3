"""Which figures of a level are told, and how they follow from its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Final

import msgspec

from console.capacity.slo import Slo
from console.records.percentile import percentile
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a user wants told of a level, in the words of `vllm bench serve`."""

    metrics: tuple[str, ...] = ("ttft", "tpot", "itl")
    """Keys of `METRICS`."""
    percentiles: tuple[float, ...] = (99.0,)
    goodput: dict[str, float] = {}
    """Limit of each answer in ms: `ttft`, `tpot`, `e2e`."""
    slos: tuple[Slo, ...] = ()
    """Limits on figures of the level in its steady window."""
    metadata: dict[str, str] = {}
    """Written into the result as it is."""
    label: str | None = None
    tokenizer: str | None = None
    detailed: bool = False
    """Lists with an entry a request as well."""


def tpot_ms(row: RequestRow) -> float | None:
    """Return the time per output token behind the first, None for an answer of one or of an unknown number."""
    if (
        row.latency_ns is None
        or row.ttft_ns is None
        or row.completion_tokens is None
        or row.completion_tokens < 2
    ):
        return None
    return (row.latency_ns - row.ttft_ns) / (row.completion_tokens - 1) / 1e6


def queue_ns(row: RequestRow) -> int:
    """Return how long a request waited on our side: since it was due, or for gates where nothing was due."""
    return row.limiter_wait_ns if row.due_ns is None else row.at_ns - row.due_ns


def response_ns(row: RequestRow) -> int | None:
    """Return the time from when a request was to be sent to its last content: what a user would have waited.

    Latency from the sending alone leaves out those who wait because others are slow (coordinated omission).
    """
    return None if row.latency_ns is None else queue_ns(row) + row.latency_ns


def _one(value: float | None) -> Sequence[float]:
    return () if value is None else (value,)


def _ms(value_ns: int | None) -> Sequence[float]:
    return () if value_ns is None else (value_ns / 1e6,)


METRICS: Final[Mapping[str, Callable[[RequestRow], Sequence[float]]]] = {
    "ttft": lambda row: _ms(row.ttft_ns),
    "tpot": lambda row: _one(tpot_ms(row)),
    "itl": lambda row: [gap_ns / 1e6 for gap_ns in row.chunk_gap_ns],
    "e2el": lambda row: _ms(row.latency_ns),
    "client_queue_time": lambda row: _ms(queue_ns(row)),
    "e2el_including_client_queue": lambda row: _ms(response_ns(row)),
}
"""Name as in `--percentile-metrics` → its samples in an answer, in ms."""


def samples_of(name: str, answered: Sequence[RequestRow]) -> list[float]:
    """Return the samples of a metric."""
    of = METRICS[name]
    return [ms for row in answered for ms in of(row)]


def percentile_key(q: float) -> str:
    """Return a percentile as keys have it: `p99`, `p99.9`."""
    return f"p{int(q) if q == int(q) else q}"


def stats(name: str, ms: Sequence[float], percentiles: Sequence[float]) -> dict[str, float | None]:
    """Return the keys of one metric."""
    result: dict[str, float | None] = {
        f"mean_{name}_ms": fmean(ms) if ms else None,
        f"median_{name}_ms": percentile(ms, 50) if ms else None,
        f"std_{name}_ms": pstdev(ms) if ms else None,
    }
    for q in percentiles:
        result[f"{percentile_key(q)}_{name}_ms"] = percentile(ms, q) if ms else None
    return result


def floor_of(q: float) -> int:
    """Return the fewest samples from which a percentile is an estimate, on either side of the median.

    So many that with 99 % confidence two lie beyond it, which is the rule behind `records.percentile.FLOORS`.
    """
    beyond = min(q, 100 - q) / 100
    if beyond <= 0:
        return 1
    n = 2
    step = 1
    while _at_most_one(n + step, beyond) > 0.01:
        step *= 2
    while step:
        if _at_most_one(n + step, beyond) > 0.01:
            n += step
        step //= 2
    return n + 1


def _at_most_one(n: int, share: float) -> float:
    return (1 - share) ** n + n * share * (1 - share) ** (n - 1)


def is_good(row: RequestRow, limits_ms: Mapping[str, float]) -> bool:
    """Whether an answer is within every limit; one of a single token has no time per token to exceed."""
    if row.outcome is not Outcome.OK or row.ttft_ns is None or row.latency_ns is None:
        return False
    figures = {"ttft": row.ttft_ns / 1e6, "tpot": tpot_ms(row) or 0.0, "e2e": row.latency_ns / 1e6}
    return all(figures[name] <= limit for name, limit in limits_ms.items())


def peak_in_flight(rows: Sequence[RequestRow]) -> int:
    """Return the most requests that were in flight at one instant."""
    edges = [edge for row in rows for edge in ((row.at_ns, 1), (row.at_ns + max(1, row.total_ns or 1), -1))]
    now = peak = 0
    for _, step in sorted(edges):
        now += step
        peak = max(peak, now)
    return peak


def peak_chunks_per_s(rows: Sequence[RequestRow]) -> float:
    """Return the most chunks that came within one whole second."""
    buckets: dict[int, int] = {}
    for row in rows:
        if row.ttft_ns is None:
            continue
        at_ns = row.at_ns + row.ttft_ns
        buckets[at_ns // 10**9] = buckets.get(at_ns // 10**9, 0) + 1
        for gap_ns in row.chunk_gap_ns:
            at_ns += gap_ns
            buckets[at_ns // 10**9] = buckets.get(at_ns // 10**9, 0) + 1
    return float(max(buckets.values(), default=0))


def measured_rows(rows: Sequence[RequestRow], warm_ups: int) -> list[RequestRow]:
    """Return the rows without those of requests that warmed up: prompts are numbered, and those come first."""
    return [row for row in rows if prompt_number(row) >= warm_ups]


def prompt_number(row: RequestRow) -> int:
    """Return the number of the prompt that a request was, counted with those that warm up."""
    return int(row.test.rpartition("/")[2])
