"""The events that this console has seen: a snapshot holds only the last ones. Pure."""

from __future__ import annotations

from typing import Final

from console.screens.live.lanes import NAME_LIMIT
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import EventView
from widgets.event_log import MOST_KEPT, LogEvent

GAP: Final = EventView(at_s=0.0, level="info", subject="", text="… more happened between two looks …")


class Chronicle:
    """Events of one run."""

    def __init__(self) -> None:
        self._last: EventView | None = None
        self.events: tuple[LogEvent, ...] = ()
        """As they are shown, oldest first; the same object while nothing happens."""
        self.unread = 0
        """Of those since somebody last saw the newest."""

    def add(self, happened: tuple[EventView, ...]) -> int:
        """Take in the events of a snapshot; return how many are new."""
        new = list(happened)
        if self._last is not None and new:
            place = next((at for at in range(len(new) - 1, -1, -1) if new[at] == self._last), None)
            if place is not None:
                new = new[place + 1 :]
            else:
                new.insert(0, EventView(at_s=new[0].at_s, level=GAP.level, subject="", text=GAP.text))
        if new:
            self._last = new[-1]
            self.events = (*self.events, *map(_log_event, new))[-MOST_KEPT:]
            self.unread = min(self.unread + len(new), len(self.events))
        return len(new)


def _log_event(event: EventView) -> LogEvent:
    """Return an event as it is shown, any level we do not know as information."""
    level = "error" if event.level == "error" else "warn" if event.level == "warn" else "info"
    return LogEvent(event.at_s, level, safe_line(event.subject, NAME_LIMIT), safe_line(event.text, 500))
