"""A table whose rows are sorted and searched by its owner: it asks for an order, and goes on showing the old one meanwhile.

A hundred thousand rows take longer to sort than a screen may stand still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from widgets.table import Table
from widgets.table_layout import ColumnLayout
from widgets.table_rows import Rows, SortBy, TableColumn


class OrderedTable(Table):
    """Shows rows in the order that it was given last."""

    _can_choose = True

    @dataclass
    class OrderWanted(Message):
        """Another sort or filter was chosen."""

        table: OrderedTable
        sort: SortBy | None
        filter_text: str

        @property
        def control(self) -> OrderedTable:
            """The table, for `@on(..., "#id")`."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Only the newest wish matters."""
            return isinstance(message, OrderedTable.OrderWanted) and message.table is self.table

    def take(
        self,
        columns: Sequence[TableColumn],
        rows: Rows,
        order: Sequence[int],
        *,
        sort: SortBy | None = None,
        filter_text: str = "",
        cursor: int = 0,
        can_choose: bool = True,
        noun: str = "rows",
    ) -> None:
        """Show `rows` in `order`.

        Args:
            columns: their heads.
            rows: all of them.
            order: which are shown, as `sort` and `filter_text` leave them.
            sort: what `order` is sorted by.
            filter_text: the words that its rows have.
            cursor: a place in `order`.
            can_choose: whether Enter leads anywhere.
            noun: what rows are called in the plural.
        """
        self._can_choose, self._noun = can_choose, noun
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._layout = ColumnLayout(columns)
        self._rows, self._order = rows, order
        self._sort, self._filter = sort, filter_text.strip()
        self._cursor = min(max(0, cursor), max(0, len(order) - 1))
        self._measure_first_rows()
        self.take_count()
        self.show_cursor()
        self.redraw()
        self.cursor_moved()

    def set_empty_text(self, text: str) -> None:
        """Say this while there is no row."""
        if text != self._empty_text:
            self._empty_text = text
            self.redraw()

    @property
    def order(self) -> Sequence[int]:
        """Which rows are shown, in their order."""
        return self._order

    @property
    def index(self) -> int | None:
        """Which of the rows the cursor stands on, by its number in what was given."""
        return self._order[self._cursor] if self._cursor < len(self._order) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only keys that do something."""
        if action == "choose" and not self._can_choose:
            return False
        return super().check_action(action, parameters)

    def sort_by(self, sort: SortBy | None) -> None:
        """Ask for a sort."""
        if sort != self._sort:
            self.post_message(self.OrderWanted(self, sort, self._filter))

    def filter(self, text: str) -> None:
        """Ask for the rows in which all words occur."""
        if text.strip() != self._filter:
            self.post_message(self.OrderWanted(self, self._sort, text.strip()))

    def _ordered(self) -> Sequence[int]:
        return range(len(self._rows))
