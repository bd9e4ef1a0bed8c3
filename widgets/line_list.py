"""The ground of all lists: lines of which only those in sight are made, with a cursor and fixed lines round them.

After any change a list makes the lines in sight anew, compares them with what stands on the screen, and paints the
ones that differ, each as one region from its left edge and no further than it changed.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.line_paint import TONES, Line, Tone, changed_extent
from widgets.scroll_bar import whole_cells


class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the lines that a subclass makes."""

    DEFAULT_CSS = """
    LineList { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    LineList > .line-list--strong { text-style: bold; }
    LineList > .line-list--muted { color: $text-muted; }
    LineList > .line-list--accent { color: $text-primary; }
    LineList > .line-list--good { color: $text-success; text-style: bold; }
    LineList > .line-list--warn { color: $text-warning; text-style: bold; }
    LineList > .line-list--bad { color: $text-error; text-style: bold; }
    LineList > .line-list--badge { text-style: bold reverse; }
    LineList > .line-list--heading { color: $text-muted; text-style: underline; }
    LineList > .line-list--cursor { text-style: reverse; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-list--{tone}" for tone in TONES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move_cursor(-1)", "Up", show=False),
        Binding("down,j", "move_cursor(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "move_page(1)", "Page down", show=False),
        Binding("home,g", "go_first", "First", show=False),
        Binding("end,G", "go_last", "Last", show=False),
    ]

    def __init__(
        self,
        *,
        ascii_only: bool = False,
        empty_text: str = "nothing here",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `empty_text` while there are no lines."""
        super().__init__(id=id, classes=classes)
        self._ascii_only = ascii_only
        self._empty_text = empty_text
        self._cursor = 0
        self._shown: list[Line] = []
        self._shown_size = Size(0, 0)
        self._styles_now: dict[Tone, Style] = {}

    # What a subclass says of itself

    def line_count(self) -> int:
        """Return how many lines there are in all, in sight or not."""
        raise NotImplementedError

    def line_at(self, index: int, width: int) -> Line:
        """Make one line, at most `width` columns wide."""
        raise NotImplementedError

    def head_lines(self, width: int) -> tuple[Line, ...]:
        """Make the lines that stay above."""
        return ()

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Make the lines that stay below."""
        return ()

    def empty_lines(self, width: int) -> tuple[Line, ...]:
        """Say why there is nothing."""
        return (((self._empty_text, "muted"),),)

    def cursor_moved(self) -> None:
        """Tell others where the cursor stands; called whenever it has moved."""

    # What is done with it

    @property
    def cursor(self) -> int:
        """The line under the cursor."""
        return self._cursor

    @property
    def ascii_only(self) -> bool:
        """Whether only ASCII is drawn."""
        return self._ascii_only

    def take_count(self) -> None:
        """Take a new number of lines; call it before `redraw` whenever lines came or went."""
        self._cursor = min(self._cursor, max(0, self.line_count() - 1))
        width = self._width
        fixed = len(self.head_lines(width)) + len(self.foot_lines(width))
        virtual = Size(width, self.line_count() + fixed)
        if virtual != self.virtual_size:
            self.virtual_size = virtual

    def redraw(self) -> None:
        """Paint again what looks different from what stands on the screen."""
        if self._shown_size != self._canvas:
            self.refresh()
            return
        before, self._shown = self._shown, self._screen_lines()
        width = self._width
        for y, (old, new) in enumerate(zip(before, self._shown, strict=True)):
            extent = changed_extent(old, new)
            if extent:
                self.refresh(Region(0, y, min(extent, width), 1))

    def go_to(self, index: int) -> None:
        """Set the cursor on a line, as near as there is one, and scroll to it."""
        moved = min(max(index, 0), max(0, self.line_count() - 1))
        changed, self._cursor = moved != self._cursor, moved
        if changed:
            self.cursor_moved()
        self.show_cursor()
        self.redraw()

    def show_cursor(self) -> None:
        """Scroll so that the cursor is in sight."""
        room = self._room
        if room <= 0:
            return
        top = min(max(self.scroll_offset.y, self._cursor - room + 1), self._cursor)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)

    def action_move_cursor(self, lines: int) -> None:
        """Move the cursor, stopping at the ends."""
        self.go_to(self._cursor + lines)

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by a screenful."""
        self.go_to(self._cursor + pages * max(1, self._room - 1))

    def action_go_first(self) -> None:
        """Move to the first line."""
        self.go_to(0)

    def action_go_last(self) -> None:
        """Move to the last line."""
        self.go_to(self.line_count() - 1)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        if self._shown_size != self._canvas:
            self._shown, self._shown_size = self._screen_lines(), self._canvas
        width = self._width
        runs = self._shown[y] if y < len(self._shown) else ()
        strip = Strip([Segment(text, self._style(tone)) for text, tone in runs if text])
        return strip.adjust_cell_length(width, self._style(""))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint only what looks different, where Textual would paint all."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.redraw()

    def on_mount(self) -> None:
        """Take the first lines."""
        whole_cells(self)
        self.take_count()

    def on_resize(self, event: events.Resize) -> None:
        """Make all lines anew at the new size."""
        self.take_count()
        self.show_cursor()
        self._shown_size = Size(0, 0)
        self.refresh()

    def on_focus(self, event: events.Focus) -> None:
        """Show the cursor as one that moves."""
        self.redraw()

    def on_blur(self, event: events.Blur) -> None:
        """Show the cursor as one that rests."""
        self.redraw()

    def notify_style_update(self) -> None:
        """Forget the styles when the theme changes."""
        super().notify_style_update()
        self._styles_now = {}

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width  # without the scroll bar, which `size` includes

    @property
    def _canvas(self) -> Size:
        return Size(self._width, self.size.height)

    @property
    def _room(self) -> int:
        """How many lines are in sight between the fixed ones."""
        head, foot = self._fixed()
        return self.size.height - len(head) - len(foot)

    def _fixed(self) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """Return the fixed lines that leave at least one line for the others."""
        width, height = self._width, self.size.height
        head, foot = self.head_lines(width), self.foot_lines(width)
        if len(head) + len(foot) >= height:
            foot = ()
        if len(head) >= height:
            head = ()
        return head, foot

    def _screen_lines(self) -> list[Line]:
        width, height, top = self._width, self.size.height, self.scroll_offset.y
        head, foot = self._fixed()
        room, count = max(0, height - len(head) - len(foot)), self.line_count()
        if count:
            body = [self.line_at(index, width) for index in range(top, min(top + room, count))]
        else:
            body = list(self.empty_lines(width))[:room]
        body += [()] * (room - len(body))
        return [*head, *body, *foot]

    def _style(self, tone: Tone) -> Style:
        style = self._styles_now.get(tone)
        if style is None:
            style = self.get_component_rich_style(f"line-list--{tone}") if tone else self.rich_style
            self._styles_now[tone] = style
        return style
