"""How a row of a table for editing is written: cells between the mark of the cursor and the mark of their state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from widgets.edit_cells import EditCell, EditColumn, EditRow
from widgets.line_paint import Line, Run, Tone, joined
from widgets.table_layout import ColumnLayout
from widgets.table_rows import TableColumn, TableRow
from widgets.text_buffer import TextBuffer


class Under(NamedTuple):
    """The cursor in its row."""

    column: int
    buffer: TextBuffer | None
    """What is being typed; None: nothing is."""
    is_wrong: bool
    """Something is wrong with what was typed, cleared or stepped to."""
    has_focus: bool


def edit_layout(columns: Sequence[EditColumn], corner: str) -> ColumnLayout:
    """Return the layout for labels headed by `corner`, and these columns behind them."""
    cells = (TableColumn(c.title, c.align, least=c.least, most=c.most) for c in columns)
    return ColumnLayout([TableColumn(corner), *cells])


def row_texts(row: EditRow, columns: Sequence[EditColumn], under: Under | None) -> list[str]:
    """Return the label and the text of each cell."""
    shown = zip(row.cells, columns, strict=False)
    texts = [
        cell_text(cell, column, under if under and under.column == n else None)
        for n, (cell, column) in enumerate(shown)
    ]
    return [row.label, *texts]


def cell_text(cell: EditCell, column: EditColumn, under: Under | None) -> str:
    """Write a cell; `under` is given where the cursor stands on it."""
    if under is not None and under.buffer is not None:
        return f"[{''.join(under.buffer.window(column.most - 2))}{'!' if under.is_wrong else ']'}"
    wrong = bool(cell.complaint) or (under is not None and under.is_wrong)
    mark = "!" if wrong else "*" if cell.changed else " "
    return f"{'>' if under is not None else ' '}{cell.text or column.none_text}{mark}"


def edit_line(
    row: EditRow, columns: Sequence[EditColumn], layout: ColumnLayout, width: int, under: Under | None
) -> Line:
    """Return the runs of a row."""
    mark = " " if under is None else ">"
    if not row.cells:
        return ((f"{mark}{row.label}", row.tone or "strong"),)
    tones: list[Tone] = [row.tone, *(_tone(cell) for cell in row.cells)]
    if under is not None and under.column < len(row.cells):
        tones[under.column + 1] = "cursor" if under.has_focus else "strong"
    cells = TableRow("", tuple(row_texts(row, columns, under)), tones=tuple(tones))
    runs = layout.cells(cells, width - len(mark))
    if under is not None and under.buffer is not None:
        runs = _with_text_cursor(
            runs, 2 * (under.column + 2 - layout.first), under.buffer, columns[under.column].most
        )
    return joined([(mark, ""), *runs])


def _with_text_cursor(runs: list[Run], at: int, buffer: TextBuffer, most: int) -> list[Run]:
    """Show where the next character goes, by one reversed cell that does not blink; `at` is the run of the cell."""
    if at >= len(runs) or "[" not in runs[at][0]:
        return runs
    whole = runs[at][0]
    before, under, _ = buffer.window(most - 2)
    left = whole.index("[") + 1 + len(before)
    parts: list[Run] = [(whole[:left], "strong"), (under, "cursor"), (whole[left + len(under) :], "strong")]
    return [*runs[:at], *parts, *runs[at + 1 :]]


def _tone(cell: EditCell) -> Tone:
    return "bad" if cell.complaint else "accent" if cell.changed else "muted" if cell.read_only else ""
