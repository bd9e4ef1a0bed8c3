"""Tests as a scoring preset sees them, and the figures of a group of them."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import polars as pl

from console.records.intervals import mean_interval, wilson
from console.vocabulary.marks import ErrorClass
from console.vocabulary.outcome import TERMINAL, Verdict

Scoring = Literal["goal", "original"]
UNSCORED: Final = "unscored"
AXES: Final = ("model", "prompt_type", "tool_success_rate", "difficulty", "task_type")
"""From the outermost: the levels of the hierarchy."""
_BEHIND_MODEL: Final = r"(?:/[^/]*){5}$"
_JUDGED = pl.col("judged")
_FULL = pl.col("outcome") == str(Verdict.FULL)
_PARTIAL = pl.col("outcome") == str(Verdict.PARTIAL)
_FAILURE = pl.col("outcome") == str(Verdict.FAILURE)
_ASSISTED = _JUDGED & (pl.col("assisted_turns") > 0)
_MARKED = _JUDGED & pl.col("conditions").is_not_null()
ERRORS: Final = {
    ErrorClass.TOOL_CALL_FORMAT: "tool_call_format_errors",
    ErrorClass.TIMEOUT: "timeout_errors",
    ErrorClass.DEPENDENCY: "dependency_errors",
    ErrorClass.PARAMETER_CONFIG: "parameter_config_errors",
    ErrorClass.TOOL_SELECTION: "tool_selection_errors",
    ErrorClass.SEQUENCE_ORDER: "sequence_order_errors",
    ErrorClass.MAX_TURNS: "max_turns_errors",
    ErrorClass.OTHER: "other_errors",
}
"""Columns of counts; of rates they end in `_rate`."""
ERROR_RATES: Final = {
    "tool_call_format_errors": "format_error_rate",
    "timeout_errors": "timeout_error_rate",
    "dependency_errors": "dependency_error_rate",
    "parameter_config_errors": "parameter_error_rate",
    "tool_selection_errors": "tool_selection_error_rate",
    "sequence_order_errors": "sequence_error_rate",
    "max_turns_errors": "max_turns_error_rate",
    "other_errors": "other_error_rate",
}
_MEANS: Final = {
    "avg_turns": "turns",
    "avg_tool_calls": "calls",
    "tool_coverage_rate": "coverage",
    "avg_workflow_score": "original_workflow",
    "avg_phase2_score": "original_phase2",
    "avg_quality_score": "original_quality",
    "avg_final_score": "points",
    "goal_rate": "goal_reached",
    "finish_rate": "finished",
    "avg_conditions": "conditions",
    "avg_order": "order_share",
    "avg_efficiency": "efficiency",
    "avg_recovery": "recovery",
    "avg_failed_calls": "failed_calls",
    "avg_chance_failures": "chance_failures",
    "avg_prompt_tokens": "prompt_tokens",
    "avg_completion_tokens": "completion_tokens",
}


def judged_by(scoring: Scoring) -> tuple[pl.Expr, pl.Expr]:
    """Return what a preset makes of a test of the table, and its score by it."""
    if scoring == "goal":
        return pl.col("verdict"), pl.col("score")
    done = pl.col("verdict").is_in([str(verdict) for verdict in TERMINAL])
    found = pl.when(done).then(pl.col("original_verdict").fill_null(UNSCORED)).otherwise(pl.col("verdict"))
    return found, pl.col("original_phase2")


def scored(table: pl.DataFrame, scoring: Scoring) -> pl.DataFrame:
    """Return the tests that have the parts of a test id, with what a preset makes of each.

    The model is that of the id, which the plan knows. Adds `outcome` (as `verdict`, or `unscored` where a test is done and the preset says nothing of it), `points`
    (its score), `judged` (whether it is in any denominator), `full`, `tool_success_rate` and `played_ns` (without
    our own waits).
    """
    outcome, points = judged_by(scoring)
    waits = pl.col("limiter_wait_ns") + pl.col("held_ns") + pl.col("retry_wait_ns")
    return (
        table.filter(pl.col("task_type").is_not_null())
        .with_columns(
            outcome.alias("outcome"),
            pl.col("test").str.replace(_BEHIND_MODEL, "").alias("model"),
            points.alias("points"),
            pl.col("rate").alias("tool_success_rate"),
            pl.max_horizontal(pl.col("duration_ns") - waits, 0).alias("played_ns"),
        )
        .with_columns((_FULL | _PARTIAL | _FAILURE).alias("judged"), _FULL.alias("full"))
    )


def figures(tests: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the figures of every group of scored tests with the same keys, in the order of its first test."""
    grouped = tests.group_by(list(keys), maintain_order=True).agg(_sums())
    rows = [_derived(row) for row in grouped.iter_rows(named=True)]
    return pl.DataFrame(rows, schema={**dict.fromkeys(keys, pl.String), **FIGURES})


def _sums() -> list[pl.Expr]:
    return [
        _JUDGED.sum().alias("total"),
        _FULL.sum().alias("full_success"),
        _PARTIAL.sum().alias("partial_success"),
        _FAILURE.sum().alias("failed"),
        *(
            (pl.col("outcome") == name).sum().alias(column)
            for name, column in (
                (str(Verdict.INFRASTRUCTURE), "infrastructure"),
                (str(Verdict.CANCELLED), "cancelled"),
                (UNSCORED, UNSCORED),
            )
        ),
        pl.col("reused_from").count().alias("reused"),
        (pl.col("played_ns").filter(_JUDGED).mean() / 1e9).alias("avg_execution_time_s"),
        *(pl.col(column).filter(_JUDGED).mean().alias(name) for name, column in _MEANS.items()),
        pl.col("points").filter(_JUDGED).std().alias("_deviation"),
        pl.col("points").filter(_JUDGED).count().alias("_with_points"),
        _MARKED.sum().alias("_marked"),
        (_MARKED & pl.col("error_class").is_not_null()).sum().alias("total_errors"),
        *(
            (_MARKED & (pl.col("error_class") == str(kind))).sum().alias(name)
            for kind, name in ERRORS.items()
        ),
        _ASSISTED.sum().alias("tests_with_assistance"),
        (_ASSISTED & (_FULL | _PARTIAL)).sum().alias("assisted_success"),
        (_ASSISTED & _FAILURE).sum().alias("assisted_failure"),
        (_ASSISTED & _FULL).sum().alias("_assisted_full"),
        pl.col("assisted_turns").filter(_ASSISTED).sum().alias("total_assisted_turns"),
    ]


def _derived(row: dict[str, Any]) -> dict[str, Any]:
    """Add what is a share or an interval of the sums of a group; None where there is nothing to share in."""
    total, full = row["total"], row["full_success"]
    success = row["success"] = full + row["partial_success"]
    row["success_rate"] = _share(success, total)
    row["success_rate_low"], row["success_rate_high"] = wilson(success, total) or (None, None)
    row["full_success_rate"] = _share(full, total)
    row["full_success_rate_low"], row["full_success_rate_high"] = wilson(full, total) or (None, None)
    row["partial_success_rate"] = _share(row["partial_success"], total)
    row["failure_rate"] = _share(row["failed"], total)
    row["weighted_success_score"] = _share(full + 0.5 * row["partial_success"], total)
    low_high = mean_interval(row["avg_final_score"] or 0.0, row["_deviation"] or 0.0, row["_with_points"])
    row["final_score_low"], row["final_score_high"] = low_high or (None, None)
    row["without_marks"] = total - row["_marked"]
    if not row["_marked"]:
        row.update(dict.fromkeys(("total_errors", *ERRORS.values(), *_ASSISTANCE)))
    row.update({rate: _share(row[name], row["total_errors"]) for name, rate in ERROR_RATES.items()})
    helped = row["tests_with_assistance"]
    row["avg_assisted_turns"] = _share(row["total_assisted_turns"], helped)
    row["assisted_success_rate"] = _share(row["assisted_success"], helped)
    row["assistance_rate"] = _share(helped, total)
    row["unaided_full_rate"] = None if helped is None else _share(full - row["_assisted_full"], total)
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


_ASSISTANCE: Final = ("tests_with_assistance", "assisted_success", "assisted_failure", "total_assisted_turns")


def _typed(kind: type[pl.DataType], names: Sequence[str]) -> dict[str, type[pl.DataType]]:
    return dict.fromkeys(names, kind)


FIGURES: Final[dict[str, type[pl.DataType]]] = {
    **_typed(pl.Int64, ("total", "success", "full_success", "partial_success", "failed")),
    **_typed(pl.Int64, ("infrastructure", "cancelled", UNSCORED, "reused", "without_marks")),
    **_typed(pl.Float64, ("success_rate", "success_rate_low", "success_rate_high")),
    **_typed(pl.Float64, ("full_success_rate", "full_success_rate_low", "full_success_rate_high")),
    **_typed(pl.Float64, ("partial_success_rate", "failure_rate", "weighted_success_score")),
    **_typed(pl.Float64, ("avg_execution_time_s", "avg_turns", "avg_tool_calls", "tool_coverage_rate")),
    **_typed(pl.Float64, ("avg_workflow_score", "avg_phase2_score", "avg_quality_score")),
    **_typed(pl.Float64, ("avg_final_score", "final_score_low", "final_score_high")),
    **_typed(pl.Float64, ("goal_rate", "finish_rate", "avg_conditions", "avg_order", "avg_efficiency")),
    **_typed(pl.Float64, ("avg_recovery", "avg_failed_calls", "avg_chance_failures")),
    **_typed(pl.Float64, ("avg_prompt_tokens", "avg_completion_tokens")),
    **_typed(pl.Int64, ("total_errors", *ERRORS.values())),
    **_typed(pl.Float64, tuple(ERROR_RATES.values())),
    **_typed(pl.Int64, _ASSISTANCE),
    **_typed(
        pl.Float64, ("avg_assisted_turns", "assisted_success_rate", "assistance_rate", "unaided_full_rate")
    ),
}
"""The columns of figures and their types, in their order. What each means: `report_types.DEFINITIONS`."""
