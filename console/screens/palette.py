"""The palette: all that can be done now, found by a few letters; and commands typed with their figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from console.screens.commands import Command, matching
from console.screens.dialog import Dialog
from console.screens.line_input import LineInput
from console.vocabulary.safe_text import safe_line
from widgets.line_list import LineList
from widgets.line_paint import Line, fit
from widgets.paragraphs import Paragraphs, paragraph

_MOST_TYPED: Final = 200


class Found(LineList):
    """The commands that fit what is typed."""

    DEFAULT_CSS = "Found { height: auto; max-height: 55vh; min-height: 1; }"
    can_focus = False

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__(empty_text="no command of this name; Enter takes the words as they are", id="found")
        self.commands = list(commands)

    def show(self, commands: Sequence[Command]) -> None:
        """Show others, from the first."""
        self.commands = list(commands)
        self.take_count()
        self.go_to(0)
        self.redraw()

    def line_count(self) -> int:
        """Return how many there are."""
        return len(self.commands)

    def line_at(self, index: int, width: int) -> Line:
        """Show the name, and at the right the keys."""
        command = self.commands[index]
        keys = " ".join(command.keys)
        here = index == self.cursor
        name = fit(f"{'>' if here else ' '} {safe_line(command.name, 200)}", max(8, width - len(keys) - 2))
        return ((name, "cursor" if here else ""), (f" {keys} ", "cursor" if here else "accent"))


class Palette(Dialog[Command]):
    """Gives back the command that was chosen, or None: then it was closed, or what was typed has been done."""

    CSS_PATH = "palette.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+p", "dismiss", "Close", id="palette.close", tooltip="Do nothing"),
        Binding("up", "move(-1)", "Up", id="palette.up", tooltip="The command above"),
        Binding("down,tab", "move(1)", "Down", id="palette.down", tooltip="The command below"),
        Binding("pageup", "move(-10)", "Page up", id="palette.page-up", tooltip="Ten commands up"),
        Binding("pagedown", "move(10)", "Page down", id="palette.page-down", tooltip="Ten commands down"),
    ]

    def __init__(
        self, commands: Sequence[Command], typed: Callable[[str], str | None], example: str = ""
    ) -> None:
        """Offer `commands`; `typed` does what was typed: "" when it is done, why not, or None if it is no command."""
        super().__init__()
        self._commands = list(commands)
        self._typed = typed
        self._example = example
        self._found = Found(self._commands)
        self._list_moved = False

    def compose(self) -> ComposeResult:
        """Show the line, and below it what fits."""
        line = LineInput(placeholder=self._example, id="typed", max_length=_MOST_TYPED)
        with Vertical(classes="box") as box:
            box.border_title = "commands"
            box.border_subtitle = "Enter does it, Esc closes"
            yield line
            yield self._found
            yield Paragraphs(id="said")

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Show what fits now."""
        self._list_moved = False
        self._found.show(matching(self._commands, event.value))
        self.query_one("#said", Paragraphs).show(())

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Do the command under the cursor; words with figures go to the screen first."""
        text = event.value.strip()
        if text and not self._list_moved and (" " in text or not self._found.commands):
            said = self._typed(text)
            if said is not None:
                self._say(said)
                return
        if self._found.commands:
            self.dismiss(self._found.commands[self._found.cursor])
        elif text:
            self.query_one("#said", Paragraphs).show(
                [paragraph(f"`{safe_line(text, 60)}` is no command here", "warn")]
            )

    def action_move(self, lines: int) -> None:
        """Move through the list."""
        self._list_moved = True
        self._found.action_move_cursor(lines)

    def _say(self, said: str) -> None:
        if said:
            self.query_one("#said", Paragraphs).show([paragraph(safe_line(said, 300), "warn")])
        else:
            self.dismiss(None)
