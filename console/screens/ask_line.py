"""A line of text asked for over a screen, judged at every key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input

from console.screens.dialog import Dialog
from console.screens.line_input import LineInput
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.text_lines import Line, TextLines

Fault = Callable[[str], str | None]
"""Says what is wrong with a text; None: nothing."""


class AskLine(Dialog[str]):
    """Gives back the text, without blanks around it, or None."""

    CSS_PATH = "ask_line.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q", "back", "back", id="ask.back", tooltip="Change nothing"),
    ]

    def __init__(self, title: str, text: Sequence[str], fault: Fault, *, does: str, value: str = "") -> None:
        """Ask for what is explained by `text`, and say what Enter does with it."""
        super().__init__()
        self._title = safe_line(title, 100)
        self._text = tuple(safe_line(line, 400) for line in text)
        self._fault = fault
        self._does = does
        self._value = value

    def compose(self) -> ComposeResult:
        """Show the text, the input, what is wrong, and the keys."""
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = self._title
            yield Paragraphs([paragraph(line) for line in self._text])
            yield LineInput(self._value)
            yield Paragraphs(id="fault")
            yield TextLines((_keys(self._does),))

    def on_mount(self) -> None:
        """Judge what it begins with, unless that is nothing."""
        if self._value:
            self._judge()

    @on(Input.Changed)
    def typed(self) -> None:
        """Judge what has been typed so far."""
        self._judge()

    @on(Input.Submitted)
    def entered(self) -> None:
        """Take what is right."""
        if self._judge():
            self.dismiss(self._text_now)

    def action_back(self) -> None:
        """Give nothing back."""
        self.dismiss(None)

    @property
    def _text_now(self) -> str:
        return self.query_one(Input).value.strip()

    def _judge(self) -> bool:
        fault = self._fault(self._text_now)
        shown = [] if fault is None else [Paragraph(((f"! {safe_line(fault, 300)}", "bad"),), 2)]
        self.query_one("#fault", Paragraphs).show(shown)
        return fault is None


def _keys(does: str) -> Line:
    return (("Enter", "accent"), (f" {does}   ", ""), ("Esc", "accent"), (" back", ""))
