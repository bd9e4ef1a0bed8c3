"""A line to type in, on which nothing moves by itself: a cursor that blinks would be sent over the line for ever."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input


class LineInput(Input):
    """Textual's input without its border, its blinking, and its selecting of all when it is gone to."""

    def __init__(self, value: str = "", **options: Any) -> None:
        """Begin with `value`; `options` are those of Textual's."""
        super().__init__(value, compact=True, select_on_focus=False, **options)
        self.cursor_blink = False
