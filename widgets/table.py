"""A table for long lists: a heading that stays, a first column that stays, a cursor, a sort, a filter, marks.

Only rows in sight are made, so a hundred thousand of them cost no more than twenty. It posts nothing per row.
Run `python -m widgets.table` to see it on made-up figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.line_list import LineList
from widgets.line_paint import Line, Run, joined
from widgets.table_layout import ColumnLayout
from widgets.table_rows import Rows, SortBy, SortKey, TableColumn, TableRow, order_of
from widgets.word_filter import filter_note, nothing_left

_MEASURED_AT_FIRST: Final = 200
"""Rows by which columns are measured before they come into sight."""


class Table(LineList):
    """Shows rows under a heading."""

    DEFAULT_CSS = "Table { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "shift(-1)", "Left", show=False),
        Binding("right,l", "shift(1)", "Right", show=False),
        Binding("enter", "choose", "open", id="table.choose", tooltip="Open the row under the cursor"),
        Binding("space", "mark", "mark", id="table.mark", tooltip="Mark the row, or take its mark away"),
        Binding(
            "less_than_sign",
            "sort_next(-1)",
            "<",
            show=False,
            id="table.sort_left",
            tooltip="Sort by the column to the left",
        ),
        Binding(
            "greater_than_sign",
            "sort_next(1)",
            ">",
            show=False,
            id="table.sort_right",
            tooltip="Sort by the column to the right",
        ),
        Binding(
            "s",
            "sort_again",
            "sort",
            id="table.sort",
            tooltip="Sort; again: the other way round. < and > choose the column",
        ),
    ]

    @dataclass
    class RowHighlighted(Message):
        """The cursor stands on another row."""

        table: Table
        row_id: str

        @property
        def control(self) -> Table:
            """The table, for `@on(..., "#id")`."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Only the newest place of the cursor matters."""
            return isinstance(message, Table.RowHighlighted) and message.table is self.table

    @dataclass
    class RowChosen(Message):
        """Enter was pressed on a row."""

        table: Table
        row_id: str

        @property
        def control(self) -> Table:
            """The table, for `@on(..., "#id")`."""
            return self.table

    @dataclass
    class MarksChanged(Message):
        """Rows were marked, or lost their marks."""

        table: Table
        row_ids: frozenset[str]

        @property
        def control(self) -> Table:
            """The table, for `@on(..., "#id")`."""
            return self.table

    def __init__(
        self,
        columns: Sequence[TableColumn] = (),
        rows: Rows = (),
        *,
        can_mark: bool = False,
        noun: str = "rows",
        sort: SortBy | None = None,
        ascii_only: bool = False,
        empty_text: str = "no rows yet",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `rows`; `noun` is what they are called in the plural."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._columns = tuple(columns)
        self._rows = rows
        self._keys_of: Callable[[int], Sequence[SortKey]] | None = None
        self._can_mark = can_mark
        self._noun = noun
        self._sort = sort
        self._filter = ""
        self._marked: frozenset[str] = frozenset()
        self._layout = ColumnLayout(self._columns)
        self._measure_first_rows()
        self._order = self._ordered()

    # What is shown

    def show(
        self,
        columns: Sequence[TableColumn],
        rows: Rows,
        *,
        keys_of: Callable[[int], Sequence[SortKey]] | None = None,
    ) -> None:
        """Show other rows; the cursor, the marks, the sort and the filter stay.

        `keys_of` returns the sort keys of a column for all rows, in the order of `rows`; without it rows tell them.
        """
        before = self.highlighted
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._layout = ColumnLayout(columns)
            self._sort = self._sort if self._sort and self._sort.column < len(columns) else None
        self._rows, self._keys_of = rows, keys_of
        self._measure_first_rows()
        self._reorder(before)

    @property
    def highlighted(self) -> str | None:
        """The id of the row under the cursor."""
        return self._row(self._cursor).id if self._cursor < len(self._order) else None

    @property
    def marked(self) -> frozenset[str]:
        """The ids of the marked rows, in sight or not."""
        return self._marked

    @property
    def sort(self) -> SortBy | None:
        """The column by which rows are sorted; None: they stand as they were given."""
        return self._sort

    @property
    def filter_text(self) -> str:
        """The words that rows must have."""
        return self._filter

    def rows_shown(self) -> list[TableRow]:
        """Return all rows that the filter leaves, in the order in which they stand."""
        return [self._rows[index] for index in self._order]

    def filter(self, text: str) -> None:
        """Show only rows in which all words occur; an empty text shows all."""
        if text.strip() != self._filter:
            before = self.highlighted
            self._filter = text.strip()
            self._reorder(before)

    def sort_by(self, sort: SortBy | None) -> None:
        """Sort by a column, or show the rows as they were given; either way from the top."""
        if sort != self._sort:
            self._sort = sort
            self._cursor = 0
            self._reorder(None)

    def mark(self, row_ids: Iterable[str]) -> None:
        """Mark these rows and no others; this posts nothing."""
        self._marked = frozenset(row_ids)
        self.redraw()

    def highlight(self, row_id: str) -> None:
        """Set the cursor on a row."""
        place = self._place_of(row_id)
        if place is not None:
            self.go_to(place)

    # Keys

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        found = self.highlighted
        if found is not None:
            self.post_message(self.RowChosen(self, found))

    def action_mark(self) -> None:
        """Mark the row under the cursor, and go on to the next one."""
        found = self.highlighted
        if found is None or not self._can_mark:
            return
        self._marked ^= {found}
        self.post_message(self.MarksChanged(self, self._marked))
        self.go_to(self._cursor + 1)

    def action_shift(self, columns: int) -> None:
        """Move the columns behind the first one sideways."""
        self._layout.shift(columns, self._width - self._lead)
        self.redraw()

    def action_sort_next(self, step: int) -> None:
        """Sort by the next column; before the first one rows stand as they were given."""
        at = -1 if self._sort is None else self._sort.column
        moved = min(max(-1, at + step), len(self._columns) - 1)
        if moved != at:
            self.sort_by(None if moved < 0 else SortBy(moved))
            self._layout.bring_into_sight(moved, self._width - self._lead)
            self.redraw()

    def action_sort_again(self) -> None:
        """Sort the other way round, or by the first column if nothing is sorted yet."""
        now = self._sort
        self.sort_by(SortBy(0) if now is None else SortBy(now.column, not now.descending))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something."""
        if action == "mark":
            return self._can_mark and bool(self._order)
        if action in ("choose", "sort_again"):
            return bool(self._order)
        return True

    # Lines

    def line_count(self) -> int:
        """Return how many rows the filter leaves."""
        return len(self._order)

    def line_at(self, index: int, width: int) -> Line:
        """Make one row."""
        row = self._row(index)
        at_cursor = index == self._cursor
        mark = ">" if at_cursor else " "
        if self._can_mark:
            mark += "*" if row.id in self._marked else " "
        runs: list[Run] = self._layout.cells(row, width - len(mark))
        if at_cursor and self.has_focus:
            runs = [(text, "cursor") for text, _ in runs]
        runs.insert(0, (mark, ""))
        return joined(runs)

    def head_lines(self, width: int) -> tuple[Line, ...]:
        """Make the heading."""
        if not self._columns:
            return ()
        titles = TableRow("", tuple(self._title(number) for number in range(len(self._columns))))
        runs = self._layout.cells(titles, width - self._lead, heading=True)
        text = " " * self._lead + "".join(text for text, _ in runs)
        return (((text, "heading"),),)

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Say what is filtered."""
        if not self._filter:
            return ()
        return (((filter_note(self._filter, len(self._order), len(self._rows), self._noun), "accent"),),)

    def empty_lines(self, width: int) -> tuple[Line, ...]:
        """Say why there is no row."""
        if self._filter and len(self._rows):
            return (((nothing_left(self._filter, len(self._rows), self._noun), "muted"),),)
        return super().empty_lines(width)

    def cursor_moved(self) -> None:
        """Tell which row the cursor stands on."""
        found = self.highlighted
        if found is not None and self.is_attached:
            self.post_message(self.RowHighlighted(self, found))

    def redraw(self) -> None:
        """Make room for what has come into sight, then paint what differs."""
        top = self.scroll_offset.y
        for place in range(top, min(top + self.size.height, len(self._order))):
            self._layout.measure(self._row(place))
        super().redraw()

    def on_mount(self) -> None:
        """Say where the cursor stands at first."""
        self.cursor_moved()

    # Within

    @property
    def _lead(self) -> int:
        return 2 if self._can_mark else 1

    def _row(self, place: int) -> TableRow:
        return self._rows[self._order[place]]

    def _ordered(self) -> Sequence[int]:
        return order_of(self._rows, self._columns, self._sort, self._filter, self._keys_of)

    def _reorder(self, before: str | None) -> None:
        self._order = self._ordered()
        place = None if before is None else self._place_of(before)
        if place is not None:
            self._cursor = place
        self.take_count()
        self.show_cursor()
        self.redraw()
        if self.highlighted != before:
            self.cursor_moved()

    def _place_of(self, row_id: str) -> int | None:
        """Return where a row stands; mostly it is where the cursor was."""
        if self._cursor < len(self._order) and self._row(self._cursor).id == row_id:
            return self._cursor
        return next((place for place in range(len(self._order)) if self._row(place).id == row_id), None)

    def _measure_first_rows(self) -> None:
        for index in range(min(len(self._rows), _MEASURED_AT_FIRST)):
            self._layout.measure(self._rows[index])

    def _title(self, number: int) -> str:
        title = self._columns[number].title
        if self._sort is None or self._sort.column != number:
            return title
        arrows = ("^", "v") if self._ascii_only else ("▲", "▼")
        return f"{title} {arrows[self._sort.descending]}"


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show
    from widgets.table_rows import RowsFrom

    def _made_up(number: int) -> TableRow:
        draw = (number * 2654435761) % 10_000
        verdict = ("full", "failure", "partial")[draw % 3]
        figures = (verdict, f"{draw / 7:,.1f}", f"{draw % 900} ms", f"{draw * 31:,}", f"note {draw:x}")
        return TableRow(str(number), (f"model-{draw % 14}/test-{number:06}", *figures))

    _titles = ("test", "verdict", "score", "TTFT p50", "tokens", "why")
    _columns = [
        TableColumn(title, "right" if 2 <= n <= 4 else "left", 2 <= n <= 4) for n, title in enumerate(_titles)
    ]
    show(Table(_columns, RowsFrom(100_000, _made_up), can_mark=True, noun="tests", ascii_only=ASCII_ONLY))
