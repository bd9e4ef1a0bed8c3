"""One client connection: HTTP/1.1 in, answers out in the order of the requests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools
import msgspec

from console.sim import rejection as reject
from console.sim import wire
from console.sim.live_answer import LiveAnswer
from console.sim.rejection import Rejection

LARGEST_BODY_BYTES = 16 * 1024 * 1024
LARGEST_HEAD_BYTES = 64 * 1024
MOST_WAITING = 16
"""Pipelined requests kept; beyond, reading pauses."""
LINGER_S = 2.0
"""How long the rest of a refused request is read away, so that the client sees the refusal and no reset."""


class Incoming(msgspec.Struct, frozen=True):
    """One complete request, or why it could not be read."""

    method: str
    target: bytes
    credential: str | None
    body: bytes
    keep_alive: bool
    version: str = "1.1"
    refused: Rejection | None = None


class Connection(asyncio.Protocol):
    """Parses requests and hands them one at a time to `answer`, which writes or starts a `LiveAnswer`."""

    def __init__(
        self,
        answer: Callable[[Connection, Incoming], LiveAnswer | None],
        on_made: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        """Call `answer` for each request, in order; it returns the answer that is still on its way, if any."""
        self._answer = answer
        self._on_made = on_made
        self._on_lost = on_lost
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._current: LiveAnswer | None = None
        self._waiting: deque[Incoming] = deque()
        self._writing_paused = False
        self._reading_paused = False
        self._deaf = False
        self._start_message()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """Parse, then answer what is complete."""
        if self._deaf:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(reject.bad_request("No other protocol is spoken here."))
        except httptools.HttpParserError as error:
            self._refuse(reject.bad_request(f"This is not HTTP/1.1: {error}"))
        self._go_on()

    def eof_received(self) -> bool:
        """Take the end of the client's sending for its going, as servers do."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the answer on its way, so that its slot is free."""
        self._transport = None
        self._deaf = True
        self._waiting.clear()
        current, self._current = self._current, None
        if current is not None:
            current.cancel()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Stop sending: the client does not keep up."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Send on."""
        self._writing_paused = False
        if self._current is not None:
            self._current.resume()

    # httptools' side

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._start_message()

    def on_url(self, url: bytes) -> None:
        """Collect the target."""
        self._target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the few headers that matter."""
        self._count_head(len(name) + len(value))
        match name.lower():
            case b"authorization" if value[:7].lower() == b"bearer ":
                self._credential = self._credential or value[7:].strip().decode("latin-1")
            case b"api-key":
                self._credential = value.strip().decode("latin-1")
            case b"content-length" if value.isdigit() and int(value) > LARGEST_BODY_BYTES:
                self._too_large = True
            case b"expect" if value.lower() == b"100-continue":
                self._expects_continue = True
            case _:
                pass

    def on_headers_complete(self) -> None:
        """Refuse a body that says it is too large, or ask for it where the client waits for that."""
        if self._too_large:
            self._refuse_size()
        elif self._expects_continue and self._current is None and not self._waiting and not self._deaf:
            self.write(wire.CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Collect the body up to its bound."""
        if self._deaf:
            return
        if len(self._body) + len(body) > LARGEST_BODY_BYTES:
            self._refuse_size()
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Put the request in the row of those to be answered."""
        if self._deaf:
            return
        self._waiting.append(
            Incoming(
                method=self._parser.get_method().decode("latin-1"),
                target=bytes(self._target),
                credential=self._credential,
                body=bytes(self._body),
                keep_alive=self._parser.should_keep_alive(),
                version=self._parser.get_http_version(),
            )
        )

    # the answers' side

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket, if there still is one."""
        if data and self._transport is not None:
            self._transport.write(data)

    def paused(self) -> bool:
        """Whether the client does not keep up."""
        return self._writing_paused

    def answer_ended(self, answer: LiveAnswer, *, close: bool) -> None:
        """Answer the next request, or close."""
        if self._current is not answer:
            return
        self._current = None
        if close:
            self.close()
        else:
            self._go_on()

    def close(self) -> None:
        """Close when all has been written."""
        self._deaf = True
        self._waiting.clear()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _go_on(self) -> None:
        while self._current is None and self._waiting:
            incoming = self._waiting.popleft()
            try:
                self._current = self._answer(self, incoming)
            except BaseException:
                self.abort()
                raise
            if self._current is not None:
                self._current.start()
            elif incoming.refused is not None:
                self._linger()
            elif not incoming.keep_alive:
                self.close()
        full = len(self._waiting) >= MOST_WAITING
        if self._transport is not None and full != self._reading_paused and not self._transport.is_closing():
            self._reading_paused = full
            if full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _start_message(self) -> None:
        self._target = bytearray()
        self._body = bytearray()
        self._head_bytes = 0
        self._credential: str | None = None
        self._too_large = False
        self._expects_continue = False

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > LARGEST_HEAD_BYTES:
            self._refuse(reject.bad_request("The head of the request is too large.", status=431))

    def _refuse_size(self) -> None:
        limit = LARGEST_BODY_BYTES // 1024 // 1024
        self._refuse(reject.bad_request(f"The body is larger than {limit} MB.", status=413, code="too_large"))

    def _refuse(self, refused: Rejection) -> None:
        """Answer `refused` after the requests before it; nothing more is parsed."""
        if self._deaf:
            return
        self._deaf = True
        self._waiting.append(Incoming("", b"", None, b"", keep_alive=False, refused=refused))

    def _linger(self) -> None:
        transport = self._transport
        if transport is None:
            return
        if transport.can_write_eof():
            transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_S, self.abort)
