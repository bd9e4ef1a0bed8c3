"""The ground of all lists: lines with a cursor, and fixed lines above and below. Only lines in sight are made."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from widgets.line_canvas import LineCanvas
from widgets.line_paint import Line


class LineList(LineCanvas, inherit_bindings=False):
    """Shows the lines that a subclass makes one by one."""

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
        super().__init__(ascii_only=ascii_only, id=id, classes=classes)
        self._empty_text = empty_text
        self._cursor = 0

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

    def take_count(self) -> None:
        """Take a new number of lines; call it before `redraw` whenever lines came or went."""
        self._cursor = min(self._cursor, max(0, self.line_count() - 1))
        width = self._width
        self.set_line_count(self.line_count() + len(self.head_lines(width)) + len(self.foot_lines(width)))

    def take_size(self) -> None:
        """Keep the cursor in sight."""
        self.take_count()
        self.show_cursor()

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
        last = max(0, self.line_count() - room)
        top = min(max(self.scroll_offset.y, self._cursor - room + 1), self._cursor, last)
        self.scroll_to_line(top)

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

    def screen_lines(self, width: int, height: int) -> list[Line]:
        """Make the fixed lines, and those in sight between them."""
        head, foot = self._fixed()
        room, count, top = max(0, height - len(head) - len(foot)), self.line_count(), self.scroll_offset.y
        if count:
            body = [self.line_at(index, width) for index in range(top, min(top + room, count))]
        else:
            body = list(self.empty_lines(width))[:room]
        return [*head, *body, *([()] * (room - len(body))), *foot]

    @property
    def _width(self) -> int:
        return self.canvas.width

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
