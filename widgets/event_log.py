"""What happened, newest at the bottom: follows the end until one scrolls up, filters, and remembers 2,000 events.

Run `python -m widgets.event_log` to see it on made-up events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.durations import clock_text
from widgets.line_list import LineList
from widgets.line_paint import Line, Tone, text_of
from widgets.word_filter import filter_note, has_all, nothing_left, words_of

MOST_KEPT: Final = 2_000
_COUNT_STEP: Final = 1_024
_TONES: dict[str, Tone] = {"info": "", "warn": "warn", "error": "bad"}
_MARKS: dict[str, str] = {"info": " ", "warn": "!", "error": "x"}
_PROBLEMS: Final = "errors and warnings"


class LogEvent(NamedTuple):
    """One thing that happened; all text is shown as it is, without markup."""

    at_s: float
    level: Literal["info", "warn", "error"]
    subject: str
    text: str


class EventLog(LineList):
    """Shows events that are given all at once, or bit by bit."""

    DEFAULT_CSS = "EventLog { height: 1fr; scrollbar-size-vertical: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", id="log.choose", tooltip="Open the event under the cursor"),
        Binding(
            "e",
            "toggle_problems",
            "problems",
            id="log.problems",
            tooltip="Only errors and warnings, or everything again",
        ),
    ]

    @dataclass
    class EventHighlighted(Message):
        """The cursor was moved to another event."""

        log: EventLog
        event: LogEvent

        @property
        def control(self) -> EventLog:
            """The log, for `@on(..., "#id")`."""
            return self.log

        def can_replace(self, message: Message) -> bool:
            """Only the newest place of the cursor matters."""
            return isinstance(message, EventLog.EventHighlighted) and message.log is self.log

    @dataclass
    class EventChosen(Message):
        """Enter was pressed on an event."""

        log: EventLog
        event: LogEvent

        @property
        def control(self) -> EventLog:
            """The log, for `@on(..., "#id")`."""
            return self.log

    def __init__(
        self,
        *,
        ascii_only: bool = False,
        empty_text: str = "no events yet",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `empty_text` until there is an event."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._events: tuple[LogEvent, ...] = ()
        self._seen: tuple[LogEvent, ...] = ()
        self._only_problems = False
        self._filter = ""
        self._following = True

    # What is shown

    def show(self, happened: Sequence[LogEvent]) -> None:
        """Show these events and no others, oldest first."""
        self._take(tuple(happened)[-MOST_KEPT:])

    def merge(self, recent: Sequence[LogEvent]) -> None:
        """Add what is new among the most recent events, oldest first; what they tell again is not shown twice."""
        kept, new = self._events, tuple(recent)
        alike = next((n for n in range(min(len(kept), len(new)), 0, -1) if kept[-n:] == new[:n]), 0)
        if new[alike:]:
            self._take((kept + new[alike:])[-MOST_KEPT:])

    @property
    def events(self) -> tuple[LogEvent, ...]:
        """All events that are kept, in sight or not."""
        return self._events

    @property
    def events_shown(self) -> tuple[LogEvent, ...]:
        """The events that the filter leaves."""
        return self._seen

    @property
    def highlighted(self) -> LogEvent | None:
        """The event under the cursor."""
        return self._seen[self._cursor] if self._cursor < len(self._seen) else None

    @property
    def following(self) -> bool:
        """Whether the newest event is always in sight."""
        return self._following

    @property
    def only_problems(self) -> bool:
        """Whether only errors and warnings are shown."""
        return self._only_problems

    @only_problems.setter
    def only_problems(self, only: bool) -> None:
        self._only_problems = only
        self._take(self._events)

    @property
    def filter_text(self) -> str:
        """The words that events must have."""
        return self._filter

    def filter(self, text: str) -> None:
        """Show only events in which all words occur; an empty text shows all."""
        self._filter = text.strip()
        self._take(self._events)

    # Keys

    def action_toggle_problems(self) -> None:
        """Show only errors and warnings, or everything again."""
        self.only_problems = not self._only_problems

    def action_choose(self) -> None:
        """Open the event under the cursor."""
        found = self.highlighted
        if found is not None:
            self.post_message(self.EventChosen(self, found))

    def go_to(self, index: int) -> None:
        """Set the cursor on an event; on the newest one the end is followed again."""
        self._following = index >= len(self._seen) - 1
        super().go_to(index)

    # Lines

    def line_count(self) -> int:
        """Return how many events the filter leaves."""
        return len(self._seen)

    def line_at(self, index: int, width: int) -> Line:
        """Make the line of one event."""
        at_cursor = index == self._cursor and (self.has_focus or not self._following)
        line = _event_line(self._seen[index], ">" if at_cursor else " ", self._clock_width)
        return ((">", ""), (text_of(line)[1:], "cursor")) if at_cursor and self.has_focus else line

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Say what is filtered, and what is below where the end is not followed."""
        words: list[str] = []
        if not self._following:
            below = len(self._seen) - 1 - self._cursor
            words.append(f"{below:,} newer below, G follows")
        if self._filtered_by:
            words.append(filter_note(self._filtered_by, len(self._seen), len(self._events), "events"))
        return (((("   ".join(words)), "accent"),),) if words else ()

    def empty_lines(self, width: int) -> tuple[Line, ...]:
        """Say why there is no event."""
        if self._filtered_by and self._events:
            return (((nothing_left(self._filtered_by, len(self._events), "events"), "muted"),),)
        return super().empty_lines(width)

    def cursor_moved(self) -> None:
        """Tell on which event the cursor stands."""
        found = self.highlighted
        if found is not None and self.is_attached:
            self.post_message(self.EventHighlighted(self, found))

    def set_line_count(self, count: int) -> None:
        """Take the number in large steps: each change of it would paint all lines, and there is no scroll bar to see it."""
        super().set_line_count(-(-count // _COUNT_STEP) * _COUNT_STEP)

    def take_size(self) -> None:
        """Stay at the end if it is followed."""
        if self._following:
            self._cursor = max(0, len(self._seen) - 1)
        super().take_size()

    # Within

    @property
    def _filtered_by(self) -> str:
        return "   ".join(text for text in (_PROBLEMS if self._only_problems else "", self._filter) if text)

    @property
    def _clock_width(self) -> int:
        """As wide as the longest time needs: that of the newest event."""
        return max(6, len(clock_text(self._events[-1].at_s)))

    def _take(self, events: tuple[LogEvent, ...]) -> None:
        """Show other events; where the end is not followed the cursor stays on its event, and that where it is."""
        before, top = self.highlighted, self._cursor - self.scroll_offset.y
        self._events = events
        words = words_of(self._filter)
        self._seen = tuple(event for event in events if self._wanted(event, words))
        if self._following:
            self._cursor = max(0, len(self._seen) - 1)
        elif before in self._seen:
            self._cursor = len(self._seen) - 1 - self._seen[::-1].index(before)
        self.take_count()
        if not self._following and self._room > 0:
            self.scroll_to_line(max(0, self._cursor - top))
        self.show_cursor()
        self.redraw()

    def _wanted(self, event: LogEvent, words: tuple[str, ...]) -> bool:
        if self._only_problems and event.level == "info":
            return False
        return not words or has_all(words, f"{event.subject} {event.text}")


def _event_line(happened: LogEvent, cursor: str, clock_width: int) -> Line:
    """Make a line of one style, for the whole log moves up with each event and each style costs as much as the text."""
    subject = f"{happened.subject}  " if happened.subject else ""
    time = f"{clock_text(happened.at_s):>{clock_width}}"
    return ((f"{cursor}{time} {_MARKS[happened.level]} {subject}{happened.text}", _TONES[happened.level]),)


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show

    _log = EventLog(ascii_only=ASCII_ONLY)
    _levels: tuple[Literal["info", "warn", "error"], ...] = ("info", "warn", "error")

    def _go_on(step: int) -> None:
        text = f"limit {step} -> {step + 1}"
        _log.merge([LogEvent(3.0 * step, _levels[step % 3], f"azure/model-{step % 4}@key0", text)])

    show(_log, _go_on)
