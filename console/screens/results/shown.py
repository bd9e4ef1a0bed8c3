"""A table of results as the table widget takes it: text made safe, and plain where the terminal knows only ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast, get_args

from console.screens.results.sheet import Row, Sheet, Sort
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Tone
from widgets.table_rows import SortBy, TableColumn, TableRow

_CELL_LIMIT: Final = 300
_PLAIN: Final = str.maketrans(
    {"›": ">", "–": "-", "…": "~", "·": "|", "→": ">", "±": "+", "×": "x", "−": "-"}
)


class ShownRows:
    """The rows of a table, each made when it comes into sight."""

    def __init__(self, sheet: Sheet, *, ascii_only: bool = False) -> None:
        """Show those of `sheet`."""
        self._sheet = sheet
        self._ascii_only = ascii_only

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._sheet)

    def __getitem__(self, index: int, /) -> TableRow:
        """Make one row."""
        return shown_row(self._sheet.row(index), ascii_only=self._ascii_only)


def shown_row(row: Row, *, ascii_only: bool = False) -> TableRow:
    """Return a row with its text made safe."""
    cells = tuple(shown_text(cell, _CELL_LIMIT, ascii_only=ascii_only) for cell in row.cells)
    tone = cast("Tone", row.tone if row.tone in get_args(Tone) else "")
    if tone in ("", "strong", "muted"):
        return TableRow(row.id, cells, tone=tone)
    return TableRow(
        row.id, cells, tones=("", tone)
    )  # the word that says it, in the colour that underlines it


def shown_columns(sheet: Sheet, *, ascii_only: bool = False) -> tuple[TableColumn, ...]:
    """Return the heads of the columns."""
    return tuple(
        TableColumn(
            shown_text(column.title, 48, ascii_only=ascii_only),
            "right" if column.figures else "left",
            most=60 if number == 0 else 48,
        )
        for number, column in enumerate(sheet.columns)
    )


def shown_text(text: str, limit: int | None = None, *, ascii_only: bool = False) -> str:
    """Return text on one line, safe and, where that is asked for, without the signs of ours that ASCII has not."""
    line = safe_line(text, limit)
    return line.translate(_PLAIN) if ascii_only else line


def sort_by(sort: Sort | None) -> SortBy | None:
    """Return a sort as the widget has it."""
    return None if sort is None else SortBy(sort.column, sort.descending)


def table_text(sheet: Sheet, order: Sequence[int]) -> str:
    """Return rows as text that pastes into a spreadsheet: tabs between cells, heads first."""
    heads = "\t".join(safe_line(column.title) for column in sheet.columns)
    return "\n".join([heads, *("\t".join(map(safe_line, sheet.row(index).cells)) for index in order)])
