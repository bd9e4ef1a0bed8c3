"""The last line of a screen: its keys and what each does now.

One line of text, not a widget a key as in Textual's footer: keys change with every focus and every dialog, and a dozen
widgets made and styled anew were a quarter of what the console computed while it was used. It cannot be clicked; the
console takes no mouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, ClassVar, Final, cast

from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.signal import Signal

from widgets.line_paint import Line, Run, Tone
from widgets.text_lines import TextLines

_ALWAYS: Final = frozenset({"help", "leave", "app.help", "app.leave"})
"""What stays however narrow the line is: with these all other keys can be found."""


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

    def on_resize(self, event: events.Resize) -> None:
        """Show as many keys as fit now."""
        self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        """Look at them once for however many changes come before the next picture."""
        if _app(screen).app_focus and self.is_attached and not self._due:
            self._due = True
            self.call_after_refresh(self._show_keys)

    def _show_keys(self) -> None:
        self._due = False
        if self.is_attached:
            self.show_lines((key_line(self.screen, self.size.width),))


def key_line(screen: Screen[Any], width: int = 0) -> Line:
    """Return the keys that are shown now: each action once, dim where it would do nothing.

    Keys that stand beside one another in a group have one word between them. Where not all fit, help and the way out
    stay and the last of the others go; where room is left, keys that are not meant to be shown follow.

    Args:
        screen: whose keys.
        width: of the line; 0: as wide as the keys meant to be shown need.
    """
    shown, more = _actions(screen)
    always = [_line_of(screen, [one]) for one in shown if one.binding.action in _ALWAYS]
    room = width - sum(map(_width, always))
    if always and room < 0:  # leave is worth less than help
        always = always[:1]
        room = width - _width(always[0])
    lines: list[Line] = []
    groups = [
        list(actives)
        for _, actives in groupby(
            (one for one in shown if one.binding.action not in _ALWAYS), key=lambda one: one.binding.group
        )
    ]
    for together in groups:
        parts = [together] if together[0].binding.group is not None else [[one] for one in together]
        lines += [_line_of(screen, part) for part in parts]
    lines += [_line_of(screen, [one]) for one in more if width and one.enabled]
    runs: list[Run] = []
    for number, line in enumerate(lines):
        if width and _width(line) > room:
            if number >= len(lines) - len(more):
                continue
            break
        room -= _width(line)
        runs += line
    return (*runs, *(run for line in always for run in line))


def _line_of(screen: Screen[Any], together: list[ActiveBinding]) -> Line:
    keys = [_app(screen).get_key_display(active.binding) for active in together]
    group = together[0].binding.group
    if group is not None and len(together) > 1:
        return _told("".join(keys), group.description, enabled=True)
    return tuple(
        run
        for key, active in zip(keys, together, strict=True)
        for run in _told(key, active.binding.description, enabled=active.enabled)
    )


def _width(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def _actions(screen: Screen[Any]) -> tuple[list[ActiveBinding], list[ActiveBinding]]:
    """Return an active binding for each action: those meant to be shown, and those that the screen has besides."""
    shown: dict[str, ActiveBinding] = {}
    more: dict[str, ActiveBinding] = {}
    for active in screen.active_bindings.values():
        if active.binding.show:
            shown.setdefault(active.binding.action, active)
        elif active.node is screen and active.binding.id and active.binding.description:
            more.setdefault(active.binding.action, active)
    words = {one.binding.description for one in shown.values()}
    found: list[ActiveBinding] = []
    for action, active in more.items():
        if action not in shown and "focus" not in action and active.binding.description not in words:
            words.add(active.binding.description)
            found.append(active)
    return list(shown.values()), found


def _told(key: str, word: str, *, enabled: bool) -> Line:
    described = f" {word} " if word else " "
    return ((key, "strong"), (described, "")) if enabled else ((key + described, "muted"),)


def _changes(screen: Screen[Any]) -> Signal[Screen[Any]]:
    return cast("Signal[Screen[Any]]", screen.bindings_updated_signal)


def _app(screen: Screen[Any]) -> App[Any]:
    return cast("App[Any]", screen.app)
