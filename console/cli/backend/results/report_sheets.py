"""The tables of the report: which there are, each of them, and the error classes by model."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from console.cli.backend.results.level_sheets import level_groups, total_of
from console.records.hierarchy import ALL
from console.records.pairs import CONDITION
from console.records.report import Report
from console.records.report_columns import columns_of
from console.records.report_types import ReportTable
from console.records.scored import AXES, ERRORS
from console.records.summary_types import Summary
from console.screens.results.places import Axis, Place, Step
from console.screens.results.sheet import Column, Listed, Row, SortKey
from console.vocabulary.errors import ConsoleError

_AXES: Final[dict[str, Axis]] = {
    "model": "model",
    "prompt_type": "prompt_type",
    "tool_success_rate": "rate",
    "difficulty": "difficulty",
    "task_type": "task_type",
}
"""Columns of the report, and what they are called in the table of tests."""
_HEADS: Final = {"prompt_type": "prompt", "tool_success_rate": "rate", "task_type": "task type"}


def report_index(report: Report, empty: str) -> Listed:
    """Return the tables that there are."""
    rows = () if empty else tuple(_index_row(table) for table in report.tables)
    return Listed(
        Place("phases"),
        _marked(report, "phases and comparisons"),
        (Column("table", "table"), Column("rows", "rows", figures=True), Column("title", "what it shows")),
        rows,
        (),
        noun="tables",
        empty=empty or "nothing to report yet: r reads again",
    )


def _index_row(table: ReportTable) -> Row:
    height = table.frame.height
    steps = (Step("table", table.name),)
    return Row(table.name, (table.name, f"{height:,}", table.title), (table.name, height, table.title), steps)


def report_sheet(report: Report, name: str, place: Place) -> Listed:
    """Return one table of the report with all its columns.

    Raises:
        ConsoleError: if there is none of that name any more.
    """
    table = next((one for one in report.tables if one.name == name), None)
    if table is None:
        raise ConsoleError(f"there is no table {name} of this run any more")
    found = table.frame.to_dicts()
    names = _names(table, found)
    figures = columns_of(table, found, wide=True)
    columns = [Column(name, _HEADS.get(name, name)) for name in names]
    columns += [
        Column(f"{figure.head}_{number}", figure.head, figures=True) for number, figure in enumerate(figures)
    ]
    rows: list[Row] = []
    for number, row in enumerate(found):
        texts = [figure.text(row) for figure in figures]
        labels = [str(row[name] if row[name] is not None else "-") for name in names]
        rows.append(
            Row(
                str(number),
                (*labels, *texts),
                (*labels, *map(_number, texts)),
                tuple(_steps(table, row)),
                tone="muted" if ALL in labels else "",
            )
        )
    return Listed(place, _marked(report, table.title), tuple(columns), tuple(rows), report.notes)


def _names(table: ReportTable, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of words: what rows are of, without what is the same in all of them."""
    if table.kind == "pairs":
        varying = [name for name in CONDITION if len({row[name] for row in rows} - {None}) > 1]
        return ["second", "first", *varying]
    return list(table.keys or AXES)


def _steps(table: ReportTable, row: Mapping[str, Any]) -> Iterator[Step]:
    """Return what is below a row; below a comparison are the tests of its second condition."""
    for name, axis in _AXES.items():
        value = row.get(name)
        if table.kind == "pairs" and row["axis"] == name:
            value = row["second"]
        if value is not None and value != ALL:
            yield Step(axis, str(value))


def error_classes(
    tests: pl.DataFrame, summary: Summary, models: tuple[str, ...], empty: str, scoring: str = "goal"
) -> Listed:
    """Return how many tests of each model are not full, by the class of their error, and how many have no answer."""
    groups = level_groups(tests, "model", models)
    total = total_of(tests)
    columns = [
        Column("error_class", "error class"),
        Column("all", "all", figures=True),
        Column("share", "share", figures=True),
        *(Column(name, name, figures=True) for name, _ in groups),
    ]
    rows: list[Row] = []
    if total is not None:
        whole = total["total_errors"] or 0
        for kind, name in ERRORS.items():
            counts = [total[name], *(group[name] for _, group in groups)]
            if counts[0]:
                steps = (Step("error_class", str(kind)),)
                rows.append(_error_row(str(kind), counts, counts[0] / whole if whole else None, steps))
        missing = [total["infrastructure"], *(group["infrastructure"] for _, group in groups)]
        if missing[0]:
            steps = (Step("verdict", "infrastructure"),)
            rows.append(_error_row("no answer (infrastructure)", missing, None, steps)._replace(tone="warn"))
    notes = ["tests that are not full by the goal, by why; share: of all that have an error class"]
    if scoring != "goal":
        notes.append(f"why is said by the goal alone, also where the preset {scoring} judges")
    if summary.failures:
        classes = ", ".join(f"{name} {count:,}" for name, count in summary.failures.items())
        notes.append(f"without an answer, by their last request: {classes}; never counted against a model")
    nothing = (
        "no test has an error: all are full" if total is not None else "no test has ended yet: r reads again"
    )
    return Listed(
        Place("errors"),
        "errors by class",
        tuple(columns),
        tuple(rows),
        tuple(notes),
        noun="classes",
        empty=empty or nothing,
    )


def _error_row(name: str, counts: Sequence[int | None], share: float | None, steps: tuple[Step, ...]) -> Row:
    texts = ["n/a" if count is None else f"{count:,}" for count in counts]
    shares = "" if share is None else f"{100 * share:.1f}%"
    return Row(name, (name, texts[0], shares, *texts[1:]), (name, counts[0], share, *counts[1:]), steps)


def _number(text: str) -> SortKey:
    """Return what a written figure is sorted by; `n/a` and `-` come last."""
    number = (
        text.rstrip("%B").replace(",", "").replace("−", "-").removeprefix("<").split("–")[0].split(" ")[0]
    )
    try:
        return float(number)
    except ValueError:
        return None if text in ("n/a", "-", "") else text


def _marked(report: Report, title: str) -> str:
    return f"{title} (PARTIAL)" if report.partial else title
