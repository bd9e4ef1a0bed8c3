"""The live grid: rows are deployments, columns keys, a cell one lane's requests in flight against its limit.

A Line-API widget that repaints only the rows that changed, each as one region from its left edge: the
compositor writes a row from there in any case, and the cost over SSH is counted in bytes.
Run `python -m widgets.lane_grid` to see it on made-up figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.lane_layout import CORNER, GridLayout, header_text, lay_out, short_labels
from widgets.lane_lines import changed_extent, family_extent, line_runs
from widgets.lane_values import GridData, GridLine, GridRow, body_lines, total_line

Place = tuple[str, str, str]
"""Group, row name and column of a lane."""
_CHROME_LINES = 2  # heading and totals stay while the body scrolls


class LaneGrid(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows `GridData`; give it new data as often as you like."""

    DEFAULT_CSS = """
    LaneGrid { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    LaneGrid > .lane-grid--heading { color: $text-muted; text-style: underline; }
    LaneGrid > .lane-grid--group { color: $text-primary; text-style: bold; }
    LaneGrid > .lane-grid--total { text-style: bold; }
    LaneGrid > .lane-grid--bar { color: $primary; }
    LaneGrid > .lane-grid--idle { color: $text-muted; }
    LaneGrid > .lane-grid--full { color: $text-success; }
    LaneGrid > .lane-grid--throttled { color: $text-warning; text-style: bold; }
    LaneGrid > .lane-grid--parked { color: $text-error; text-style: bold; }
    LaneGrid > .lane-grid--off { color: $text-disabled; }
    LaneGrid > .lane-grid--cursor { text-style: reverse; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"lane-grid--{name}"
        for name in (
            "heading",
            "group",
            "total",
            "bar",
            "idle",
            "full",
            "throttled",
            "parked",
            "off",
            "cursor",
        )
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move_cursor(-1, 0)", "Up", show=False),
        Binding("down,j", "move_cursor(1, 0)", "Down", show=False),
        Binding("left,h", "move_cursor(0, -1)", "Left", show=False),
        Binding("right,l", "move_cursor(0, 1)", "Right", show=False),
        Binding("pageup,ctrl+u", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "move_page(1)", "Page down", show=False),
        Binding("home,g", "move_cursor(-1000000, 0)", "First row", show=False),
        Binding("end,G", "move_cursor(1000000, 0)", "Last row", show=False),
        Binding("f", "follow", "Follow what runs", show=False),
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

    def __init__(
        self,
        data: GridData | None = None,
        *,
        ascii_only: bool = False,
        empty_text: str = "no lanes yet",
        id: str | None = None,
    ) -> None:
        """Show `data`, or `empty_text` while there are no rows."""
        super().__init__(id=id)
        self._ascii_only = ascii_only
        self._empty_text = empty_text
        self._data = data or GridData()
        self._lines: tuple[GridLine, ...] = ()
        self._total = total_line(self._data)
        self._layout_now: GridLayout | None = None
        self._row_lines: list[int] = []
        self._cursor = (0, 0)
        self._first_column = 0
        self._labels: dict[str, str] = {}
        self._following = True
        self._followed: Place | None = None
        self._followed_at: Size | None = None
        self._styles_now: dict[str, Style] = {}
        self._take_shape()

    @property
    def data(self) -> GridData:
        """What is shown."""
        return self._data

    @property
    def highlighted(self) -> Place | None:
        """Group, row name and column under the cursor."""
        row, column = self._cursor
        if row >= len(self._row_lines) or column >= len(self._data.columns):
            return None
        found = self._row_at(row)
        return (found.group, found.name, self._data.columns[column])

    @property
    def following(self) -> bool:
        """Whether the cursor goes where the caller says: until it is moved by hand."""
        return self._following

    def show(self, data: GridData, follow: Place | None = None) -> None:
        """Show new data, repainting only what differs from the old; `follow` is the lane to watch now."""
        self._followed = follow or self._followed
        self._show_data(data)
        if self._following:
            self._go_to_followed()

    def _show_data(self, data: GridData) -> None:
        old, old_lines, old_total, before = self._data, self._lines, self._total, self.highlighted
        if data == old:
            return
        self._data = data
        if data.columns != old.columns or [row[:3] for row in data.rows] != [row[:3] for row in old.rows]:
            self._take_shape()
            self._find_again(before)
            self.refresh()
            return
        self._lines, self._total = body_lines(data), total_line(data)
        if self._relayout():
            self.refresh()
            return
        self._refresh_changed(old_lines, old_total)

    def render_line(self, y: int) -> Strip:
        """Draw the heading, the totals, or the line of the body that is scrolled to here."""
        layout, width = self._layout_now, self._width
        if layout is None or not self._data.rows:
            text = self._empty_text if y == 0 else ""
            return Strip([Segment(text[:width].ljust(width), self._style("idle"))], width)
        if y == 0:
            text = header_text(self._data, layout, self._first_column, self._corner())
            return Strip([Segment(text[:width].ljust(width), self._style("heading"))], width)
        if y == self._total_y:
            return self._strip(self._total, cursor=None, width=width)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._lines) or y > self._total_y:
            return Strip.blank(width, self.rich_style)
        line = self._lines[index]
        at_cursor = line.row >= 0 and self._row_lines[self._cursor[0]] == index
        return self._strip(line, cursor=self._cursor[1] if at_cursor else None, width=width)

    def notify_style_update(self) -> None:
        """Forget the styles when the theme changes."""
        super().notify_style_update()
        self._styles_now = {}

    def on_resize(self, event: events.Resize) -> None:
        """Choose the widths anew."""
        self._layout_now = None
        self._relayout()
        if self._following:
            self._go_to_followed()
        self._keep_cursor_visible()
        self.refresh()

    def on_mount(self) -> None:
        """Say where the cursor stands at first."""
        self._tell_highlighted()

    def action_move_cursor(self, rows: int, columns: int) -> None:
        """Move the cursor, stopping at the edges."""
        if not self._row_lines:
            return
        self._following = False
        row, column = self._cursor
        moved = (
            min(max(row + rows, 0), len(self._row_lines) - 1),
            min(max(column + columns, 0), max(0, len(self._data.columns) - 1)),
        )
        self._set_cursor(moved)

    def action_follow(self) -> None:
        """Let the cursor go where work is done, until it is moved again."""
        self._following = True
        self._go_to_followed()

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by a screenful of rows."""
        self.action_move_cursor(pages * max(1, self.size.height - _CHROME_LINES - 1), 0)

    def _set_cursor(self, moved: tuple[int, int]) -> None:
        before, self._cursor = self._cursor, moved
        if moved == before:
            return
        if not self._keep_cursor_visible():
            for line in {self._row_lines[before[0]], self._row_lines[moved[0]]}:
                self._refresh_line(line, self._width)
        self._tell_highlighted()

    def _go_to_followed(self) -> None:
        """Move to the lane that is followed; scroll only if its family is not all in sight, or the size is new."""
        if self._layout_now is None or self._followed is None or self._followed[2] not in self._data.columns:
            return
        for row in range(len(self._row_lines)):
            found = self._row_at(row)
            if (found.group, found.name) == self._followed[:2]:
                break
        else:
            return
        line, room = self._row_lines[row], max(1, self.size.height - _CHROME_LINES)
        first, last = family_extent(self._data, self._lines, line)
        anew, self._followed_at = self._followed_at != self.size, self.size
        if anew or first < self.scroll_offset.y or last >= self.scroll_offset.y + room:
            top = max(min(first, len(self._lines) - room), line - room + 1, 0)
            if top != self.scroll_offset.y:
                self.scroll_to(y=top, animate=False, immediate=True, force=True)
                self.refresh()
        self._set_cursor((row, self._data.columns.index(self._followed[2])))

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width  # without the scroll bar, which `size` includes

    @property
    def _total_y(self) -> int:
        """The totals stand below the last row, and stay in sight where the rows scroll."""
        return min(self.size.height - 1, len(self._lines) + 1)

    def _row_at(self, row: int) -> GridRow:
        return self._data.rows[self._lines[self._row_lines[row]].row]

    def _corner(self) -> str:
        groups = {row.group for row in self._data.rows}
        return next(iter(groups)) if len(groups) == 1 else CORNER

    def _take_shape(self) -> None:
        self._lines, self._total = body_lines(self._data), total_line(self._data)
        self._row_lines = [index for index, line in enumerate(self._lines) if line.row >= 0]
        self._layout_now = None
        self._relayout()

    def _relayout(self) -> bool:
        """Choose widths for the data; return whether they changed."""
        width = self._width
        if width <= 0:
            return False
        layout = lay_out(self._data, self._lines, self._total, width, at_least=self._layout_now)
        changed, self._layout_now = layout != self._layout_now, layout
        if changed:
            self._labels = short_labels((*self._lines, self._total), layout.label)
        self._first_column = min(self._first_column, max(0, len(self._data.columns) - layout.visible))
        virtual = Size(width, len(self._lines) + _CHROME_LINES)
        if virtual != self.virtual_size:
            self.virtual_size = virtual
        return changed

    def _find_again(self, before: Place | None) -> None:
        """Keep the cursor on its lane when rows or columns came or went."""
        row, column = self._cursor
        if before is not None:
            group, name, column_name = before
            for index in range(len(self._row_lines)):
                found = self._row_at(index)
                if (found.group, found.name) == (group, name):
                    row = index
            if column_name in self._data.columns:
                column = self._data.columns.index(column_name)
        self._cursor = (
            min(row, max(0, len(self._row_lines) - 1)),
            min(column, max(0, len(self._data.columns) - 1)),
        )
        if self.highlighted != before:
            self._tell_highlighted()
        self._keep_cursor_visible()

    def _tell_highlighted(self) -> None:
        found = self.highlighted
        if found is not None and self.is_attached:
            self.post_message(self.LaneHighlighted(*found))

    def _keep_cursor_visible(self) -> bool:
        """Scroll so that the cursor is seen; return whether all was repainted for it."""
        layout = self._layout_now
        if layout is None or not self._row_lines:
            return False
        row, column = self._cursor
        first = min(max(self._first_column, column - layout.visible + 1), column)
        moved = first != self._first_column
        self._first_column = first
        line, room = self._row_lines[row], max(1, self.size.height - _CHROME_LINES)
        top = 0 if row == 0 else line  # the headings above the first row are seen again with it
        offset = min(max(self.scroll_offset.y, line - room + 1), top)
        if offset != self.scroll_offset.y:
            self.scroll_to(y=offset, animate=False, immediate=True, force=True)
            moved = True
        if moved:
            self.refresh()
        return moved

    def _refresh_changed(self, old_lines: tuple[GridLine, ...], old_total: GridLine) -> None:
        layout = self._layout_now
        if layout is None:
            return
        top, room = self.scroll_offset.y, max(0, self.size.height - _CHROME_LINES)
        for index in range(top, min(top + room, len(self._lines))):
            extent = self._extent(old_lines[index], self._lines[index], layout)
            if extent:
                self._refresh_line(index, extent)
        extent = self._extent(old_total, self._total, layout)
        if extent:
            self.refresh(Region(0, self._total_y, min(extent, self._width), 1))

    def _extent(self, old: GridLine, new: GridLine, layout: GridLayout) -> int:
        return changed_extent(old, new, layout, self._first_column, ascii_only=self._ascii_only)

    def _refresh_line(self, index: int, extent: int) -> None:
        y = index - self.scroll_offset.y + 1
        if 0 < y < self._total_y:
            self.refresh(Region(0, y, min(extent, self._width), 1))

    def _strip(self, line: GridLine, *, cursor: int | None, width: int) -> Strip:
        layout = self._layout_now
        assert layout is not None
        label = self._labels.get(line.label, line.label)
        runs = line_runs(line, label, layout, self._first_column, cursor, ascii_only=self._ascii_only)
        strip = Strip([Segment(text, self._style(name)) for name, text in runs])
        return strip.adjust_cell_length(width, self._style(""))

    def _style(self, name: str) -> Style:
        style = self._styles_now.get(name)
        if style is None:
            style = self.get_component_rich_style(f"lane-grid--{name}") if name else self.rich_style
            self._styles_now[name] = style
        return style


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show
    from widgets.made_up import fake_grid

    _grid = LaneGrid(fake_grid(40, 4, 0), ascii_only=ASCII_ONLY)
    show(_grid, lambda step: _grid.show(fake_grid(40, 4, step)))
