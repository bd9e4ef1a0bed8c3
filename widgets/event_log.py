"""The last things that happened, newest at the bottom.

Run `python -m widgets.event_log` to see it on made-up events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from textual import events

from widgets.durations import clock_text
from widgets.text_lines import Line, TextLines, Tone

_TONES: dict[str, Tone] = {"info": "", "warn": "warn", "error": "bad"}
_MARKS: dict[str, str] = {"info": " ", "warn": "!", "error": "x"}


class LogEvent(NamedTuple):
    """One thing that happened; all text is shown as it is, without markup."""

    at_s: float
    level: Literal["info", "warn", "error"]
    subject: str
    text: str


class EventLog(TextLines):
    """As many of the last events as there are lines."""

    DEFAULT_CSS = "EventLog { height: 1fr; }"

    def __init__(self, *, empty_text: str = "no events yet", id: str | None = None) -> None:
        """Show `empty_text` until there is an event."""
        super().__init__(id=id)
        self._events: tuple[LogEvent, ...] = ()
        self._empty_text = empty_text

    def show(self, happened: Sequence[LogEvent]) -> None:
        """Show the newest of these events, oldest first."""
        self._events = tuple(happened)
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Show as many as there is room for now."""
        self._fill()
        super().on_resize(event)

    def _fill(self) -> None:
        room = self.size.height
        if not self._events:
            self.show_lines(((((self._empty_text), "muted"),),))
        elif room > 0:
            self.show_lines([_event_line(happened) for happened in self._events[-room:]])


def _event_line(happened: LogEvent) -> Line:
    tone = _TONES[happened.level]
    subject = f"{happened.subject}  " if happened.subject else ""
    return (
        (f"{clock_text(happened.at_s):>7} ", "muted"),
        (f"{_MARKS[happened.level]} ", tone),
        (subject, "strong"),
        (happened.text, tone),
    )


if __name__ == "__main__":
    from widgets.demo import show

    _log = EventLog()
    _levels: tuple[Literal["info", "warn", "error"], ...] = ("info", "warn", "error")

    def _made_up(step: int) -> list[LogEvent]:
        return [
            LogEvent(3.0 * n, _levels[n % 3], f"azure/model-{n % 4}@key0", f"limit {n} -> {n + 1}")
            for n in range(step)
        ]

    show(_log, lambda step: _log.show(_made_up(step)))
