"""A report as plain text, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from console.records.hierarchy import ALL
from console.records.pairs import CONDITION
from console.records.report import Report, preset_lines
from console.records.report_columns import Column, Row, columns_of
from console.records.report_types import ReportTable
from console.records.safe_cells import escaped, markdown_row
from console.records.scored import AXES
from console.records.text_table import TextTable, grouped_lines
from console.records.wrap import wrapped

WIDE: Final = 120
"""From this width on, tables have all columns that fit."""
_STEP: Final = "  "
_JOIN: Final = " · "
_FLAWED: Final = "flawed_"
_HEADS: Final = {"prompt_type": "prompt", "tool_success_rate": "rate"}


def report_lines(
    report: Report, tables: Sequence[ReportTable], width: int, *, whole: bool = False
) -> list[str]:
    """Return a report as lines of at most `width` columns (but not fewer than 80).

    Args:
        report: the report.
        tables: those of its tables to show.
        width: columns of the terminal.
        whole: whether tables are as wide as they need to be, with nothing cut.
    """
    width = max(80, width)
    lines = [line for text in _headline(report) for line in wrapped(text, width, "", _STEP)]
    for table in tables:
        text, above = text_table(report, table, wide=whole or width >= WIDE)
        title, *rest = grouped_lines(text, above, None if whole else width)
        lines += ["", *wrapped(title, width, "", _STEP), *rest]
    lines.append("")
    for note in (*(f"note: {note}" for note in report.notes), *preset_lines(report.presets, report.scoring)):
        lines += wrapped(note, width, "", _STEP)
    return lines


def markdown(report: Report, tables: Sequence[ReportTable]) -> str:
    """Return tables as Markdown, with all columns, and the notes below them."""
    parts: list[str] = []
    for table in tables:
        rows = table.frame.to_dicts()
        columns = columns_of(table, rows, wide=True)
        names = (*CONDITION, "first", "second") if table.kind == "pairs" else table.keys or AXES
        lines = [
            f"## {_marked(report, table.title)}",
            "",
            markdown_row([*names, *(column.head for column in columns)]),
            markdown_row(["---"] * len(names) + ["---:"] * len(columns)),
            *(
                markdown_row(
                    [*(str(row[name] or "") for name in names), *(column.text(row) for column in columns)]
                )
                for row in rows
            ),
        ]
        parts.append("\n".join(lines))
    notes = [*_headline(report), *report.notes, *preset_lines(report.presets)]
    parts.append("\n".join(f"* {escaped(note)}" for note in notes))
    return "\n\n".join(parts) + "\n"


def text_table(report: Report, table: ReportTable, *, wide: bool) -> tuple[TextTable, list[str]]:
    """Return a table of a report as text, and for each row what it shares with its neighbours."""
    rows = table.frame.to_dicts()
    columns = columns_of(table, rows, wide=wide)
    if table.kind == "hierarchy":
        first, labels, rows = AXES[0], *_tree(rows)
        above = [""] * len(rows)
    elif table.kind == "pairs":
        first, labels = "second", [f"{_STEP}{row['second']}" for row in rows]
        above = _against(rows)
    else:
        first, labels, above = _rows_of_phase(table, rows)
    leaving = sorted((column.gives, index) for index, column in enumerate(columns, start=1) if column.gives)
    return (
        TextTable(
            _marked(report, table.title),
            (first, *(column.head for column in columns)),
            tuple(_row(label, row, columns) for label, row in zip(labels, rows, strict=True)),
            room=44 if table.kind == "hierarchy" else 22,
            gives=tuple(index for _, index in leaving),
        ),
        above,
    )


def _row(label: str, row: Row, columns: Sequence[Column]) -> tuple[str, ...]:
    return (label, *(column.text(row) for column in columns))


def _rows_of_phase(table: ReportTable, rows: Sequence[Row]) -> tuple[str, list[str], list[str]]:
    """Return the head of the first column, its cells, and what stands above them."""
    *shared, last = table.keys
    names = [str(row[last]) for row in rows]
    if last == "prompt_type":
        names = [name.removeprefix(_FLAWED) for name in names]
    head = _HEADS.get(last, last)
    if not shared:
        return head, names, [""] * len(rows)
    above = [_JOIN.join(str(row[key]) for key in shared) for row in rows]
    return head, [_STEP + name for name in names], above


def _against(rows: Sequence[Row]) -> list[str]:
    """Return what comparisons share: of their condition what varies, and the first of the two."""
    varying = [axis for axis in CONDITION if len({row[axis] for row in rows if row[axis] is not None}) > 1]
    return [
        _JOIN.join([*(row[axis] for axis in varying if row[axis] is not None), f"against {row['first']}"])
        for row in rows
    ]


def _tree(rows: Sequence[Row]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return rows of a hierarchy with indented names; a level with one value stands on the line of the next one."""
    paths = [tuple(row[axis] for axis in AXES if row[axis] != ALL) for row in rows]
    children: dict[tuple[str, ...], int] = {}
    for path in paths:
        children[path[:-1]] = children.get(path[:-1], 0) + 1
    labels: list[str] = []
    shown: list[dict[str, Any]] = []
    begun: dict[tuple[str, ...], tuple[str, int]] = {(): ("", 0)}
    for path, row in zip(paths, rows, strict=True):
        start, depth = begun[path[:-1]]
        name = start + path[-1]
        if children.get(path) == 1:
            begun[path] = name + _JOIN, depth
            continue
        begun[path] = "", depth + 1
        labels.append(_STEP * depth + name)
        shown.append(dict(row))
    return labels, shown


def _headline(report: Report) -> list[str]:
    marks = ["SIMULATED"] if report.simulated else []
    first = [f"Report of {report.run_id}", report.title, f"profile {report.profile}", *marks]
    lines = [_JOIN.join([*first, f"scoring {report.scoring}"])]
    if report.partial:
        lines.append(f"PARTIAL: {report.partial_reason}")
    return lines


def _marked(report: Report, title: str) -> str:
    """Return a title with what it must not be read without."""
    marks = [*(["SIMULATED"] if report.simulated else []), *(["PARTIAL"] if report.partial else [])]
    if report.scoring != "goal":
        marks.append(f"scoring {report.scoring}")
    return f"{title} ({', '.join(marks)})" if marks else title
