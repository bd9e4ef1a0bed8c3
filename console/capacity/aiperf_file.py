"""A level under the names of AIPerf's `profile_export_aiperf.json`.

Definitions as there, of which ours are these: `time_to_first_token` = sent → first content; `inter_token_latency` =
(latency - TTFT) / (output tokens - 1), of answers of more than one; `inter_chunk_latency` = pooled gaps between
chunks; `request_latency` = sent → last content; throughputs over the time from the first sending to the end of the
last answer. Percentiles are linear, the deviation that of the population. A metric without a definition here, or
without a sample, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean, pstdev
from typing import Any, Final

import msgspec

from console.capacity.level_stats import is_good, samples_of
from console.capacity.search_result import SearchResult
from console.capacity.search_rows import LevelRows, SearchAsked
from console.records.percentile import percentile_of_sorted
from console.vocabulary.outcome import Outcome

_SCHEMA: Final = "1.5"
_PERCENTILES: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)
_LATENCIES: Final = {
    "time_to_first_token": "ttft",
    "inter_token_latency": "tpot",
    "inter_chunk_latency": "itl",
    "request_latency": "e2el",
}
"""AIPerf's name → ours."""


def aiperf_result(result: SearchResult, asked: SearchAsked, level: LevelRows) -> dict[str, Any]:
    """Return the file of one level of a search; what AIPerf does not know stands under `ultra`."""
    ends_ns = [row.at_ns + (row.total_ns or 0) for row in level.rows]
    duration_s = (max(ends_ns) - min(row.at_ns for row in level.rows)) / 1e9 if level.rows else 0.0
    return {
        "schema_version": _SCHEMA,
        "benchmark_id": result.run_id,
        "start_time": level.began.isoformat(),
        "end_time": (level.began + timedelta(seconds=duration_s)).isoformat(),
        "was_cancelled": False,
        **_records(level),
        **_aggregates(level, asked, duration_s),
        "ultra": {
            "run_id": result.run_id,
            "model": result.model,
            "simulated": result.simulated,
            "level": msgspec.to_builtins(level.outcome),
            "answers": msgspec.to_builtins(result.answers),
        },
    }


def _records(level: LevelRows) -> dict[str, Any]:
    """Return the metrics that each answer has a value of."""
    answered = [row for row in level.rows if row.outcome is Outcome.OK]
    found: dict[str, Any] = {}
    for name, ours in _LATENCIES.items():
        if values := samples_of(ours, answered):
            found[name] = spread("ms", values)
    written = [row.completion_tokens for row in answered if row.completion_tokens is not None]
    read = [row.prompt_tokens for row in answered if row.prompt_tokens is not None]
    for name, counts in (("output_sequence_length", written), ("input_sequence_length", read)):
        if counts and len(counts) == len(answered):  # of a part of the answers it would be another metric
            found[name] = spread("tokens", counts)
    return found


def _aggregates(level: LevelRows, asked: SearchAsked, duration_s: float) -> dict[str, Any]:
    """Return the metrics of the level as a whole."""
    answered = [row for row in level.rows if row.outcome is Outcome.OK]
    written = [row.completion_tokens for row in answered if row.completion_tokens is not None]
    limits_ms = asked.report.goodput
    good = sum(is_good(row, limits_ms) for row in answered) if limits_ms else None
    failed = len({row.test for row in level.rows}) - len(answered)
    found: dict[str, Any] = {
        "request_count": _one("requests", float(len(answered))),
        "error_request_count": _one("requests", float(failed)),
    }
    if good is not None:
        found["good_request_count"] = _one("requests", float(good))
    if duration_s > 0:
        found["benchmark_duration"] = _one("sec", duration_s)
        found["request_throughput"] = _one("requests/sec", len(answered) / duration_s)
        if written and len(written) == len(answered):
            found["output_token_throughput"] = _one("tokens/sec", sum(written) / duration_s)
        if good is not None:
            found["goodput"] = _one("requests/sec", good / duration_s)
    return found


def spread(unit: str, values: Sequence[float]) -> dict[str, Any]:
    """Return a metric of so many values, at least one."""
    ordered = sorted(values)
    return {
        "unit": unit,
        "avg": fmean(ordered),
        "min": ordered[0],
        "max": ordered[-1],
        **{f"p{q}": percentile_of_sorted(ordered, q) for q in _PERCENTILES},
        "std": pstdev(ordered),
        "count": len(ordered),
        "sum": sum(ordered),
    }


def _one(unit: str, value: float) -> dict[str, Any]:
    return {"unit": unit, "avg": value}
