"""Finished tables as one document that scrolls both ways, the first column staying in sight.

Run `python -m widgets.summary_table` to see it on made-up figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

_GAP = "  "
_STEP = 8


class SummaryTable(NamedTuple):
    """A table as it is printed: cells are text, numbers already written out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


class _DocumentLine(NamedTuple):
    kind: Literal["title", "heading", "row", "note"]
    fixed: str
    rest: str


class SummaryTables(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows tables below one another."""

    DEFAULT_CSS = """
    SummaryTables { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    SummaryTables > .summary-tables--title { text-style: bold; color: $text-primary; }
    SummaryTables > .summary-tables--heading { color: $text-muted; text-style: underline; }
    SummaryTables > .summary-tables--note { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"summary-tables--{name}" for name in ("title", "heading", "note")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("left,h", "shift(-1)", "Left", show=False),
        Binding("right,l", "shift(1)", "Right", show=False),
        Binding("pageup,ctrl+u", "page_up", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Bottom", show=False),
    ]

    def __init__(self, tables: Sequence[SummaryTable] = (), *, id: str | None = None) -> None:
        """Show `tables`."""
        super().__init__(id=id)
        self._lines: tuple[_DocumentLine, ...] = ()
        self._shift = 0
        self._widest = 0
        self.show(tables)

    def show(self, tables: Sequence[SummaryTable]) -> None:
        """Show other tables, from the top."""
        lines = [line for table in tables for line in _table_lines(table)]
        self._lines = tuple(lines[:-1])  # no blank line below the last one
        self._shift = 0
        self._widest = max((cell_len(line.fixed + line.rest) for line in self._lines), default=0)
        self.virtual_size = Size(self._width, len(self._lines))
        if self.is_attached:
            self.scroll_to(y=0, animate=False, immediate=True)
        self.refresh()

    def action_shift(self, steps: int) -> None:
        """Move the columns behind the first one sideways."""
        furthest = max(0, self._widest - self._width + 1)
        shift = min(max(0, self._shift + steps * _STEP), furthest)
        if shift != self._shift:
            self._shift = shift
            self.refresh()

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width  # without the scroll bar, which `size` includes

    def on_resize(self, event: events.Resize) -> None:
        """Take the new width; a table that now fits is shifted back."""
        self.virtual_size = Size(self._width, len(self._lines))
        self.action_shift(0)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the document."""
        index, width = y + self.scroll_offset.y, self._width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[index]
        style = self.rich_style
        if line.kind != "row":
            style = self.get_component_rich_style(f"summary-tables--{line.kind}")
        shift = self._shift if line.kind in ("heading", "row") else 0
        rest = Strip([Segment(line.rest, style)]).crop(shift)
        if shift and line.kind == "heading":
            rest = Strip([Segment("<", style), *rest.crop(1)])
        more = cell_len(line.fixed) + cell_len(line.rest) - shift > width
        strip = Strip([Segment(line.fixed, style), *rest]).adjust_cell_length(width, style)
        if more and line.kind == "heading":
            strip = Strip([*strip.crop(0, width - 1), Segment(">", style)])
        return strip


def _table_lines(table: SummaryTable) -> list[_DocumentLine]:
    lines = [_DocumentLine("title", table.title, "")]
    grid = [table.columns, *table.rows]
    widths = [
        max((cell_len(row[index]) for row in grid if index < len(row)), default=0)
        for index in range(len(table.columns))
    ]
    for number, row in enumerate(grid):
        if not row:
            continue
        fixed = set_cell_size(row[0], widths[0])
        rest = "".join(_GAP + _right(text, width) for text, width in zip(row[1:], widths[1:], strict=False))
        lines.append(_DocumentLine("row" if number else "heading", fixed, rest))
    if not table.rows:
        lines.append(_DocumentLine("note", "nothing to show", ""))
    lines += [_DocumentLine("note", "", note) for note in table.notes]
    return [*lines, _DocumentLine("row", "", "")]


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


if __name__ == "__main__":
    from widgets.demo import show_tables

    show_tables()
