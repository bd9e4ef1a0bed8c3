"""A small question over a screen, answered by one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.vocabulary.safe_text import safe_line
from widgets.text_lines import Line, TextLines, plain


class Answer(NamedTuple):
    """One way to answer."""

    keys: tuple[str, ...]
    label: str
    """What it does; its first key stands before it."""
    value: str


class Question(ModalScreen[str | None]):
    """Asks and gives back the value of the answer, or None after Esc."""

    CSS_PATH = "question.tcss"
    AUTO_FOCUS: ClassVar[str | None] = None

    def __init__(
        self, title: str, text: Sequence[str], answers: Sequence[Answer], *, way_out: str = "stay"
    ) -> None:
        """Ask `title`, explained by `text`; Esc is labelled `way_out`."""
        super().__init__()
        self._title = safe_line(title, 200)
        self._text = tuple(safe_line(line, 200) for line in text)
        self._answers = tuple(answers)
        self._way_out = way_out

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        lines: list[Line] = [plain(self._title, "strong"), ()]
        lines += [plain(line) for line in self._text]
        lines.append(())
        for answer in (*self._answers, Answer(("escape",), self._way_out, "")):
            key = {"escape": "Esc", "enter": "Enter"}.get(answer.keys[0], answer.keys[0])
            lines.append(((f"{key:>6}  ", "accent"), (answer.label, "")))
        with Vertical(classes="box"):
            yield TextLines(lines)

    def on_key(self, event: events.Key) -> None:
        """Take the answer; other keys do nothing."""
        event.stop()
        if event.key in ("escape", "n"):
            self.dismiss(None)
        for answer in self._answers:
            if event.key in answer.keys:
                self.dismiss(answer.value)
                return
