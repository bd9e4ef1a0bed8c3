"""The keys of a screen, made from its bindings, so that the page cannot say what does not work."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from console.screens.dialog import Dialog
from widgets.paragraphs import Paragraph, Paragraphs, paragraph

_KEY_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
}


class Help(Dialog[None]):
    """Lists what each key does now on the screen below."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,ctrl+c", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, title: str, lines: list[Paragraph]) -> None:
        """Show `lines`, made by `help_lines`."""
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Show the list in a box that scrolls."""
        with VerticalScroll(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes"
            yield Paragraphs(self._lines)


def help_lines(screen: Screen[Any], notes: tuple[str, ...]) -> list[Paragraph]:
    """Return a paragraph for each action that works now: its keys and what it does; then `notes`."""
    keys: dict[str, list[str]] = {}
    bindings = sorted(screen.active_bindings.values(), key=lambda active: active.node is not screen)
    for active in bindings:  # those of the screen first, then those of the widget in focus
        binding = active.binding
        if binding.description and active.enabled and not binding.system:
            keys.setdefault(binding.tooltip or binding.description, []).append(key_name(binding.key))
    width = max((len(" ".join(names)) for names in keys.values()), default=0)
    lines = [
        Paragraph(((f"{' '.join(names):>{width}}  ", "accent"), (description, "")), width + 2)
        for description, names in keys.items()
    ]
    if notes:
        lines.append(Paragraph(()))
        lines += [paragraph(note, "muted", hang=2) for note in notes]
    return lines


def key_name(key: str) -> str:
    """Write a key as it stands on the keyboard."""
    return _KEY_NAMES.get(key, key.replace("ctrl+", "Ctrl+"))
