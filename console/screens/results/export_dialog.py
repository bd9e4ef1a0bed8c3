"""A box that asks what is to be written into a file, in which form and where."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input

from console.screens.dialog import Dialog
from console.screens.line_input import LineInput
from console.screens.results.export_words import (
    FORMAT_WORDS,
    FORMATS,
    WHAT_WORDS,
    WHATS,
    default_path,
    refusal,
    written_path,
)
from console.screens.results.needs import Export, Format, RunHead, What
from console.screens.results.places import Place
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.text_lines import Line, Run, TextLines

_LABEL_WIDTH = 9


class ExportDialog(Dialog[Export]):
    """Up and down choose a line, left and right what stands there; Enter writes."""

    CSS_PATH = "export.tcss"
    AUTO_FOCUS: ClassVar[str | None] = None

    def __init__(self, head: RunHead, place: Place | None) -> None:
        """Ask for the run of `head`; without a table on the screen there is none to write."""
        super().__init__()
        self._head, self._place = head, place
        self._whats: tuple[What, ...] = WHATS if place is not None else WHATS[1:]
        if head.unit == "prompts":
            self._whats = tuple(what for what in self._whats if what != "tests")
        self._what, self._format = 0, 0
        self._line = 0
        self._own_path = False
        self._asked_for = ""
        """The path that is there already, once that was said: Enter again writes over it."""

    def compose(self) -> ComposeResult:
        """Lay out the choices, the path and the keys."""
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = "export"
            yield TextLines(self._choices(), id="choices")
            path = LineInput(str(self._default()), id="path")
            yield path
            yield Paragraphs(self._below(""), id="below")

    def on_mount(self) -> None:
        """Begin at the first line; the path takes keys only where the cursor is on it."""
        self.query_one(Input).can_focus = True

    def on_key(self, event: events.Key) -> None:
        """Move between lines and choices; on the path other keys are typed."""
        on_path = self._line == 2
        key = event.key
        if key == "escape":
            event.stop()
            self.dismiss(None)
        elif key == "enter":
            event.stop()
            self._write()
        elif key in ("up", "shift+tab") or (key == "k" and not on_path):
            self._go(-1, event)
        elif key in ("down", "tab") or (key == "j" and not on_path):
            self._go(1, event)
        elif not on_path:
            event.stop()
            if key in ("left", "h", "right", "l", "space"):
                self._change(-1 if key in ("left", "h") else 1)

    def _go(self, step: int, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self._line = (self._line + step) % 3
        self.set_focus(self.query_one(Input) if self._line == 2 else None)
        self._show("")

    def _change(self, step: int) -> None:
        if self._line == 0:
            self._what = (self._what + step) % len(self._whats)
        else:
            self._format = (self._format + step) % len(FORMATS)
        if not self._own_path:
            path = self.query_one(Input)
            path.value = str(self._default())
            path.cursor_position = len(path.value)
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep a path that somebody wrote, whatever is chosen afterwards."""
        self._own_path = event.value != str(self._default())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write."""
        self._write()

    def _write(self) -> None:
        text = self.query_one(Input).value
        refused = refusal(text)
        if refused:
            self._show(refused)
            return
        path = written_path(text)
        there = path.exists()
        if there and self._asked_for != str(path):
            self._asked_for = str(path)
            self._show("there is such a file already: Enter again writes over it")
            self.settle_key()
            return
        self.dismiss(Export(self._chosen, self._kind, path, overwrite=there))

    @property
    def _chosen(self) -> What:
        return self._whats[self._what]

    @property
    def _kind(self) -> Format:
        return FORMATS[self._format]

    def _default(self) -> object:
        return default_path(self._head, self._chosen, self._kind, self._place)

    def _show(self, trouble: str) -> None:
        self.query_one("#choices", TextLines).show_lines(self._choices())
        self.query_one("#below", Paragraphs).show(self._below(trouble))

    def _choices(self) -> tuple[Line, ...]:
        what = _choice("what", [WHAT_WORDS[one] for one in self._whats], self._what, here=self._line == 0)
        form = _choice("format", [FORMAT_WORDS[one] for one in FORMATS], self._format, here=self._line == 1)
        mark = ">" if self._line == 2 else " "
        return (what, form, ((f"{mark} {'path':<{_LABEL_WIDTH}}", "accent"),))

    def _below(self, trouble: str) -> list[Paragraph]:
        lines = [Paragraph(())]
        if trouble:
            lines += [paragraph(safe_line(trouble, 300), "warn"), Paragraph(())]
        if self._head.simulated:
            lines.append(paragraph("SIMULATED: the file says so as well", "muted"))
        keys: list[Run] = []
        for key, word in (
            ("Enter", "write"),
            ("up down", "line"),
            ("left right", "choice"),
            ("Esc", "leave"),
        ):
            keys.append((f"{key} ", "accent"))
            keys.append((f"{word}   ", ""))
        lines.append(Paragraph(tuple(keys)))
        return lines


def _choice(label: str, words: list[str], chosen: int, *, here: bool) -> Line:
    runs: list[Run] = [(f"{'>' if here else ' '} {label:<{_LABEL_WIDTH}}", "accent")]
    for number, word in enumerate(words):
        runs.append(
            (f"[{word}]" if number == chosen else f" {word} ", "strong" if number == chosen else "muted")
        )
    return tuple(runs)
