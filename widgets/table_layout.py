"""How wide the columns of a table are and which of them are in sight: the first always, the others moved sideways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from widgets.line_paint import Run, fit
from widgets.table_rows import TableColumn, TableRow

GAP: Final = "  "
_LEAST_FIRST: Final = 8
"""What the first column keeps where it gives way to the others."""


class ColumnLayout:
    """Widths that only grow, so that nothing jumps, and the place to which the columns are moved."""

    def __init__(self, columns: Sequence[TableColumn]) -> None:
        """Begin with room for the titles and the mark of a sort."""
        self._columns = tuple(columns)
        self._widths = [max(column.least, cell_len(column.title) + 2) for column in columns]
        self.first = 1
        """The first column that is shown behind the frozen one."""

    def measure(self, row: TableRow) -> bool:
        """Make columns as wide as a row needs; return whether any grew."""
        grew = False
        for number, text in enumerate(row.cells[: len(self._widths)]):
            if len(text) > self._widths[number] or not text.isascii():
                most = max(self._columns[number].most, self._columns[number].least)
                wide = max(self._widths[number], min(most, cell_len(text)))
                grew |= wide != self._widths[number]
                self._widths[number] = wide
        return grew

    def shift(self, columns: int, room: int) -> None:
        """Move the columns behind the first one, no further than the last one needs to be in sight."""
        furthest = next(
            (first for first in range(1, len(self._widths)) if self.end(first, room) >= len(self._widths)), 1
        )
        self.first = min(max(1, self.first + columns), furthest)

    def bring_into_sight(self, column: int, room: int) -> None:
        """Move so that a column is seen."""
        if column < 1 or room <= 0:
            return
        self.first = min(self.first, column)
        while self.first < column and self.end(self.first, room) <= column:
            self.first += 1

    def end(self, first: int, room: int) -> int:
        """Return before which column a line ends that begins at column `first`; the next one would be cut."""
        count = len(self._widths)
        used, seen = self.frozen_width(room), first
        while seen < count:
            used += len(GAP) + self._widths[seen]
            if used + (0 if seen == count - 1 else 2) > room:  # two for the mark that there are others
                break
            seen += 1
        return max(seen, min(first + 1, count))

    def frozen_width(self, room: int) -> int:
        """Return the width of the first column: it gives way so that at least one more is in sight."""
        whole = self._widths[0]
        if len(self._widths) < 2:
            return min(whole, max(room, 1))
        beside = len(GAP) + self._widths[min(self.first, len(self._widths) - 1)] + 2
        return min(whole, max(_LEAST_FIRST, room - beside))

    def cells(self, row: TableRow, room: int, *, heading: bool = False) -> list[Run]:
        """Return the cells of a row that are in sight; a heading tells by `<` and `>` that there are others."""
        if not self._widths or room <= 0:
            return []
        runs: list[Run] = [self._cell(row, 0, self.frozen_width(room))]
        end = self.end(self.first, room)
        for number in range(self.first, end):
            moved = heading and number == self.first > 1
            runs.append((" <" if moved else GAP, ""))
            runs.append(self._cell(row, number, self._widths[number]))
        if heading and end < len(self._widths):
            runs.append((" >", ""))
        return runs

    def _cell(self, row: TableRow, number: int, width: int) -> Run:
        text = row.cells[number] if number < len(row.cells) else ""
        tone = row.tones[number] if number < len(row.tones) else row.tone
        return fit(text, width, right=self._columns[number].align == "right"), tone
