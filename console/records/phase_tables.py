"""The tables of a run: its hierarchy, and for each phase its figures, its errors, and how its conditions differ."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from console.records.hierarchy import hierarchy, sorted_by
from console.records.pairs import CONDITION, compare, compared_frame
from console.records.phase_members import PlannedRun
from console.records.report_types import AGAINST, ReportTable
from console.records.scored import ERROR_RATES, ERRORS, figures
from console.vocabulary.test_id import TestId

HIERARCHY: Final = "hierarchy"
_HIGHEST: Final = "the highest"
_SIZE: Final = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z0-9])", re.IGNORECASE)


class _Layout(msgspec.Struct, frozen=True):
    """How the table of a phase is made."""

    title: str
    keys: tuple[str, ...]
    """What a row is of; axes that vary besides are added."""
    axes: tuple[str, ...]
    """What is compared, pair by pair."""
    reference: str | None = None
    """What all others are compared with, also where another phase has it; None: every two."""


_LAYOUTS: Final = {
    "5.1": _Layout("baseline, by model", ("model",), ("model",)),
    "5.2": _Layout("size curve, by difficulty and size", ("difficulty", "model"), ("model", "difficulty")),
    "5.3": _Layout("flawed plans, by model and flaw", ("model", "prompt_type"), ("prompt_type",), "optimal"),
    "5.4": _Layout(
        "robustness curve, by model and tool success rate",
        ("model", "tool_success_rate"),
        ("tool_success_rate",),
        _HIGHEST,
    ),
    "5.5": _Layout(
        "prompt sensitivity, by model and prompt type", ("model", "prompt_type"), ("prompt_type",)
    ),
}
"""By the id of a phase; a variant `5.2-serial` has the table of `5.2`."""


def report_tables(tests: pl.DataFrame, plan: PlannedRun) -> tuple[ReportTable, ...]:
    """Return all tables of a run: `hierarchy`, then of each phase `ID`, `ID-errors` where it has any, and `ID-pairs`
    where it can be compared.

    Args:
        tests: scored tests of the whole run.
        plan: which of them belong to which phase; without phases all are one, called `tests`.
    """
    tables = [
        ReportTable(HIERARCHY, "Hierarchy", hierarchy(tests, plan.models), kind="hierarchy"),
    ]
    if not plan.phases:
        return (*tables, *_phase_tables("tests", tests, tests, (), plan.models))
    for phase in plan.phases:
        members = tests.filter(pl.col("test").is_in(list(phase.tests)))
        name = phase.id or "tests"
        tables += _phase_tables(name, members, tests, phase.tests, plan.models)
    return tuple(tables)


def _phase_tables(
    name: str, members: pl.DataFrame, run: pl.DataFrame, planned: Sequence[str], models: tuple[str, ...]
) -> list[ReportTable]:
    layout = _layout(name, members)
    varying = _varying(members)
    keys = (*layout.keys, *(axis for axis in varying if axis not in layout.keys))
    frame = _with_planned(figures(members, keys), keys, planned)
    reference = layout.reference
    if reference == _HIGHEST:
        rates = members["tool_success_rate"].unique().to_list()
        reference = max(rates, key=float) if rates else None
    rows = [row for axis in layout.axes for row in compare(members, axis, reference, run, models)]
    pairs = compared_frame(rows)
    if name.split("-")[0] == "5.2":
        frame = frame.with_columns(
            pl.Series("size_b", [model_size(one) for one in frame["model"]], dtype=pl.Float64)
        )
        by_size = frame.sort("size_b", descending=True, nulls_last=True)
        frame = sorted_by(by_size, [key for key in keys if key != "model"])
    else:
        frame = sorted_by(frame, keys, models)
    if layout.reference is not None and layout.axes[0] in keys:
        frame = _with_reference(frame, pairs, layout.axes[0])
    tables = [ReportTable(name, f"Phase {name}: {layout.title}", frame, kind="phase", keys=keys)]
    if frame["total_errors"].sum():
        title = f"Phase {name}: tests that are not full, by error class"
        errors = frame.select(*keys, "total", "total_errors", *ERRORS.values(), *ERROR_RATES.values())
        tables.append(ReportTable(f"{name}-errors", title, errors, kind="errors", keys=keys))
    if not pairs.is_empty():
        against = f"against {reference}" if reference is not None else "every two"
        title = f"Phase {name}: full or not on shared instances, {against}"
        tables.append(ReportTable(f"{name}-pairs", title, pairs, kind="pairs"))
    return tables


def _layout(name: str, members: pl.DataFrame) -> _Layout:
    """Return the layout of a known phase, or one that compares what varies first."""
    known = _LAYOUTS.get(name) or _LAYOUTS.get(name.split("-")[0])
    if known is not None:
        return known
    varying = _varying(members)
    axis = next(
        (one for one in ("prompt_type", "tool_success_rate", "difficulty") if one in varying), "model"
    )
    return _Layout("by what varies", ("model",), (axis,))


def _varying(members: pl.DataFrame) -> list[str]:
    return [axis for axis in CONDITION if axis != "model" and members[axis].n_unique() > 1]


def _with_planned(frame: pl.DataFrame, keys: Sequence[str], planned: Sequence[str]) -> pl.DataFrame:
    """Add how many tests were planned for every row, with rows for those of which none has a result."""
    counts: dict[tuple[str, ...], int] = {}
    for test in _parsed(planned):
        row = {**_parts(test)}
        key = tuple(row[name] for name in keys)
        counts[key] = counts.get(key, 0) + 1
    if not counts:
        return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("planned"))
    rows: list[dict[str, Any]] = [
        {**dict(zip(keys, key, strict=True)), "planned": count} for key, count in counts.items()
    ]
    of_plan = pl.DataFrame(rows, schema={**dict.fromkeys(keys, pl.String), "planned": pl.Int64})
    whole = frame.join(of_plan, on=list(keys), how="full", coalesce=True)
    zero = ("total", "success", "full_success", "partial_success", "failed", "infrastructure", "cancelled")
    return whole.with_columns(
        pl.col(name).fill_null(0) for name in (*zero, "unscored", "reused", "without_marks")
    )


def _parsed(tests: Iterable[str]) -> Iterable[TestId]:
    for test in tests:
        try:
            yield TestId.parse(test)
        except ValueError:
            continue


def _parts(test: TestId) -> dict[str, str]:
    return {
        "model": test.model,
        "prompt_type": test.prompt_type,
        "tool_success_rate": test.rate,
        "difficulty": test.difficulty,
    }


def _with_reference(frame: pl.DataFrame, pairs: pl.DataFrame, axis: str) -> pl.DataFrame:
    """Add how a row's share of full tests differs from that under the reference, on the instances of both."""
    on = [name for name in CONDITION if name in frame.columns]
    against = pairs.filter(pl.col("axis") == axis).with_columns(pl.col("second").alias(axis))
    against = against.select(
        *on, pl.col("first").alias("reference"), *(pl.col(name).alias(f"vs_{name}") for name in AGAINST)
    )
    return frame.join(against, on=on, how="left", maintain_order="left")


def model_size(name: str) -> float | None:
    """Return the size in a model's name, in billions of parameters: `qwen2.5-72b-instruct` → 72."""
    found = _SIZE.findall(name)
    return float(found[-1]) if found else None
