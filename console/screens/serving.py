"""What the app does for all its screens: help, the palette, themes, copies."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, TypeVar, cast, get_args

from textual.app import App
from textual.screen import Screen

from console.screens.clipboard import copy_of, keep_copy
from console.screens.commands import Command, commands_of
from console.screens.help import Help, help_lines
from console.screens.line_driver import LineDriver
from console.screens.painting import PaintingApp
from console.screens.palette import Palette
from console.screens.pane import Pane
from console.screens.preferences import Preferences, ThemeChoice, chosen_theme, keep_preferences
from console.vocabulary.safe_text import safe_line

ReturnT = TypeVar("ReturnT")
_TOLD_FOR_S = 6.0


class ServingApp(PaintingApp[ReturnT]):
    """An app with these."""

    def action_help(self) -> None:
        """Show the keys of the screen."""
        shown: Screen[Any] = self.screen
        own: tuple[str, ...] = getattr(shown, "HELP_NOTES", ())
        notes = shown.help_notes if isinstance(shown, Pane) else own
        self.push_screen(Help("keys", help_lines(shown, notes)))

    def action_palette(self) -> None:
        """Offer all that can be done now."""
        shown: Screen[Any] = self.screen
        example = shown.COMMAND_EXAMPLE if isinstance(shown, Pane) else ""
        commands = [command for command in commands_of(shown) if command.action != "palette"]
        commands += [
            Command(f"Theme: {choice}", (), f"theme({choice!r})", self) for choice in get_args(ThemeChoice)
        ]
        self.push_screen(Palette(commands, partial(self._typed, shown), example), self._chosen)

    async def _chosen(self, command: Command | None) -> None:
        if command is not None:
            await self.run_action(command.action, command.node)

    def _typed(self, shown: Screen[Any], text: str) -> str | None:
        name, _, rest = text.partition(" ")
        if name.casefold() == "theme":
            return self.choose_theme(rest.strip().casefold())
        return shown.run_command(text) if isinstance(shown, Pane) else None

    def action_theme(self, choice: str) -> None:
        """Take a theme, now and the next time."""
        self.choose_theme(choice)

    def choose_theme(self, choice: str) -> str:
        """Take a theme; return why not, or nothing."""
        if choice not in get_args(ThemeChoice):
            return f"theme {', '.join(get_args(ThemeChoice)[:-1])} or {get_args(ThemeChoice)[-1]}"
        os.environ.pop("ULTRA_CONSOLE_THEME", None)  # what is chosen by hand goes before the option
        keep_preferences(Preferences(theme=cast("ThemeChoice", choice)))
        self.theme = choice if choice != "auto" else chosen_theme()
        return ""

    def copy_to_clipboard(self, text: str) -> None:
        """Ask the terminal to take a text; where it may not listen, write it into a file as well and say so."""
        copy = copy_of(text, os.environ)
        self._clipboard = copy.text
        if copy.sequence and isinstance(self._driver, LineDriver):
            self._driver.write(copy.sequence)
        words = [copy.hint] if copy.hint else []
        if not copy.sure:
            path = keep_copy(copy.text)
            words.append("it could not be written into a file either" if path is None else f"also in {path}")
        if words:
            holder = cast("App[Any]", self)
            holder.notify(safe_line("; ".join(words), 300), title="copied", timeout=_TOLD_FOR_S, markup=False)
