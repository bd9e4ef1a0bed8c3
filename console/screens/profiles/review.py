"""A text to be read over a screen, longer than the screen as a rule, with keys that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from console.screens.dialog import Dialog
from console.screens.help import key_name
from console.screens.question import Answer
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs
from widgets.scroll_bar import whole_cells
from widgets.text_lines import Line, Run, TextLines


class Reading(VerticalScroll, inherit_bindings=False):
    """Scrolls by arrows and by j and k."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup,ctrl+u", "page_up", "Page up", show=False),
        Binding("pagedown,ctrl+d,space", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Bottom", show=False),
    ]

    def on_mount(self) -> None:
        """Scroll with a bar of whole cells."""
        whole_cells(self)


class Review(Dialog[str]):
    """Shows paragraphs and gives back the value of an answer, or None."""

    CSS_PATH = "review.tcss"
    AUTO_FOCUS: ClassVar[str | None] = "Reading"

    def __init__(
        self,
        title: str,
        text: Sequence[Paragraph],
        answers: Sequence[Answer] = (),
        *,
        way_out: str = "back",
    ) -> None:
        """Show `text`, which is safe already."""
        super().__init__()
        self._title = safe_line(title, 100)
        self._text = tuple(text)
        self._answers = tuple(answers)
        self._way_out = way_out

    def compose(self) -> ComposeResult:
        """Show the text in a box that scrolls, and the keys below it."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            with Reading():
                yield Paragraphs(self._text)
            yield TextLines((self._keys(),), id="keys")

    def on_key(self, event: events.Key) -> None:
        """Take the answer; arrows have scrolled already."""
        if event.key in ("escape", "q", "ctrl+c") or (event.key == "enter" and not self._answers):
            event.stop()
            self.dismiss(None)
            return
        for answer in self._answers:
            if event.key in answer.keys:
                event.stop()
                self.dismiss(answer.value)
                return

    def _keys(self) -> Line:
        runs: list[Run] = []
        for answer in self._answers:
            runs.append((" ".join(map(key_name, answer.keys)), "accent"))
            runs.append((f" {answer.label}   ", ""))
        runs.append(("Esc", "accent"))
        runs.append((f" {self._way_out}", ""))
        return tuple(runs)
