"""A line in which limits are typed, with what they would do as one types."""

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
from console.screens.live.typed import EXAMPLE, UnclearError
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph


class LimitPrompt(Dialog[str]):
    """Gives back what was typed, once it says a change."""

    CSS_PATH = "prompt.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss", "Close", id="prompt.close", tooltip="Change nothing"),
    ]

    def __init__(self, label: str, meaning: Callable[[str], str]) -> None:
        """Ask for the limits of what is called `label`.

        Args:
            label: of the selection.
            meaning: says what a text would do, or raises UnclearError.
        """
        super().__init__()
        self._label = safe_line(label, 200)
        self._meaning = meaning

    def compose(self) -> ComposeResult:
        """Show the line in a box, and below it what it says."""
        line = LineInput(placeholder=EXAMPLE, id="limits")
        with Vertical(classes="box") as box:
            box.border_title = "limits"
            box.border_subtitle = "Enter sets, Esc leaves them"
            yield Paragraphs([paragraph(self._label, "strong")])
            yield line
            yield Paragraphs(self._say(""), id="meaning")

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Say what the text means."""
        self.query_one("#meaning", Paragraphs).show(self._say(event.value))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Take it if it means something."""
        try:
            self._meaning(event.value)
        except UnclearError:
            return
        self.dismiss(event.value)

    def _say(self, text: str) -> list[Paragraph]:
        try:
            return [paragraph(safe_line(self._meaning(text), 400), "accent")]
        except UnclearError as error:
            return [paragraph(safe_line(str(error), 200), "muted" if not text.strip() else "warn")]
