"""What the full screens have in common: how they open one another and how the console is left from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar, cast

from textual.app import App
from textual.screen import Screen

from console.screens.leaving import Leaving

AnswerT = TypeVar("AnswerT")


class Pane(Screen[None], inherit_bindings=False):
    """A full screen."""

    HELP_NOTES: ClassVar[tuple[str, ...]] = ()
    """Lines below the keys in its help."""

    def leaving(self) -> Leaving | None:
        """Return how the run stands that is watched here, if one is."""
        return None

    @property
    def on_top(self) -> bool:
        """Whether nothing is above it, not even a question (Textual's `is_current` is true under one)."""
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

    def replace_with(self, screen: Screen[Any]) -> None:
        """Put a screen in the place of this one."""
        self._console_app.switch_screen(screen)  # pyright: ignore[reportUnknownMemberType]

    def close_console(self, leaving: Leaving | None) -> None:
        """End the app."""
        self._console_app.exit(leaving)

    @property
    def _console_app(self) -> App[Leaving | None]:
        return cast("App[Leaving | None]", self.app)
