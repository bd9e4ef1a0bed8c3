"""A small question over a screen, answered by one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from console.screens.dialog import Dialog
from console.screens.help import key_name
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph


class Answer(NamedTuple):
    """One way to answer."""

    keys: tuple[str, ...]
    """All of them are shown before the label."""
    label: str
    """What it does."""
    value: str


class Question(Dialog[str]):
    """Asks and gives back the value of the answer, or None for its way out."""

    CSS_PATH = "question.tcss"
    AUTO_FOCUS: ClassVar[str | None] = None

    def __init__(
        self,
        title: str,
        text: Sequence[str],
        answers: Sequence[Answer],
        *,
        way_out: str = "stay",
        way_out_keys: tuple[str, ...] = ("escape",),
    ) -> None:
        """Ask `title`, explained by `text`; the way out does nothing."""
        super().__init__()
        self._title = safe_line(title, 200)
        self._text = tuple(safe_line(line, 300) for line in text)
        self._answers = tuple(answers)
        self._way_out = Answer(way_out_keys, way_out, "")

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        lines = [paragraph(self._title, "strong"), Paragraph(())]
        lines += [paragraph(text, hang=len(text) - len(text.lstrip())) for text in self._text]
        lines.append(Paragraph(()))
        shown = (*self._answers, self._way_out)
        keys = [" ".join(key_name(key) for key in answer.keys) for answer in shown]
        width = max(len(names) for names in keys) + 2
        lines += [
            Paragraph(((f"{names:<{width}}", "accent"), (answer.label, "")), width)
            for names, answer in zip(keys, shown, strict=True)
        ]
        with VerticalScroll(classes="box", can_focus=False):
            yield Paragraphs(lines)

    def on_key(self, event: events.Key) -> None:
        """Take the answer; other keys do nothing."""
        event.stop()
        if event.key in self._way_out.keys:
            self.dismiss(None)
        for answer in self._answers:
            if event.key in answer.keys:
                self.dismiss(answer.value)
                return
