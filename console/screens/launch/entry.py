"""A line of text that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from console.screens.dialog import Dialog
from console.screens.line_input import LineInput
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraphs, paragraph


class TextEntry(Dialog[str]):
    """Gives back a text that `wrong_with` has nothing against, or None."""

    CSS_PATH = "entry.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q", "dismiss", "back", id="entry.back"),
    ]

    def __init__(self, title: str, text: str, hint: str, wrong_with: Callable[[str], str]) -> None:
        """Ask for `title`, with `text` to begin with; `wrong_with` says what is wrong with a text, or nothing."""
        super().__init__()
        self._title = title
        self._text = text
        self._hint = hint
        self._wrong_with = wrong_with

    def compose(self) -> ComposeResult:
        """Show a line to type in, and what it has to be."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Enter takes it, Esc goes back"
            yield LineInput(self._text)
            yield Paragraphs((paragraph(self._hint, "muted"),), id="hint")

    @on(Input.Changed)
    def text_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong with it."""
        wrong = self._wrong_with(event.value)
        self.query_one("#hint", Paragraphs).show(
            (paragraph(safe_line(wrong, 200), "bad") if wrong else paragraph(self._hint, "muted"),)
        )

    @on(Input.Submitted)
    def text_submitted(self, event: Input.Submitted) -> None:
        """Take it if nothing is wrong with it."""
        if not self._wrong_with(event.value):
            self.dismiss(event.value)
