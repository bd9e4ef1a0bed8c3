"""Server-sent events, incrementally, on bytes: split anywhere, any line ending, bounded."""

from __future__ import annotations

from typing import Final

MAX_EVENT_BYTES: Final = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LF: Final = 0x0A
_CR: Final = 0x0D
"""As numbers: looking for `bytes` in `bytes` costs CPython an exception, made and dropped, each time."""

SseEvent = tuple[bytes, bytes]
"""(name from `event:`, empty if none; `data:` lines joined by a line feed)."""


class SseError(ValueError):
    """The stream holds an event that is too large to be one."""


class SseParser:
    """Turns pieces of a stream into events.

    A piece that holds whole one-line events, as servers send them, is split at blank lines without looking at
    its lines; everything else goes line by line. Both give the same events.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_first",
        "_line_parts",
        "_max_event_bytes",
        "_name",
        "_open_bytes",
        "idle",
        "last_id",
        "retry_ms",
    )

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._line_parts: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._open_bytes = 0
        self._after_cr = False
        self._first = True
        self.idle = False
        """Whether it is known that the next byte begins an event."""
        self.last_id = b""
        """Last value of `id:`."""
        self.retry_ms: int | None = None
        """Last value of `retry:`."""

    def feed(self, data: bytes) -> list[SseEvent]:
        """Return the events that `data` completes.

        Raises:
            SseError: if an unfinished event grows over the limit.
        """
        self.idle = False
        if not data:
            return []  # an empty piece says nothing, not even that no line feed follows a carriage return
        if self._after_cr:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if _CR in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        events: list[SseEvent] = []
        if self._first and not self._open_bytes and data and data[0] != _BOM[0]:
            self._first = False
        if self._open_bytes or self._first:
            cut = data.find(b"\n\n")
            if cut < 0:
                self._feed_lines(data, events)
                return events
            self._feed_lines(data[: cut + 2], events)
            data = data[cut + 2 :]
        blocks = data.split(b"\n\n")
        rest = blocks.pop()
        for block in blocks:
            payload = block.removeprefix(b"data: ")
            if payload is not block and _LF not in payload:
                events.append((b"", payload))
            elif block:
                for line in block.split(b"\n"):
                    self._take_line(line, events)
                self._take_line(b"", events)
        if rest:
            self._feed_lines(rest, events)
        self.idle = not (self._open_bytes or self._after_cr)
        return events

    def finish(self) -> list[SseEvent]:
        """Return the event that the end of the stream completes: its last blank line is often missing."""
        events: list[SseEvent] = []
        if self._line_parts:
            self._take_line(b"".join(self._line_parts), events)
            self._line_parts.clear()
        self._take_line(b"", events)
        return events

    def _feed_lines(self, data: bytes, events: list[SseEvent]) -> None:
        first, *lines = data.split(b"\n")
        self._line_parts.append(first)
        if lines:
            partial = lines.pop()
            whole = b"".join(self._line_parts)
            self._line_parts.clear()
            self._open_bytes -= len(whole) - len(first)  # counted again when the line is taken
            self._take_line(whole, events)
            for line in lines:
                self._take_line(line, events)
            if partial:
                self._line_parts.append(partial)
            self._open_bytes += len(partial)
        else:
            self._open_bytes += len(first)
        if self._open_bytes > self._max_event_bytes:
            raise SseError(f"an event of over {self._max_event_bytes} bytes")

    def _take_line(self, line: bytes, events: list[SseEvent]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append((self._name, b"\n".join(self._data)))
                self._data = []
            self._name = b""
            self._open_bytes = 0
            return
        self._open_bytes += len(line)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._name = value
        elif name == b"id":
            if b"\0" not in value:
                self.last_id = value
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self.retry_ms = int(value)


def end_of_events(data: bytes, count: int) -> int:
    """Return where the first `count` events of `data` end, or its length if it holds no more than that."""
    edge = 0
    for _ in range(count):
        edge = data.find(b"\n\n", edge) + 2
        if edge < 2:
            return len(data)
    return edge
