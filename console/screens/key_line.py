"""The last line of a screen: its keys and what each does now.

One line of text, not a widget a key as in Textual's footer: keys change with every focus and every dialog, and a dozen
widgets made and styled anew were a quarter of what the console computed while it was used. It cannot be clicked; the
console takes no mouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, ClassVar, cast

from textual.app import App
from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.signal import Signal

from widgets.line_paint import Line, Run, Tone
from widgets.text_lines import TextLines


class KeyLine(TextLines):
    """Shows the bindings of its screen that are meant to be shown, in their order."""

    ALLOW_SELECT = False
    LOOKS: ClassVar[Mapping[Tone, str]] = {"strong": "bold $footer-key-foreground", "muted": "dim"}
    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; color: $footer-description-foreground; background: $footer-background; }
    """

    def __init__(self) -> None:
        """Show nothing until the screen says that its bindings are known."""
        super().__init__(((),))
        self._due = False

    def on_mount(self) -> None:
        """Hear when bindings change."""
        _changes(self.screen).subscribe(self, self._bindings_changed)

    def on_unmount(self) -> None:
        """Hear no more."""
        _changes(self.screen).unsubscribe(self)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        """Look at them once for however many changes come before the next picture."""
        if _app(screen).app_focus and self.is_attached and not self._due:
            self._due = True
            self.call_after_refresh(self._show_keys)

    def _show_keys(self) -> None:
        self._due = False
        if self.is_attached:
            self.show_lines((key_line(self.screen),))


def key_line(screen: Screen[Any]) -> Line:
    """Return the keys that are shown now: each action once, dim where it would do nothing.

    Keys that stand beside one another in a group have one word between them.
    """
    runs: list[Run] = []
    for group, actives in groupby(_shown(screen), key=lambda active: active.binding.group):
        together = list(actives)
        keys = [_app(screen).get_key_display(active.binding) for active in together]
        if group is not None and len(together) > 1:
            runs += _told("".join(keys), group.description, enabled=True)
            continue
        for key, active in zip(keys, together, strict=True):
            runs += _told(key, active.binding.description, enabled=active.enabled)
    return tuple(runs)


def _shown(screen: Screen[Any]) -> list[ActiveBinding]:
    first: dict[str, ActiveBinding] = {}
    for active in screen.active_bindings.values():
        if active.binding.show:
            first.setdefault(active.binding.action, active)
    return list(first.values())


def _told(key: str, word: str, *, enabled: bool) -> Line:
    described = f" {word} " if word else " "
    return ((key, "strong"), (described, "")) if enabled else ((key + described, "muted"),)


def _changes(screen: Screen[Any]) -> Signal[Screen[Any]]:
    return cast("Signal[Screen[Any]]", screen.bindings_updated_signal)


def _app(screen: Screen[Any]) -> App[Any]:
    return cast("App[Any]", screen.app)
