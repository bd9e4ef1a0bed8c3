"""Two runs side by side, over the whole screen; Esc goes back to the runs."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.screens.dialog import Dialog
from console.screens.key_line import KeyLine
from console.screens.results.headline import note_paragraphs
from console.screens.results.sheet import Sort
from console.screens.results.shown import ShownRows, shown_columns, shown_text, sort_by, table_text
from console.screens.runs.needs import Comparison
from console.vocabulary.safe_text import safe_line
from widgets.ordered_table import OrderedTable
from widgets.paragraphs import Paragraph, Paragraphs, paragraph


class Compare(Dialog[None]):
    """Shows what was compared, and says first what could not be."""

    CSS_PATH = "compare.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#compared"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q", "dismiss", "back", key_display="esc", id="compare.close", tooltip="Back to the runs"
        ),
        Binding("y", "copy", "copy", id="compare.copy", tooltip="Copy the table"),
    ]

    def __init__(self, comparison: Comparison, *, ascii_only: bool = False) -> None:
        """Show `comparison`."""
        super().__init__()
        self._comparison, self._ascii_only = comparison, ascii_only

    def compose(self) -> ComposeResult:
        """Lay out the two runs, what is refused, and the table."""
        ascii_only = self._ascii_only
        yield Paragraphs([self._head(0), self._head(1)], classes="heads")
        refused = [
            paragraph(f" not compared: {shown_text(line, 300, ascii_only=ascii_only)}", "warn", 1)
            for line in self._comparison.refused
        ]
        yield Paragraphs(refused, classes="refused")
        yield OrderedTable(ascii_only=ascii_only, empty_text="neither run has a result", id="compared")
        notes = note_paragraphs(self._comparison.table.notes, ascii_only=ascii_only)
        yield Paragraphs(notes, classes="notes")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fill the table."""
        self._fill(None, "")

    @on(OrderedTable.OrderWanted, "#compared")
    def order_wanted(self, event: OrderedTable.OrderWanted) -> None:
        """Sort; there are no more rows than models."""
        sort = None if event.sort is None else Sort(event.sort.column, event.sort.descending)
        self._fill(sort, event.filter_text)

    def action_copy(self) -> None:
        """Copy all rows with their heads."""
        sheet = self._comparison.table
        text = "\n".join([*self._comparison.heads, table_text(sheet, self.query_one(OrderedTable).order)])
        self._holder.copy_to_clipboard(text)

    def _fill(self, sort: Sort | None, text: str) -> None:
        sheet = self._comparison.table
        self.query_one(OrderedTable).take(
            shown_columns(sheet, ascii_only=self._ascii_only),
            ShownRows(sheet, ascii_only=self._ascii_only),
            sheet.order(sort, tuple(text.casefold().split())),
            sort=sort_by(sort),
            filter_text=text,
            can_choose=False,
        )

    def _head(self, side: int) -> Paragraph:
        return Paragraph(((f" {side + 1} ", "strong"), (safe_line(self._comparison.heads[side], 300), "")), 3)
