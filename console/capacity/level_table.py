"""The levels of a search as CSV: a row a level, each figure with the ends of its interval."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Final

from console.capacity.search_result import SearchResult
from console.records.safe_cells import csv_text
from console.vocabulary.level import Estimate, LevelOutcome

Cell = str | int | float | None
_METRICS: Final = tuple(
    f"{name}_{part}"
    for name in ("ttft", "tpot", "e2e", "response", "queue")
    for part in ("mean", "p50", "p90", "p95", "p99")
)
"""In this order; a figure that is not known of any level has no columns, one that is new stands behind them."""


def level_csv(result: SearchResult) -> str:
    """Return the table; what is not known is an empty cell, and no cell is a formula."""
    names = _metric_names(result.levels)
    outcomes = sorted({name for level in result.levels for name in level.outcomes})
    servers = sorted({name for level in result.levels for name in level.server})
    rows = [
        {
            "run_id": result.run_id,
            "model": result.model,
            "simulated": str(result.simulated).lower(),
            **_what(level),
            **_figures(level, names),
            **{f"outcome_{name}": level.outcomes.get(name, 0) for name in outcomes},
            **{f"server_{name}": level.server.get(name) for name in servers},
        }
        for level in result.levels
    ]
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(csv_text(name) for name in (rows[0] if rows else ("run_id", "model")))
    table.writerows(_cells(row) for row in rows)
    return text.getvalue()


def _metric_names(levels: Sequence[LevelOutcome]) -> list[str]:
    known = {name for level in levels for name in level.metrics}
    return [name for name in _METRICS if name in known] + sorted(known - set(_METRICS))


def _what(level: LevelOutcome) -> dict[str, Cell]:
    return {
        "level": level.number,
        "subject": level.subject,
        "purpose": level.purpose,
        "concurrency": level.concurrency,
        "rate": level.rate,
        "verdict": level.verdict,
        "stopped_by": " ".join(level.stopped_by),
        "validity": level.validity,
        "reasons": "; ".join(level.reasons),
        "undecided": "; ".join(
            f"{rule.rule}: {rule.missing}" for rule in level.rules if rule.state == "undecided"
        ),
        "window_from_s": level.from_ns / 1e9,
        "window_to_s": level.to_ns / 1e9,
        "spent_s": level.spent_s,
        "spent_requests": level.spent_requests,
        "spent_tokens": level.spent_tokens,
        "ended": level.ended,
    }


def _figures(level: LevelOutcome, names: Iterable[str]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for name, estimate in (
        ("success", level.success),
        ("requests_per_s", level.requests_per_s),
        ("tokens_per_s", level.tokens_per_s),
        ("work_per_s", level.work_per_s),
        ("goodput", level.goodput),
        *((_with_unit(name), level.metrics.get(name)) for name in names),
    ):
        cells.update(_interval(name, estimate))
    return {
        **cells,
        "work_unit": level.work_unit,
        "in_flight": level.in_flight,
        "stay_mean_ms": level.stay_mean_ms,
        "output_tokens_mean": level.output_tokens_mean,
        "output_tokens_cv": level.output_tokens_cv,
        "cached_share": level.cached_share,
    }


def _with_unit(name: str) -> str:
    return f"{name}_ms" if name in _METRICS else name


def _interval(name: str, estimate: Estimate | None) -> dict[str, Cell]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _cells(row: Mapping[str, Cell]) -> list[Cell]:
    return [csv_text(cell) if isinstance(cell, str) else cell for cell in row.values()]
