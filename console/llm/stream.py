"""From the bytes of one answer to its content, shape, times and counts.

A receiver for the transport: it does its work inside the read callback and never waits, so a request costs one task
switch and every event is timed by the read that brought it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import httpx

from console.llm.chunks import Delta, MalformedError, ToolDelta, Usage, chunk_of
from console.llm.receiver import Header
from console.llm.sse import SseParser, end_of_events
from console.llm.template import ChunkTemplate, learn
from console.llm.tools import MAX_CALLS, ToolAssembly
from console.vocabulary.chat import Departure, Stamps, Timeouts, ToolCall

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
MAX_ERROR_BYTES: Final = 64 * 1024
_TEMPLATE_TRIES: Final = 8
"""Chunks of one answer from which a shape may be learnt; where chunks differ in more than text, there is none."""
_EVENTS_TO_LEARN_FROM: Final = 3
"""Of a first read: the role, and two chunks of text or more."""
LINGER_NS: Final = 1_000_000_000
"""How long the end of the HTTP message may take after `[DONE]` before the connection is given up, not the answer."""


class Phase(Enum):
    """Which deadline passed."""

    FIRST_TOKEN = "first_token"  # noqa: S105 - not a password
    IDLE = "idle"
    TOTAL = "total"


class AnswerReader:
    """Takes one answer, streamed or whole, and keeps what a `ChatResult` needs."""

    __slots__ = (
        "_aligned",
        "_body_bytes",
        "_content",
        "_events",
        "_first_deadline_ns",
        "_first_token_ns",
        "_idle_ns",
        "_keep",
        "_reasoning",
        "_stream",
        "_streaming",
        "_studied_ns",
        "_template",
        "_template_tries",
        "_tools",
        "_total_at_ns",
        "answered",
        "chunks",
        "departure",
        "document",
        "done",
        "ended",
        "error_object",
        "expired_phase",
        "finish_reason",
        "gaps_ns",
        "headers",
        "model",
        "reused",
        "stamps",
        "status",
        "usage",
    )

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        start_ns: int,
        stream: bool,
        keep_content: bool,
        departure: Departure | None = None,
    ) -> None:
        """Count `timeouts.total` from `start_ns`; expect a stream or a whole answer; tell `departure` of each sending."""
        self.departure = departure
        self._first_token_ns = int(timeouts.first_token * 1e9)
        self._idle_ns = int(timeouts.idle * 1e9)
        self._total_at_ns = start_ns + int(timeouts.total * 1e9)
        self._first_deadline_ns = self._total_at_ns
        self._stream = stream
        self._streaming = False
        self._keep = keep_content
        self._events: SseParser | None = None
        self._template: ChunkTemplate | None = None
        self._aligned: ChunkTemplate | None = None
        """The template, where the next byte is known to begin an event."""
        self._template_tries = _TEMPLATE_TRIES
        self._studied_ns = 0
        """The read from which a shape was learnt last."""
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._tools: ToolAssembly | None = None
        self._body_bytes = 0
        self.stamps = Stamps()
        self.reused = True
        """Whether a pooled connection served; the transport says when not."""
        self.status: int | None = None
        self.headers: list[Header] = []
        self.document: list[bytes] | None = None
        """The body, where it is no stream: a whole answer or an error."""
        self.chunks = 0
        self.gaps_ns: list[int] = []
        self.answered = False
        """Whether any `choices` with an entry came."""
        self.finish_reason: str | None = None
        self.done = False
        """Whether `[DONE]` came."""
        self.ended = False
        """Whether the HTTP message is complete."""
        self.usage: Usage | None = None
        self.model: str | None = None
        self.error_object: Any = None
        """An error that came inside the stream."""
        self.expired_phase: Phase | None = None

    @property
    def content(self) -> str:
        """The text, as far as it came."""
        return "".join(self._content)

    @property
    def reasoning(self) -> str:
        """The reasoning, as far as it came."""
        return "".join(self._reasoning)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Tool calls in the order in which they began."""
        return () if self._tools is None else self._tools.calls()

    @property
    def whole(self) -> bool:
        """Whether nothing of the answer is missing: what goes wrong afterwards does not spoil it."""
        return self.answered and (self.done or self.finish_reason is not None)

    # What the transport calls

    def connecting(self, now_ns: int) -> None:
        """Note that a new connection is being made."""
        self.reused = False
        self.stamps.connect_start_ns = now_ns

    def connected(self, now_ns: int) -> None:
        """Note that it is ready."""
        self.stamps.connected_ns = now_ns

    def sent(self, now_ns: int) -> int:
        """Start the clock of the first token; a whole answer has only the total to keep to."""
        self.stamps.sent_ns = now_ns
        if self.departure is not None:
            self.departure.sent(now_ns)
        if self._stream:
            self._first_deadline_ns = min(now_ns + self._first_token_ns, self._total_at_ns)
        return self._first_deadline_ns

    def head(self, status: int, headers: list[Header], now_ns: int) -> int:
        """Find out what kind of body follows."""
        self.status = status
        self.headers = headers
        self.stamps.headers_ns = now_ns
        if 200 <= status < 300:
            kind = _content_type(headers)
            if b"event-stream" in kind or (self._stream and b"json" not in kind):
                self._streaming = True
                self._events = SseParser()
        return self._first_deadline_ns

    def body(self, data: bytes, now_ns: int) -> int:
        """Take the bytes of one read; every event in them gets this read's time."""
        self._body_bytes += len(data)
        if self._body_bytes > MAX_ANSWER_BYTES:
            raise MalformedError(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MB")
        aligned = self._aligned
        if aligned is not None and (text := aligned.read_one(data)) is not None:
            self._count_chunks(1, now_ns)
            if self._keep:
                (self._reasoning if aligned.reasoning else self._content).append(text)
        elif self._events is not None:
            self._take_stream(self._events, data, now_ns)
            if self.done:
                return min(now_ns + LINGER_NS, now_ns + self._idle_ns, self._total_at_ns)
            if self.stamps.first_content_ns is None:
                return self._first_deadline_ns
        else:
            self._keep_document(data, now_ns)
        deadline_ns = now_ns + self._idle_ns
        return deadline_ns if deadline_ns < self._total_at_ns else self._total_at_ns

    def complete(self, now_ns: int) -> None:
        """Note the end of the HTTP message."""
        self.ended = True
        if self.stamps.end_ns is None:
            self.stamps.end_ns = now_ns

    def expired(self, now_ns: int) -> Exception:
        """Name the deadline that passed."""
        if now_ns >= self._total_at_ns:
            self.expired_phase = Phase.TOTAL
        elif self.stamps.first_content_ns is not None or (
            self.stamps.first_byte_ns is not None and not self._streaming
        ):
            self.expired_phase = Phase.IDLE
        else:
            self.expired_phase = Phase.FIRST_TOKEN
        return httpx.ReadTimeout(f"{self.expired_phase.value} timeout")

    def failed(self, error: Exception) -> None:
        """Leave the error to the one who waits."""

    # After the exchange

    def settle(self) -> None:
        """Read what can only be read at the end: a whole answer, or an event without its last blank line.

        Raises:
            ValueError: if it is malformed.
        """
        if self._events is not None:
            last_ns = self.stamps.end_ns
            if self.ended and not self.done and last_ns is not None:
                for name, payload in self._events.finish():
                    self._take_event(name, payload, last_ns)
                    if self.done:
                        break
        elif self.ended:
            self._take_document()

    # Inside

    def _finish(self, now_ns: int) -> None:
        self.done = True
        self.stamps.end_ns = now_ns

    def _keep_document(self, data: bytes, now_ns: int) -> None:
        if self.stamps.first_byte_ns is None:
            self.stamps.first_byte_ns = now_ns
        if self.document is None:
            self.document = []
        self.document.append(data)
        if self.status is not None and self.status >= 300 and self._body_bytes > MAX_ERROR_BYTES:
            raise MalformedError("a very long error page")

    def _take_stream(self, events: SseParser, data: bytes, now_ns: int) -> None:
        """Take a read of a stream that is not just one chunk of a known shape."""
        if self.stamps.first_byte_ns is None:
            self.stamps.first_byte_ns = now_ns
        if self.done:
            return
        if self._template is None and self._template_tries:
            edge = end_of_events(data, _EVENTS_TO_LEARN_FROM)
            self._read_events(events, data[:edge], now_ns)
            data = data[edge:]
        if self._aligned is not None and data and (found := self._aligned.read_many(data)) is not None:
            text, chunks, size = found
            self._count_chunks(chunks, now_ns)
            if self._keep:
                (self._reasoning if self._aligned.reasoning else self._content).append(text)
            data = data[size:]
        if data and not self.done:
            self._read_events(events, data, now_ns)

    def _read_events(self, events: SseParser, data: bytes, now_ns: int) -> None:
        """Take events of any shape."""
        self._aligned = None
        for name, payload in events.feed(data):
            self._take_event(name, payload, now_ns)
            if self.done:
                return
        if events.idle:
            self._aligned = self._template

    def _take_event(self, name: bytes, payload: bytes, now_ns: int) -> None:
        if payload[:1] != b"{":
            bare = payload.strip()
            if not bare:
                return
            if bare == b"[DONE]":
                self._finish(now_ns)
                return
        chunk = chunk_of(payload)
        if chunk.error is not None or name == b"error":
            self.error_object = chunk.error if chunk.error is not None else payload.decode("utf-8", "replace")
            raise MalformedError("the server sent an error inside the stream")
        if chunk.usage is not None:
            self.usage = chunk.usage
        if self.model is None and chunk.model:
            self.model = chunk.model
        chunks = self.chunks
        for choice in chunk.choices or ():
            self.answered = True
            if choice.index != 0:
                continue
            if choice.finish_reason:
                self.finish_reason = choice.finish_reason
            delta = choice.delta or choice.message
            if delta is not None:
                self._take_delta(delta, now_ns)
        if chunks and self.chunks > chunks and self._template_tries and self._studied_ns != now_ns:
            # Not the first, which may bear a role as well, and one of a read: those behind it are like it.
            self._studied_ns = now_ns
            self._template_tries -= 1
            self._template = learn(payload, chunk) or self._template

    def _count_chunks(self, chunks: int, now_ns: int) -> None:
        """Count chunks with something in them, which one read brought."""
        stamps = self.stamps
        if stamps.last_content_ns is None:
            stamps.first_content_ns = now_ns
        else:
            self.gaps_ns.append(now_ns - stamps.last_content_ns)
        if chunks > 1:
            self.gaps_ns.extend([0] * (chunks - 1))
        stamps.last_content_ns = now_ns
        self.chunks += chunks

    def _take_delta(self, delta: Delta, now_ns: int) -> None:
        content = delta.content or delta.refusal
        reasoning = delta.reasoning_content or delta.reasoning
        tools = delta.tool_calls
        if not (content or reasoning or tools):
            return
        self._count_chunks(1, now_ns)
        if self.stamps.first_output_ns is None and (content or tools):
            self.stamps.first_output_ns = now_ns
        if not self._keep:
            return
        if content:
            self._content.append(content)
        if reasoning:
            self._reasoning.append(reasoning)
        for tool in tools or ():
            self._take_tool(tool)

    def _take_tool(self, piece: ToolDelta) -> None:
        if self._tools is None:
            self._tools = ToolAssembly()
        if not self._tools.add(piece):
            raise MalformedError(f"the answer holds more than {MAX_CALLS} tool calls")

    def _take_document(self) -> None:
        if self.status is None or not 200 <= self.status < 300:
            return
        chunk = chunk_of(b"".join(self.document or ()))
        if chunk.error is not None:
            self.error_object = chunk.error
            return
        self.usage = chunk.usage
        self.model = chunk.model
        for choice in chunk.choices or ():
            if choice.index != 0:
                continue
            self.answered = self.done = True
            self.finish_reason = choice.finish_reason
            self.stamps.last_content_ns = self.stamps.end_ns
            message = choice.message or choice.delta
            if message is None or not self._keep:
                continue
            self._content.append(message.content or message.refusal or "")
            self._reasoning.append(message.reasoning_content or message.reasoning or "")
            for position, tool in enumerate(message.tool_calls or ()):
                tool.index = position
                self._take_tool(tool)


def _content_type(headers: list[Header]) -> bytes:
    for name, value in headers:
        if name.lower() == b"content-type":
            return value.lower()
    return b""
