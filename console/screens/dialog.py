"""Boxes over a screen: each is answered once, however often and however fast a key is pressed."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, TypeVar, cast

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

AnswerT = TypeVar("AnswerT")
ReturnT = TypeVar("ReturnT")
ECHO_S: Final = 0.5
"""A key pressed again within this time means the same press: a bouncing key, or one that is held."""
_KEYS_UNDER_WAY: Final = 64
"""Keys remembered with the screen they were pressed on; more are not under way at once."""


class EchoingApp(App[ReturnT]):
    """An app that hears the key which opened or closed a dialog once, so that its echo does nothing else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._last_key = ""
        self._last_key_at = float("-inf")
        self._settled_by = ""
        self._aimed: deque[tuple[events.Key, Screen[Any]]] = deque(maxlen=_KEYS_UNDER_WAY)

    def settle_key(self) -> None:
        """Take no notice of the key pressed last while it goes on being pressed."""
        self._settled_by = self._last_key

    async def on_event(self, event: events.Event) -> None:
        """Drop the echo of a key that has done its work, and a key whose screen has gone since it was pressed."""
        if isinstance(event, events.Key) and self.screen_stack:
            if event.is_forwarded:
                if self._came_too_late(event):
                    return
            elif self._is_echo(event):
                return
            else:
                self._aimed.append((event, self.screen))
        await super().on_event(event)

    def _came_too_late(self, event: events.Key) -> bool:
        """Whether another screen is shown by now; Textual would look for the key among that one's bindings."""
        return any(key is event and screen is not self.screen for key, screen in self._aimed)

    def _is_echo(self, event: events.Key) -> bool:
        echo = event.key == self._settled_by and event.time - self._last_key_at <= ECHO_S
        if not echo:
            self._settled_by = ""
        self._last_key, self._last_key_at = event.key, event.time
        return echo


class Dialog(ModalScreen[AnswerT]):
    """A box that gives back one answer. The screen below is not tinted: that would cost a whole picture."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog > .box {
        max-width: 96%;
        height: auto;
        max-height: 96%;
        padding: 1 2;
        border: round $primary;
        background: $surface;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._answered = False
        self._waiting: list[AnswerT | None] = []

    def dismiss(self, result: AnswerT | None = None) -> AwaitComplete:
        """Close with `result`. Only the first call counts; one from below another screen is kept until that closes."""
        if self._answered:
            return AwaitComplete()
        self._answered = True
        if self._holder.screen is not self:
            self._waiting.append(result)
            return AwaitComplete()
        self.settle_key()
        return super().dismiss(result)

    def settle_key(self) -> None:
        """Take no notice of the key pressed last while it goes on being pressed."""
        holder = self._holder
        if isinstance(holder, EchoingApp):
            holder.settle_key()

    def on_screen_resume(self) -> None:
        """Close now if the answer came while another screen was above."""
        if self._waiting:
            super().dismiss(self._waiting.pop())

    @property
    def _holder(self) -> App[Any]:
        return cast("App[Any]", self.app)
