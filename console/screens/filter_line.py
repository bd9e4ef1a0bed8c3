"""The line in which a filter, or what is sought, is typed; it is there only while somebody types."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from console.screens.line_input import LineInput


class FilterLine(LineInput):
    """Tells of each change at once; Enter keeps the text, Esc takes it away."""

    DEFAULT_CSS = """
    FilterLine { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    FilterLine:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "clear", id="filter.clear", tooltip="Take the text away"),
        Binding("enter,down", "keep", "keep", id="filter.keep", tooltip="Keep the text, and go on"),
    ]

    class Typed(Message):
        """The text is another one."""

        def __init__(self, text: str) -> None:
            """Tell of `text`."""
            super().__init__()
            self.text = text

    class Left(Message):
        """Whoever typed is done."""

    def __init__(self, *, id: str) -> None:
        """Hide until it is opened."""
        super().__init__(id=id)

    def open(self, text: str, placeholder: str) -> None:
        """Let somebody type, with `text` to begin with."""
        self.placeholder = placeholder
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    def action_clear(self) -> None:
        """Empty it and close."""
        self.value = ""
        self.action_keep()

    def action_keep(self) -> None:
        """Close with the text as it is."""
        self.display = False
        self.post_message(self.Left())

    def watch_value(self, value: str) -> None:
        """Tell of every change."""
        if self.display:
            self.post_message(self.Typed(value))
