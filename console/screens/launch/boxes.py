"""Small boxes of the launch screen: the command to copy, and an earlier run to choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList

from console.screens.choices import Choices
from console.screens.dialog import Dialog
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph


class CommandBox(Dialog[None]):
    """Shows a command line in full."""

    CSS_PATH = "boxes.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="command.copy", tooltip="Copy the command"),
        Binding("escape,p,q,enter,ctrl+c,ctrl+q", "dismiss", "back", id="command.back"),
    ]

    def __init__(self, command: str, copy: Callable[[str], None]) -> None:
        """Show `command`; `copy` takes it to the clipboard."""
        super().__init__()
        self._command = command
        self._copy = copy

    def compose(self) -> ComposeResult:
        """Show the command, broken between words."""
        with VerticalScroll(classes="box") as box:
            box.border_title = "the same from a shell"
            box.border_subtitle = "y copies, Esc closes"
            yield Paragraphs(
                (
                    paragraph(safe_line(self._command), "strong", 2),
                    Paragraph(()),
                    paragraph(
                        "plan in place of run shows what it would do; --detach lets it run in the background",
                        "muted",
                    ),
                ),
                id="command",
            )

    def action_copy(self) -> None:
        """Copy the whole command in one line."""
        self._copy(self._command)
        self.dismiss(None)


class Picker(Dialog[str]):
    """Gives back one of some names, or None."""

    CSS_PATH = "boxes.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "#names"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+c,ctrl+q", "dismiss", "back", id="picker.back"),
    ]

    def __init__(self, title: str, names: Sequence[str], empty_text: str) -> None:
        """Offer `names`."""
        super().__init__()
        self._title = title
        self._names = tuple(names)
        self._empty_text = empty_text

    def compose(self) -> ComposeResult:
        """Show the list."""
        with Vertical(classes="box") as box:
            box.border_subtitle = "Enter takes it, Esc goes back"
            yield Choices(self._title, empty_text=self._empty_text, id="names")

    def on_mount(self) -> None:
        """Fill the list."""
        texts = [Text(safe_line(name, 100), no_wrap=True, overflow="ellipsis") for name in self._names]
        self.query_one("#names", Choices).fill(texts)

    @on(OptionList.OptionSelected, "#names")
    def name_chosen(self, event: OptionList.OptionSelected) -> None:
        """Take it."""
        if event.option_index < len(self._names):
            self.dismiss(self._names[event.option_index])
