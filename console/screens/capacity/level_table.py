"""The table of levels: moved through by keys that leave the others to the screen, and on the newest level until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from console.screens.capacity.level_rows import COLUMNS
from widgets.line_list import LineList
from widgets.table import Table
from widgets.table_rows import TableRow


class LevelTable(Table, inherit_bindings=False):
    """Shows levels by their concurrency."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *LineList.BINDINGS,
        Binding("left,h", "shift(-1)", "Left", show=False),
        Binding("right,l", "shift(1)", "Right", show=False),
        Binding(
            "enter",
            "choose",
            "level",
            key_display="enter",
            id="capacity.level",
            tooltip="Show all about the level under the cursor",
        ),
    ]

    def __init__(self, *, ascii_only: bool, id: str) -> None:
        """Show no level yet."""
        super().__init__(
            COLUMNS, ascii_only=ascii_only, noun="levels", empty_text=" no level is over yet", id=id
        )
        self._moved = False

    def take(self, rows: Sequence[TableRow], newest: str) -> None:
        """Show these; the cursor goes to the newest until somebody has moved it."""
        self.show(COLUMNS, rows)
        if not self._moved:
            self.highlight(newest)

    def follow(self) -> None:
        """Go to the newest level again from the next one on."""
        self._moved = False

    def action_move_cursor(self, lines: int) -> None:
        """Move, and stay there."""
        self._moved = True
        super().action_move_cursor(lines)

    def action_move_page(self, pages: int) -> None:
        """Move by a screenful, and stay there."""
        self._moved = True
        super().action_move_page(pages)

    def action_go_first(self) -> None:
        """Move to the lowest level, and stay there."""
        self._moved = True
        super().action_go_first()

    def action_go_last(self) -> None:
        """Move to the highest level, and stay there."""
        self._moved = True
        super().action_go_last()
