"""The live grid: rows are deployments, columns keys, a cell one lane's requests in flight against its limit.

It shows one of several quantities, and its cursor selects a lane, a row, a model, a provider, a column or everything.
Run `python -m widgets.lane_grid` to see it on made-up figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from widgets.lane_filter import filtered
from widgets.lane_follow import line_of, top_for
from widgets.lane_layout import GridLayout, corner_text, lay_out, short_labels
from widgets.lane_lines import body_line, header_line
from widgets.lane_selection import (
    HEADING,
    LABELS,
    Selection,
    SelectionKind,
    Spot,
    first_cell,
    found_again,
    moved,
    selected,
)
from widgets.lane_values import GridData, GridLine, Quantity, grid_lines
from widgets.line_canvas import LineCanvas
from widgets.line_paint import Line
from widgets.word_filter import filter_note, nothing_left

Place = tuple[str, str, str]
"""Group, row name and column of a lane."""


class LaneGrid(LineCanvas, inherit_bindings=False):
    """Shows `GridData`; give it new data as often as you like."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move_cursor(-1, 0)", "Up", show=False),
        Binding("down,j", "move_cursor(1, 0)", "Down", show=False),
        Binding("left,h", "move_cursor(0, -1)", "Left", show=False),
        Binding("right,l", "move_cursor(0, 1)", "Right", show=False),
        Binding("pageup,ctrl+u", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "move_page(1)", "Page down", show=False),
        Binding("home,g", "move_cursor(-1000000, 0)", "First row", show=False),
        Binding("end,G", "move_cursor(1000000, 0)", "Last row", show=False),
        Binding(
            "f",
            "follow",
            "Follow what runs",
            show=False,
            id="grid.follow",
            tooltip="Follow what runs",
        ),
        Binding(
            "v",
            "widen",
            "select",
            show=False,
            id="grid.widen",
            tooltip="Select the row, the column, everything",
        ),
    ]

    @dataclass
    class LaneHighlighted(Message):
        """The cursor stands on another lane."""

        group: str
        name: str
        column: str

        def can_replace(self, message: Message) -> bool:
            """Only the newest place of the cursor matters."""
            return isinstance(message, LaneGrid.LaneHighlighted)

    @dataclass
    class SelectionChanged(Message):
        """The cursor selects something else; names that say nothing about it are empty."""

        kind: SelectionKind
        group: str
        name: str
        column: str

        def can_replace(self, message: Message) -> bool:
            """Only the newest place of the cursor matters."""
            return isinstance(message, LaneGrid.SelectionChanged)

    def __init__(
        self,
        data: GridData | None = None,
        *,
        quantity: Quantity = "in-flight",
        ascii_only: bool = False,
        empty_text: str = "no lanes yet",
        id: str | None = None,
    ) -> None:
        """Show `data`, or `empty_text` while there are no rows."""
        super().__init__(ascii_only=ascii_only, id=id)
        self._empty_text = empty_text
        self._given = data or GridData()
        self._data = self._given
        self._filter = ""
        self._quantity: Quantity = quantity
        self._lines, self._total = grid_lines(self._data)
        self._layout_now: GridLayout | None = None
        self._labels: dict[str, str] = {}
        self._spot = first_cell(self._lines)
        self._narrowed = self._spot
        """The last lane on which the cursor stood."""
        self._first_column = 0
        self._following = True
        self._followed: Place | None = None
        self._followed_at: Size | None = None

    # What is shown

    @property
    def lines_wanted(self) -> int:
        """How many lines would show everything."""
        return len(self._lines) + self._chrome

    @property
    def data(self) -> GridData:
        """What was given to be shown."""
        return self._given

    @property
    def highlighted(self) -> Place | None:
        """Group, row name and column of the lane under the cursor; None where it stands on no cell."""
        found = self.selection
        return (found.group, found.name, found.column) if found is not None and found.kind == "cell" else None

    @property
    def selection(self) -> Selection | None:
        """What the cursor selects; None: there is nothing."""
        return selected(self._spot, self._lines, self._data.columns)

    @property
    def following(self) -> bool:
        """Whether the cursor goes where the caller says: until it is moved by hand."""
        return self._following

    @property
    def quantity(self) -> Quantity:
        """Which figures are shown."""
        return self._quantity

    @quantity.setter
    def quantity(self, quantity: Quantity) -> None:
        if quantity != self._quantity:
            self._quantity = quantity
            self._layout_now = None
            self._relayout()
            self.redraw()

    @property
    def filter_text(self) -> str:
        """The words that rows must have, and columns where they begin with `@`."""
        return self._filter

    def show(self, data: GridData, follow: Place | None = None) -> None:
        """Show new data, repainting only what differs from the old; `follow` is the lane to watch now."""
        self._followed = follow or self._followed
        if data != self._given:
            self._given = data
            self._take(filtered(data, self._filter) if self._filter else data)
        if self._following:
            self._go_to_followed()

    def filter(self, text: str) -> None:
        """Show only rows in which all words occur, and columns with any word behind an `@`; an empty text shows all."""
        if text.strip() != self._filter:
            self._filter = text.strip()
            self._layout_now = None
            self._take(filtered(self._given, self._filter))

    # Keys

    def action_move_cursor(self, rows: int, columns: int) -> None:
        """Move the cursor, stopping at the edges."""
        if not self._lines:
            return
        self._following = False
        self._set_spot(moved(self._spot, self._lines, len(self._data.columns), rows, columns))

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by a screenful of rows."""
        step = max(2, self._room - 1)  # a single step could leave the rows
        self.action_move_cursor(pages * step, 0)

    def action_follow(self) -> None:
        """Let the cursor go where work is done, until it is moved again."""
        self._following = True
        self._go_to_followed()

    def stay(self) -> None:
        """Let the cursor stay where it is, as if it had been moved there by hand."""
        self._following = False

    def action_widen(self) -> None:
        """Select the row of the lane, then its column, then everything, then the lane again."""
        if not self._lines:
            return
        self._following = False
        line, column = self._narrowed
        ring = [Spot(line, column), Spot(line, LABELS), Spot(HEADING, column), Spot(HEADING, LABELS)]
        at = ring.index(self._spot) if self._spot in ring else 0
        self._set_spot(ring[(at + 1) % len(ring)])

    # Lines

    def screen_lines(self, width: int, height: int) -> list[Line]:
        """Make the heading, the rows in sight, the totals, and what is filtered."""
        layout = self._layout_now
        if layout is None or not self._data.rows:
            return self._why_empty()
        head_at = self._spot.column if self._spot.line == HEADING else None
        lines = [header_line(self._data, layout, self._first_column, corner_text(self._data), head_at)]
        top = self.scroll_offset.y
        for index in range(top, min(top + self._room, len(self._lines))):
            cursor = self._spot.column if index == self._spot.line else None
            lines.append(self._line(self._lines[index], layout, cursor))
        lines.append(self._line(self._total, layout, None))
        if self._filter:
            note = filter_note(self._filter, len(self._data.rows), len(self._given.rows), "rows")
            lines.append(((note, "accent"),))
        return lines

    def take_size(self) -> None:
        """Choose the widths anew."""
        self._layout_now = None
        self._relayout()
        if self._following:
            self._go_to_followed()
        self._keep_cursor_visible()

    def on_mount(self) -> None:
        """Say where the cursor stands at first."""
        self._tell()

    # Within

    @property
    def _chrome(self) -> int:
        """Lines that stay while the body scrolls: heading, totals, what is filtered."""
        return 3 if self._filter else 2

    @property
    def _room(self) -> int:
        return max(0, self.size.height - self._chrome)

    def _why_empty(self) -> list[Line]:
        if self._filter and self._given.rows:
            return [((nothing_left(self._filter, len(self._given.rows), "rows"), "muted"),)]
        return [((self._empty_text, "muted"),)]

    def _line(self, line: GridLine, layout: GridLayout, cursor: int | None) -> Line:
        label = self._labels.get(line.label, line.label)
        return body_line(
            line, label, layout, self._quantity, self._first_column, cursor, ascii_only=self._ascii_only
        )

    def _take(self, data: GridData) -> None:
        """Show what a filter leaves; where rows came or went the cursor stays on what it selects."""
        old, before = self._data, self.selection
        self._data = data
        self._lines, self._total = grid_lines(data, "shown" if self._filter else "total")
        if data.columns != old.columns or [row[:3] for row in data.rows] != [row[:3] for row in old.rows]:
            self._layout_now = None
            self._relayout()
            if before is None:
                self._spot = first_cell(self._lines)
            else:
                self._spot = found_again(self._spot, before, self._lines, data.columns)
            if self.selection != before:
                self._tell()
            self._keep_cursor_visible()
        else:
            self._relayout()
        self.redraw()

    def _relayout(self) -> None:
        """Choose widths for the data."""
        size = self.canvas
        if size.width <= 0:
            return
        shown = (self._data, self._lines, self._total, size.width, size.height, self._quantity)
        layout = lay_out(*shown, at_least=self._layout_now)
        if layout != self._layout_now:
            self._layout_now = layout
            self._labels = short_labels((*self._lines, self._total), layout.label)
        self._first_column = min(self._first_column, max(0, len(self._data.columns) - layout.visible))
        self.set_line_count(len(self._lines) + self._chrome)

    def _set_spot(self, spot: Spot) -> None:
        if spot == self._spot:
            return
        self._spot = spot
        if spot.line != HEADING and spot.column != LABELS:
            self._narrowed = spot
        self._keep_cursor_visible()
        self.redraw()
        self._tell()

    def _go_to_followed(self) -> None:
        """Move to the lane that is followed; scroll only if its family is not all in sight, or the size is new."""
        if self._layout_now is None or self._followed is None or self._followed[2] not in self._data.columns:
            return
        group, name, column = self._followed
        line = line_of(self._lines, group, name)
        if line is None:
            return
        anew, self._followed_at = self._followed_at != self.size, self.size
        room, top = max(1, self._room), self.scroll_offset.y
        self.scroll_to_line(top_for(self._data, self._lines, line, top, room, anew=anew))
        self._set_spot(Spot(line, self._data.columns.index(column)))

    def _tell(self) -> None:
        found = self.selection
        if found is None or not self.is_attached:
            return
        if found.kind == "cell":
            self.post_message(self.LaneHighlighted(found.group, found.name, found.column))
        self.post_message(self.SelectionChanged(*found))

    def _keep_cursor_visible(self) -> None:
        """Scroll so that the cursor is seen."""
        layout, (line, column) = self._layout_now, self._spot
        if layout is None or not self._lines:
            return
        if column != LABELS:
            self._first_column = min(max(self._first_column, column - layout.visible + 1), column)
        if line != HEADING:
            # with the first row the headings above it are seen again
            top = 0 if all(other.row < 0 for other in self._lines[:line]) else line
            self.scroll_to_line(min(max(self.scroll_offset.y, line - max(1, self._room) + 1), top))


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show
    from widgets.lane_values import QUANTITIES
    from widgets.made_up import fake_grid

    _grid = LaneGrid(ascii_only=ASCII_ONLY)

    def _go_on(step: int) -> None:
        _grid.quantity = QUANTITIES[step // 5 % len(QUANTITIES)]
        _grid.show(fake_grid(40, 4, step))

    show(_grid, _go_on)
