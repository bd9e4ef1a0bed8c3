"""How the figures of a report are written, and which of them a terminal shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from console.records.figures_text import NONE, share_text
from console.records.report_types import ReportTable
from console.records.scored import ERRORS
from console.vocabulary.marks import ErrorClass

Row = Mapping[str, Any]
Shown = Literal["always", "wide", "not zero"]


class Column(msgspec.Struct, frozen=True):
    """One column of text."""

    head: str
    text: Callable[[Row], str]
    shown: Shown = "always"
    gives: int = 0
    """From 1 on: leaves where there is no room, in this order."""


def count_text(value: int | None) -> str:
    """Write a count."""
    return NONE if value is None else str(value)


def figure_text(value: float | None, digits: int = 3) -> str:
    """Write a figure with so many digits behind the point."""
    return NONE if value is None else f"{value:.{digits}f}"


def points_text(value: float | None) -> str:
    """Write a difference of shares in points: `-12.5`."""
    return NONE if value is None else f"{100 * value:+.1f}"


def p_text(value: float | None) -> str:
    """Write a p value: `.043`, `<.001`."""
    if value is None:
        return NONE
    return "<.001" if value < 0.0005 else f"{value:.3f}".removeprefix("0")


def _count(name: str) -> Callable[[Row], str]:
    return lambda row: count_text(row[name])


def _share(name: str) -> Callable[[Row], str]:
    return lambda row: share_text(row[name])


def _figure(name: str, digits: int = 3) -> Callable[[Row], str]:
    return lambda row: figure_text(row[name], digits)


def _shares(name: str) -> Callable[[Row], str]:
    def interval(row: Row) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return NONE if low is None else f"{100 * low:.1f}–{100 * high:.1f}"

    return interval


def _scores(row: Row) -> str:
    low, high = row["final_score_low"], row["final_score_high"]
    return NONE if low is None else f"{low:.3f}–{high:.3f}"


def _between(name: str) -> Callable[[Row], str]:
    def interval(row: Row) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return NONE if low is None else f"{100 * low:+.1f} … {100 * high:+.1f}"

    return interval


def _missing(row: Row) -> str:
    """Return how many planned tests have no result at all."""
    if row["planned"] is None:
        return "0"
    there = row["total"] + row["infrastructure"] + row["cancelled"] + row["unscored"]
    return str(max(0, row["planned"] - there))


def _size(row: Row) -> str:
    return NONE if row["size_b"] is None else f"{row['size_b']:g}B"


_COUNTS: Final = (
    Column("n", _count("total")),
    Column("full", _count("full_success"), gives=15),
    Column("part", _count("partial_success"), gives=13),
    Column("fail", _count("failed"), gives=14),
    Column("infra", _count("infrastructure"), gives=18),
    Column("cancelled", _count("cancelled"), "not zero"),
    Column("unscored", _count("unscored"), "not zero"),
    Column("reused", _count("reused"), "not zero", gives=12),
)
_RATES: Final = (
    Column("full %", _share("full_success_rate")),
    Column("95% CI", _shares("full_success_rate")),
    Column("success", _share("success_rate"), "wide", gives=11),
    Column("95% CI", _shares("success_rate"), "wide", gives=10),
    Column("weighted", _figure("weighted_success_score"), "wide", gives=8),
    Column("score", _figure("avg_final_score"), gives=16),
    Column("95% CI", _scores, "wide", gives=9),
)
_PLAY: Final = (
    Column("turns", _figure("avg_turns", 1), "wide", gives=6),
    Column("calls", _figure("avg_tool_calls", 1), "wide", gives=5),
    Column("coverage", _share("tool_coverage_rate"), "wide", gives=4),
    Column("recovery", _share("avg_recovery"), "wide", gives=3),
    Column("tok in", _figure("avg_prompt_tokens", 0), "wide", gives=2),
    Column("tok out", _figure("avg_completion_tokens", 0), "wide", gives=1),
)
_HELP: Final = (
    Column("helped", _count("tests_with_assistance"), "wide", gives=7),
    Column("unaided", _share("unaided_full_rate"), "wide", gives=7),
)
_ERROR_CLASSES: Final = (*ERRORS.values(),)


def _mostly(row: Row) -> str:
    """Return the error class that most tests of a row have, and how many."""
    counts = [(row[name] or 0, name.removesuffix("_errors")) for name in _ERROR_CLASSES]
    most, name = max(counts, key=_first)
    return f"{name} {most}" if most else "-"


def _first(counted: tuple[int, str]) -> int:
    return counted[0]


_ERRORS: Final = (
    Column("errors", _count("total_errors"), "wide", gives=2),
    Column("mostly", _mostly, "wide", gives=1),
)
ERROR_HEADS: Final = {
    ErrorClass.TOOL_CALL_FORMAT: "form",
    ErrorClass.TOOL_SELECTION: "tool",
    ErrorClass.PARAMETER_CONFIG: "args",
    ErrorClass.SEQUENCE_ORDER: "order",
    ErrorClass.DEPENDENCY: "dep",
    ErrorClass.TIMEOUT: "time",
    ErrorClass.MAX_TURNS: "turns",
    ErrorClass.OTHER: "other",
}
"""What the error classes are called where all eight stand beside each other."""
_BY_CLASS: Final = (
    Column("n", _count("total"), gives=1),
    Column("errors", _count("total_errors")),
    *(Column(head, _count(ERRORS[kind])) for kind, head in ERROR_HEADS.items()),
)
_PAIRS: Final = (
    Column("pairs", _count("pairs")),
    Column("b", _count("b")),
    Column("c", _count("c")),
    Column("diff", lambda row: points_text(row["difference"])),
    Column("95% CI", _between("difference")),
    Column("p", lambda row: p_text(row["p"]), gives=1),
    Column("Holm", lambda row: p_text(row["p_holm"])),
)


def _reference(rows: Sequence[Row]) -> list[Column]:
    """Return how rows differ from their reference, if any has been compared with it; that itself has a dash."""
    names = [row["reference"] for row in rows if row["reference"] is not None]
    if not names:
        return []

    def unless_itself(text: Callable[[Row], str]) -> Callable[[Row], str]:
        return lambda row: "-" if row["reference"] is None else text(row)

    return [
        Column(f"vs {names[0]}", unless_itself(lambda row: points_text(row["vs_difference"]))),
        Column("95% CI", unless_itself(_between("vs_difference"))),
        Column("Holm", unless_itself(lambda row: p_text(row["vs_p_holm"])), gives=17),
    ]


def columns_of(table: ReportTable, rows: Sequence[Row], *, wide: bool) -> list[Column]:
    """Return the columns of a table that are shown; `rows` are all that it has."""
    if table.kind == "pairs":
        return list(_PAIRS)
    if table.kind == "errors":
        return list(_BY_CLASS)
    columns = [*_COUNTS, *_RATES]
    there = table.frame.columns
    if table.kind == "phase":
        columns.insert(7, Column("missing", _missing, "not zero"))
    if "size_b" in there:
        columns.insert(0, Column("size", _size, gives=19))
    if "vs_difference" in there:
        columns += _reference(rows)
    columns += (*_PLAY, *_HELP)
    if table.kind == "hierarchy":
        columns += _ERRORS
    elif "tool_success_rate" in table.keys:
        columns.append(Column("chance fails", _figure("avg_chance_failures", 2), "wide", gives=2))
    return [column for column in columns if _is_shown(column, rows, wide=wide)]


def _is_shown(column: Column, rows: Sequence[Row], *, wide: bool) -> bool:
    if column.shown == "not zero":
        return any(column.text(row) != "0" for row in rows)
    return wide or column.shown == "always"
