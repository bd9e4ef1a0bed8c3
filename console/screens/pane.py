"""What the six screens have in common: the tab bar, how they go to one another, and how the console is left from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar, Literal, TypeVar, cast

from textual import events
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from console.screens.key_line import KeyLine
from console.screens.leaving import Leaving
from console.screens.question import Question
from console.screens.session import Session
from console.screens.too_small import TooSmall
from console.vocabulary.safe_text import safe_line
from widgets.text_lines import Line, Run, TextLines

AnswerT = TypeVar("AnswerT")
Place = Literal["profiles", "launch", "live", "capacity", "results", "runs"]
PLACES: tuple[Place, ...] = ("profiles", "launch", "live", "capacity", "results", "runs")
"""The screens in the order of their keys, from 1."""


class Pane(Screen[None], inherit_bindings=False):
    """One of the six screens."""

    PLACE: ClassVar[Place]
    HELP_NOTES: ClassVar[tuple[str, ...]] = ()
    """Lines below the keys in its help."""

    def __init__(self, session: Session) -> None:
        """Show what `session` says."""
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """Lay out from the tab bar to the keys."""
        yield TooSmall(id="too-small")
        yield TextLines((tab_line(self.PLACE),), id="tabs")
        yield from self.compose_body()
        yield KeyLine()

    def compose_body(self) -> Iterable[Widget]:
        """Lay out what is between the tab bar and the keys."""
        raise NotImplementedError

    def leave_question(self) -> Question | None:
        """Return what has to be asked here before the console closes, if anything."""
        return None

    def leave_answered(self, value: str) -> bool:
        """Take the answer to that; return whether the console may close now."""
        return bool(value)

    COMMAND_EXAMPLE: ClassVar[str] = ""
    """What can be typed in the palette on this screen, such as `workers 40`."""

    def run_command(self, text: str) -> str | None:
        """Do what was typed in the palette; return "" when it is done, why it is not, or None where it is no command here."""
        return None

    def why_not(self, action: str) -> str:
        """Return why an action cannot be taken now, where that is worth a line; else nothing."""
        return ""

    def tell(self, text: str) -> None:
        """Say something in a line; a screen that has one for it says it there."""
        self._console_app.notify(safe_line(text, 200), markup=False)

    def on_key(self, event: events.Key) -> None:
        """Say why a key of the screen does nothing now: Textual passes it over without a word."""
        bindings = self._bindings.key_to_bindings.get(event.key, [])
        active = self.active_bindings.get(event.key) if bindings else None
        if bindings and not (active is not None and active.enabled):
            reasons = (self.why_not(binding.action.partition("(")[0]) for binding in bindings)
            reason = next(filter(None, reasons), "")
            if reason:
                self.tell(reason)

    @property
    def help_notes(self) -> tuple[str, ...]:
        """The lines below the keys in its help, as it looks now."""
        return self.HELP_NOTES

    @property
    def ascii_only(self) -> bool:
        """Whether nothing but ASCII may be drawn."""
        return bool(getattr(self._console_app, "ascii_only", False))

    @property
    def on_top(self) -> bool:
        """Whether it is in front, with nothing above it, not even a question (Textual's `is_current` is true under one)."""
        return self._console_app.screen is self

    def open_screen(
        self,
        screen: Screen[AnswerT],
        answered: Callable[[AnswerT | None], None]
        | Callable[[AnswerT | None], Awaitable[None]]
        | None = None,
    ) -> None:
        """Put a screen on top of this one; `answered` gets what it is dismissed with."""
        self._console_app.push_screen(screen, answered)

    def go(self, place: Place) -> None:
        """Go to another screen; this one stays as it is."""
        self._console_app.switch_mode(place)

    def close_console(self, leaving: Leaving | None) -> None:
        """End the app."""
        self._console_app.exit(leaving)

    @property
    def _console_app(self) -> App[Leaving | None]:
        return cast("App[Leaving | None]", self.app)


def tab_line(here: Place) -> Line:
    """Return the names of the screens with their keys, the present one marked by more than colour."""
    runs: list[Run] = []
    for number, place in enumerate(PLACES, 1):
        if place == here:
            runs.append((f"[{number} {place.upper()}]", "strong"))
        else:
            runs.append((f" {number} {place} ", "muted"))
    return tuple(runs)
