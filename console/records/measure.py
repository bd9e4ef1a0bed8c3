"""From the table of requests to figures: one pass for each way of grouping. Definitions: `summary_types`."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from console.records.chunk_gaps import GapDistributions
from console.records.distributions import QUANTILES, Found, distribution, wait
from console.records.summary_types import Distribution, GroupSummary, TestCounts
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome, Verdict

LANE: Final = ("provider", "model", "deployment", "key")
MODEL: Final = ("model",)
GROUPINGS: Final[dict[str, tuple[str, ...]]] = {
    "per_model": MODEL,
    "per_lane": LANE,
    "per_key": ("provider", "key"),
    "per_deployment": ("provider", "deployment"),
}
NEEDED: Final = (
    *LANE,
    "session",
    "test",
    "since_first_ns",
    "outcome",
    "limiter_wait_ns",
    "held_ns",
    "retry_wait_ns",
    "ttft_ns",
    "latency_ns",
    "total_ns",
    "tpot_ns",
    "chunks",
    "prompt_tokens",
    "completion_tokens",
    "stream",
    "simulated",
)
"""The columns of requests that are held in memory; the chunk gaps are not."""
TESTS_NEEDED: Final = (*LANE, "test", "verdict", "score", "reused_from")
"""The same of tests."""
_ALL: Final = "_all"
_NS_PER_S: Final = 1e9
_OK = pl.col("outcome") == str(Outcome.OK)
_DURATIONS: Final[dict[str, pl.Expr]] = {
    "ttft": pl.col("ttft_ns").filter(_OK & pl.col("stream")),
    "tpot": pl.col("tpot_ns").filter(_OK & pl.col("stream")),
    "e2e": pl.col("latency_ns").filter(_OK),
    "limiter_wait": pl.col("limiter_wait_ns"),
    "held_wait": pl.col("held_ns"),
    "retry_wait": pl.col("retry_wait_ns"),
}

Key = tuple[str, ...]


def group_summaries(
    requests: pl.DataFrame,
    tests: pl.DataFrame,
    gaps: GapDistributions,
    by: tuple[str, ...],
    *,
    run_window_s: float | None = None,
    not_run: Mapping[Key, int] | None = None,
) -> tuple[GroupSummary, ...]:
    """Return a summary for every value of the columns `by` (none: for all rows).

    Models come in the order in which they were planned, those that were not in that of their first row; all
    others are sorted by name.

    Args:
        requests: with the columns `NEEDED`.
        tests: with the columns `TESTS_NEEDED`.
        gaps: the chunk gaps.
        by: what to group by.
        run_window_s: window of the whole run; None: that of the group, which is the run.
        not_run: how many planned tests of a group have no row; its keys are the planned groups.
    """
    planned = not_run or {}
    keys = list(by) or [_ALL]
    requests = requests.with_columns(pl.lit("all").alias(_ALL))
    tests = tests.with_columns(pl.lit("all").alias(_ALL))
    found = _by_key(requests.group_by(keys, maintain_order=True).agg(_figures()), keys)
    outcomes = _outcomes(requests, keys)
    windows = _windows_ns(requests, keys)
    peaks = _peaks(requests, keys)
    itl = gaps.by(by)
    counts = _test_counts(tests, keys, planned)
    begun = dict.fromkeys([*planned, *found, *counts])
    names = (list(begun) if by == MODEL else sorted(begun)) or ([("all",)] if not by else [])
    return tuple(
        _group(
            key,
            by,
            found=found.get(key, {}),
            outcomes=outcomes.get(key, {}),
            window_ns=windows.get(key, 0),
            run_window_s=run_window_s,
            peak=peaks.get(key, 0),
            itl=itl.get(key if by else (), distribution({}, "")),
            tests=counts.get(key, TestCounts()),
        )
        for key in names
    )


def _figures() -> list[pl.Expr]:
    ok_sum = {name: pl.col(name).filter(_OK) for name in ("chunks", "prompt_tokens", "completion_tokens")}
    figures = [
        pl.len().alias("requests"),
        *(values.sum().alias(name) for name, values in ok_sum.items()),
        *(ok_sum[name].count().alias(f"{name}_n") for name in ("prompt_tokens", "completion_tokens")),
        pl.col("total_ns").filter(pl.col("total_ns") > 0).sum().alias("busy_ns"),
    ]
    for name, values in _DURATIONS.items():
        figures += [
            values.count().alias(f"{name}_n"),
            values.sum().alias(f"{name}_sum"),
            values.mean().alias(f"{name}_mean"),
            values.std(ddof=0).alias(f"{name}_std"),
            values.min().alias(f"{name}_min"),
            values.max().alias(f"{name}_max"),
            *(values.quantile(q / 100, "linear").alias(f"{name}_p{q}") for q in QUANTILES),
        ]
    return figures


def _by_key(table: pl.DataFrame, keys: Sequence[str]) -> dict[Key, dict[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in table.iter_rows(named=True)}


def _outcomes(requests: pl.DataFrame, keys: list[str]) -> dict[Key, dict[str, int]]:
    counted = requests.group_by([*keys, "outcome"]).len().sort("outcome")
    found: dict[Key, dict[str, int]] = {}
    for row in counted.iter_rows(named=True):
        found.setdefault(tuple(row[key] for key in keys), {})[row["outcome"]] = row["len"]
    return found


def _windows_ns(requests: pl.DataFrame, keys: list[str]) -> dict[Key, int]:
    """Return first sending → last end of each group, summed over sessions, the time between them left out."""
    end = (pl.col("since_first_ns") + pl.col("total_ns")).max()
    spans = (
        requests.filter(pl.col("total_ns").is_not_null())
        .group_by([*keys, "session"])
        .agg(pl.col("since_first_ns").min().alias("start"), end.alias("end"))
    )
    found: dict[Key, list[tuple[int, int]]] = {}
    for row in spans.iter_rows(named=True):
        found.setdefault(tuple(row[key] for key in keys), []).append((row["start"], row["end"]))
    return {key: covered_ns(spans_of) for key, spans_of in found.items()}


def covered_ns(spans: Iterable[tuple[int, int]]) -> int:
    """Return the length of the union of intervals: sessions of several processes overlap."""
    total = 0
    reached: int | None = None
    for start, end in sorted(spans):
        if reached is None or start > reached:
            total += end - start
            reached = end
        elif end > reached:
            total += end - reached
            reached = end
    return total


def _peaks(requests: pl.DataFrame, keys: list[str]) -> dict[Key, int]:
    """Return the most requests in flight at one instant: +1 at each sending, -1 at each end, ends first."""
    sent = requests.filter(pl.col("total_ns") > 0)
    start = pl.col("since_first_ns")
    step = pl.lit(1, dtype=pl.Int64)
    edges = pl.concat(
        [
            sent.select(*keys, start.alias("at"), step.alias("step")),
            sent.select(*keys, (start + pl.col("total_ns")).alias("at"), (-step).alias("step")),
        ]
    ).sort("at", "step")
    swept = edges.group_by(keys, maintain_order=True).agg(pl.col("step").cum_sum().max().alias("peak"))
    return {key: row["peak"] for key, row in _by_key(swept, keys).items()}


def _test_counts(tests: pl.DataFrame, keys: list[str], not_run: Mapping[Key, int]) -> dict[Key, TestCounts]:
    counts = tests.group_by(keys, maintain_order=True).agg(
        pl.len().alias("tests"),
        *((pl.col("verdict") == str(verdict)).sum().alias(str(verdict)) for verdict in Verdict),
        pl.col("score")
        .filter(pl.col("verdict").is_in([str(Verdict.FULL), str(Verdict.PARTIAL), str(Verdict.FAILURE)]))
        .mean()
        .alias("mean_score"),
    )
    found = {key: TestCounts(not_run=count) for key, count in not_run.items()}
    for key, row in _by_key(counts, keys).items():
        good = row["full"] + row["partial"]
        judged = good + row["failure"]
        found[key] = TestCounts(
            tests=row["tests"],
            **{str(verdict): row[str(verdict)] for verdict in Verdict},
            not_run=not_run.get(key, 0),
            success_rate=good / judged if judged else None,
            mean_score=row["mean_score"],
        )
    return found


def _group(
    key: Key,
    by: tuple[str, ...],
    *,
    found: Found,
    outcomes: dict[str, int],
    window_ns: int,
    run_window_s: float | None,
    peak: int,
    itl: Distribution,
    tests: TestCounts,
) -> GroupSummary:
    ok = outcomes.get(str(Outcome.OK), 0)
    requests = int(found.get("requests", 0))
    judged = requests - outcomes.get(str(Outcome.CANCELLED), 0)
    window_s = window_ns / _NS_PER_S
    whole_s = window_s if run_window_s is None else run_window_s
    busy_s = int(found.get("busy_ns", 0)) / _NS_PER_S
    with_usage = int(found.get("completion_tokens_n", 0))
    without_usage = ok - with_usage
    tokens = int(found.get("completion_tokens", 0))
    chunks = int(found.get("chunks", 0))
    if without_usage:
        tokens_note = f"n/a ({without_usage} of {ok} ok requests without usage)"
    else:
        tokens_note = "" if ok and window_s else "n/a (no ok request)"
    return GroupSummary(
        name=group_name(key, by),
        labels=dict(zip(by, key, strict=False)),
        requests=requests,
        ok=ok,
        outcomes=outcomes,
        success_share=ok / judged if judged else None,
        window_s=window_s,
        request_throughput=_rate(ok, window_s),
        request_throughput_run=_rate(ok, whole_s),
        output_tokens_per_s=None if tokens_note else _rate(tokens, window_s),
        output_tokens_per_s_run=None if tokens_note else _rate(tokens, whole_s),
        output_tokens_note=tokens_note,
        chunks_per_s=_rate(chunks, window_s),
        chunks_per_s_run=_rate(chunks, whole_s),
        chunks=chunks,
        prompt_tokens=int(found["prompt_tokens"]) if found.get("prompt_tokens_n") else None,
        completion_tokens=tokens if with_usage else None,
        without_usage=without_usage,
        ttft=distribution(found, "ttft"),
        tpot=distribution(found, "tpot"),
        itl=itl,
        e2e=distribution(found, "e2e"),
        limiter_wait=wait(found, "limiter_wait"),
        held_wait=wait(found, "held_wait"),
        retry_wait=wait(found, "retry_wait"),
        peak_in_flight=peak,
        mean_in_flight=_rate(busy_s, window_s),
        mean_in_flight_run=_rate(busy_s, whole_s),
        tests=tests,
    )


def _rate(amount: float, seconds: float) -> float | None:
    return amount / seconds if seconds else None


def group_name(key: Key, by: tuple[str, ...]) -> str:
    """Return how people call a group: a model's name, `provider/key`, a lane's id."""
    return Lane(*key).id if by == LANE else "/".join(key)
