"""Gaps between chunks: by far the most samples of a run, so they are never all held for long runs.

Up to a few million they are taken exactly. Beyond, they are counted in logarithmic buckets while streaming from
disk: memory stays constant, n, mean, deviation and extremes stay exact, percentiles are within 0.5 %.
"""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from console.records.distributions import QUANTILES, distribution
from console.records.summary_types import Distribution
from console.vocabulary.outcome import Outcome

EXACT_GAPS: Final = 4_000_000
_RATIO: Final = 1.01
"""Width of a bucket: its middle is within 0.5 % of all that is in it."""
_LANE: Final = ["provider", "model", "deployment", "key"]


class GapDistributions:
    """The gaps of ok streamed requests, lane by lane, ready to be grouped in any way."""

    def __init__(self, requests: pl.LazyFrame, count: int, *, exact_up_to: int = EXACT_GAPS) -> None:
        """Read `count` gaps from a table of requests, exactly or in buckets."""
        self._exact = count <= exact_up_to
        answered = (pl.col("outcome") == str(Outcome.OK)) & pl.col("stream")
        gaps = (
            requests.filter(answered, pl.col("chunk_gap_ns").list.len() > 0)
            .select(*_LANE, pl.col("chunk_gap_ns").alias("gap"))
            .explode("gap")
        )
        gap = pl.col("gap")
        if self._exact:
            self._table = gaps.with_columns(pl.col(_LANE).cast(pl.Categorical)).collect()
            return
        bucket = gap.clip(lower_bound=1).log(_RATIO).floor().cast(pl.Int64).alias("bucket")
        self._table = (
            gaps.with_columns(bucket)
            .group_by([*_LANE, "bucket"])
            .agg(
                pl.len().cast(pl.Int64).alias("n"),
                gap.sum().alias("sum"),
                (gap.cast(pl.Float64) ** 2).sum().alias("squares"),
                gap.min().alias("min"),
                gap.max().alias("max"),
            )
            .collect()
        )

    def by(self, columns: tuple[str, ...]) -> dict[tuple[str, ...], Distribution]:
        """Return the distribution of every value of `columns`; of everything, under (), for none."""
        if self._exact:
            return self._exactly(columns)
        if not columns:
            return {(): _of_buckets(self._table)}
        return {
            tuple(map(str, key)): _of_buckets(buckets) for key, buckets in self._table.group_by(list(columns))
        }

    def _exactly(self, columns: tuple[str, ...]) -> dict[tuple[str, ...], Distribution]:
        gap = pl.col("gap")
        figures = [
            gap.count().alias("itl_n"),
            gap.mean().alias("itl_mean"),
            gap.std(ddof=0).alias("itl_std"),
            gap.min().alias("itl_min"),
            gap.max().alias("itl_max"),
            *(gap.quantile(q / 100, "linear").alias(f"itl_p{q}") for q in QUANTILES),
        ]
        if not columns:
            return {(): distribution(self._table.select(figures).row(0, named=True), "itl")}
        grouped = self._table.group_by(list(columns)).agg(figures)
        return {
            tuple(str(row[column]) for column in columns): distribution(row, "itl")
            for row in grouped.iter_rows(named=True)
        }


def _of_buckets(table: pl.DataFrame) -> Distribution:
    buckets = (
        table.group_by("bucket")
        .agg(
            pl.col("n").sum(),
            pl.col("sum").sum(),
            pl.col("squares").sum(),
            pl.col("min").min(),
            pl.col("max").max(),
        )
        .sort("bucket")
    )
    counts: list[int] = buckets["n"].to_list()
    sums: list[int] = buckets["sum"].to_list()
    squares: list[float] = buckets["squares"].to_list()
    n = sum(counts)
    if n == 0:
        return distribution({}, "itl", approximate=True)
    mean = sum(sums) / n
    found: dict[str, Any] = {
        "itl_n": n,
        "itl_mean": mean,
        "itl_std": math.sqrt(max(0.0, math.fsum(squares) / n - mean * mean)),
        "itl_min": buckets["min"].min(),
        "itl_max": buckets["max"].max(),
    }
    for q in QUANTILES:
        found[f"itl_p{q}"] = _quantile(counts, sums, q)
    return distribution(found, "itl", approximate=True)


def _quantile(counts: Sequence[int], sums: Sequence[int], q: int) -> float:
    """Return the mean of the bucket in which the `q`-th percentile lies."""
    rank = (sum(counts) - 1) * q / 100
    seen = 0
    for count, total in zip(counts, sums, strict=True):
        seen += count
        if seen > rank:
            return total / count
    return sums[-1] / counts[-1]
