"""Finished tables as one document that scrolls both ways, sideways by whole columns, the first one staying in sight.

Run `python -m widgets.summary_table` to see it on made-up figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.paragraphs import broken, paragraph
from widgets.scroll_bar import whole_cells
from widgets.short_names import shortened
from widgets.tones import ToneStyles

_GAP: Final = "  "
_LOOKS: Final = {
    "title": "bold $text-primary",
    "heading": "underline $text-muted",
    "note": "$text-muted",
    "row": "",
}
_LEAST_NAME: Final = 8
"""What the first column keeps where it gives way to the second."""


class SummaryTable(NamedTuple):
    """A table as it is printed: cells are text, numbers already written out. Without columns it is its notes."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


class _DocumentLine(NamedTuple):
    kind: Literal["title", "heading", "row", "note"]
    text: str
    cells: tuple[str, ...] = ()
    """The columns behind the first one, each as wide as its column."""


class SummaryTables(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows tables below one another."""

    DEFAULT_CSS = """
    SummaryTables { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """
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
        self._tone_styles = ToneStyles(self)
        self._tables: tuple[SummaryTable, ...] = ()
        self._lines: tuple[_DocumentLine, ...] = ()
        self._shift = 0
        self.show(tables)

    def show(self, tables: Sequence[SummaryTable]) -> None:
        """Show other tables, from the top."""
        self._tables = tuple(tables)
        self._shift = 0
        self._lay_out()
        if self.is_attached:
            self.scroll_to(y=0, animate=False, immediate=True)

    def action_shift(self, columns: int) -> None:
        """Move the columns behind the first one sideways."""
        furthest = max((self._furthest(line) for line in self._lines if line.kind == "heading"), default=0)
        shift = min(max(0, self._shift + columns), furthest)
        if shift != self._shift:
            self._shift = shift
            self.refresh()

    def _lay_out(self) -> None:
        width = self._width
        lines = [line for table in self._tables for line in _table_lines(table, width)]
        self._lines = tuple(lines[:-1])  # no blank line below the last one
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def _furthest(self, line: _DocumentLine) -> int:
        """Return how many columns must go before the last one is in sight; a table that fits stays as it is."""
        shift = 0
        while shift < len(line.cells) - 1 and self._seen(line, shift) < len(line.cells):
            shift += 1
        return shift

    def _seen(self, line: _DocumentLine, shift: int) -> int:
        """Return before which column the line ends; the next one would be cut."""
        used, seen = cell_len(line.text), shift
        for cell in line.cells[shift:]:
            used += len(_GAP) + cell_len(cell)
            last = seen == len(line.cells) - 1
            if used + (0 if last else 1) > self._width:  # one more for the mark that there are others
                break
            seen += 1
        return max(seen, min(shift + 1, len(line.cells)))

    def notify_style_update(self) -> None:
        """Forget the styles when the theme changes."""
        super().notify_style_update()
        self._tone_styles.forget()

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width  # without the scroll bar, which `size` includes

    def on_mount(self) -> None:
        """Draw the scroll bar with what ASCII has."""
        whole_cells(self)

    def on_resize(self, event: events.Resize) -> None:
        """Take the new width; a table that now fits is shifted back."""
        self._lay_out()
        self.action_shift(0)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the document."""
        index, width = y + self.scroll_offset.y, self._width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[index]
        style = self._tone_styles.looking(_LOOKS[line.kind])
        text = line.text
        more = False
        if line.cells:
            shift = min(self._shift, self._furthest(line))
            seen = self._seen(line, shift)
            more = line.kind == "heading" and seen < len(line.cells)
            text += "".join(_GAP + cell for cell in line.cells[shift:seen])
            if line.kind == "heading" and shift:
                text = f"{line.text}< {text[len(line.text) + len(_GAP) :]}"
        strip = Strip([Segment(text, style)]).adjust_cell_length(width, style)
        return Strip([*strip.crop(0, width - 1), Segment(">", style)]) if more else strip


def _table_lines(table: SummaryTable, width: int) -> list[_DocumentLine]:
    lines: list[_DocumentLine] = []
    if table.title:
        lines += _text_lines("title", table.title, width)
    if table.columns:
        lines += _grid_lines(table, width)
    if table.columns and not table.rows:
        lines.append(_DocumentLine("note", "nothing to show"))
    for note in table.notes:
        lines += _text_lines("note", note, width)
    return [*lines, _DocumentLine("row", "")]


def _grid_lines(table: SummaryTable, width: int) -> list[_DocumentLine]:
    grid = [table.columns, *table.rows]
    widths = [
        max((cell_len(row[n]) for row in grid if n < len(row)), default=0) for n in range(len(table.columns))
    ]
    beside = 1 + sum(len(_GAP) + wide for wide in widths[1:2])
    names = shortened(
        (row[0] for row in grid if row), max(_LEAST_NAME, width - beside) if width else widths[0]
    )
    first = max((cell_len(name) for name in names.values()), default=0)
    return [
        _DocumentLine(
            "row" if number else "heading",
            set_cell_size(names[row[0]], first),
            tuple(_right(text, wide) for text, wide in zip(row[1:], widths[1:], strict=False)),
        )
        for number, row in enumerate(grid)
        if row
    ]


def _text_lines(kind: Literal["title", "note"], text: str, width: int) -> list[_DocumentLine]:
    lines = broken(paragraph(text, hang=2), width) if width > 0 else [((text, ""),)]
    return [_DocumentLine(kind, "".join(piece for piece, _ in line)) for line in lines]


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


if __name__ == "__main__":
    from widgets.demo import show

    _columns = (
        "model",
        *[
            "tests",
            "full",
            "failure",
            "infra",
            "req/s",
            "TTFT-p50",
            "p95",
            "p99",
            "TPOT-p50",
            "e2e-p50",
            "e2e-p99",
        ],
    )
    _rows = tuple((f"model-{n}", *(str(n * column) for column in range(1, 12))) for n in range(12))
    _wide = SummaryTable("by model (SIMULATED)", _columns, _rows, ("p99 needs 100 requests",))
    show(SummaryTables([_wide, SummaryTable("by key", _columns[:4], ())]))
