"""The keys of a screen, made from its bindings, so that the page cannot say what does not work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from console.screens.dialog import Dialog
from widgets.paragraphs import Paragraph, Paragraphs, paragraph
from widgets.text_lines import Tone

_GROUPS = {"here": "where you are now", "everywhere": "everywhere"}
_WIDEST_KEYS = 24
_KEY_NAMES = {
    "colon": ":",
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
        Binding(
            "escape,question_mark,q,enter,ctrl+c",
            "dismiss",
            "Close",
            id="help.close",
            tooltip="Close the help",
        ),
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
    """Return a paragraph for each action: those of the screen, of the part in focus, and those that work everywhere.

    What a screen gives a reason for is told as well where it does not work now. `notes` come last.
    """
    groups: dict[str, dict[str, list[str]]] = {"": {}, "here": {}, "everywhere": {}}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and active.enabled and not binding.system:
            group = "" if active.node is screen else "everywhere" if active.node.parent is None else "here"
            groups[group].setdefault(binding.tooltip or binding.description, []).append(key_name(binding.key))
    not_now = _not_now(screen)
    names = [" ".join(keys) for keys_of in groups.values() for keys in keys_of.values()]
    width = min(_WIDEST_KEYS, max(map(len, (*names, *not_now)), default=0))
    lines: list[Paragraph] = []
    for group, keys_of in groups.items():
        if keys_of and group:
            lines += [Paragraph(()), paragraph(_GROUPS[group], "muted")]
        lines += [_line(" ".join(keys), width, text) for text, keys in keys_of.items()]
        if not group:
            lines += [_line(keys, width, text, "muted") for keys, text in not_now.items()]
    if notes:
        lines.append(Paragraph(()))
        lines += [paragraph(note, "muted", hang=2) for note in notes]
    return lines


def _line(keys: str, width: int, text: str, tone: Tone = "") -> Paragraph:
    return Paragraph(((f"{keys:>{width}}  ", tone or "accent"), (text, tone)), width + 2)


def _not_now(screen: Screen[Any]) -> dict[str, str]:
    """Return the keys of the screen that do nothing now, and why, where it gives a reason."""
    why_not: Callable[[str], str] = getattr(screen, "why_not", lambda _action: "")
    working = {active.binding.action for active in screen.active_bindings.values() if active.enabled}
    found: dict[str, str] = {}
    for keys in screen._bindings.key_to_bindings.values():  # pyright: ignore[reportPrivateUsage]
        for binding in keys:
            name = binding.action.partition("(")[0]
            reason = "" if binding.action in working else why_not(name)
            if reason:
                found[key_name(binding.key)] = f"{binding.tooltip or binding.description}: {reason}"
    return found


def key_name(key: str) -> str:
    """Write a key as it stands on the keyboard."""
    return _KEY_NAMES.get(key, key.replace("ctrl+", "Ctrl+"))
