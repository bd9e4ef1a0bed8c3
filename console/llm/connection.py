"""One HTTP/1.1 connection: bytes in, one answer at a time out.

The parser runs inside `data_received`, and what it finds is handed over in the same call, so that a request costs no
task switch per read. Time is read once per socket read, before anything else is done with the bytes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol

import httptools
import httpx

from console.llm.route import Route

NEVER: Final = 1 << 62
"""A deadline that does not come."""
MAX_HEAD_BYTES: Final = 64 * 1024
MAX_SILENT_BYTES: Final = 64 * 1024
"""Bytes of framing (chunk extensions, trailers) that may come without any of the body."""
_MIN_TIMER_S: Final = 0.001

Header = tuple[bytes, bytes]


class Disconnected(httpx.RemoteProtocolError):
    """The peer closed the connection before the first byte of an answer."""


class Receiver(Protocol):
    """Takes in one answer as it arrives. Each call but the last says by when the next must come (ns, or NEVER).

    It is called from the event loop and must not block. What it raises ends the exchange and closes the connection.
    """

    def sent(self, now_ns: int) -> int:
        """Take note that the request is about to be written."""
        ...

    def head(self, status: int, headers: list[Header], now_ns: int) -> int:
        """Take the final status and its headers; `now_ns` is the read that completed them."""
        ...

    def body(self, data: bytes, now_ns: int) -> int:
        """Take the body bytes of one read."""
        ...

    def complete(self, now_ns: int) -> None:
        """Take note that the answer is complete. Nothing follows."""
        ...

    def expired(self, now_ns: int) -> Exception:
        """Name the deadline that has passed. `failed` follows with it."""
        ...

    def failed(self, error: Exception) -> None:
        """Take note that the exchange ended with `error`. Nothing follows."""
        ...


class Keeper(Protocol):
    """Who owns connections between exchanges."""

    def opened(self, connection: Connection) -> None:
        """Take note of a new one."""
        ...

    def release(self, connection: Connection) -> None:
        """Take back one that may serve again."""
        ...

    def lost(self, connection: Connection) -> None:
        """Forget one that is closed."""
        ...


class Connection(asyncio.Protocol):
    """A socket, its parser, and the exchange on it."""

    __slots__ = (
        "_armed_ns",
        "_bodiless",
        "_complete",
        "_deadline_ns",
        "_head_bytes",
        "_head_given",
        "_headers",
        "_hold",
        "_interim",
        "_keep_alive",
        "_keeper",
        "_loop",
        "_now_ns",
        "_parser",
        "_parts",
        "_receiver",
        "_silent_bytes",
        "_status",
        "_surplus",
        "_timer",
        "_transport",
        "_until_eof",
        "_waiter",
        "_write_waiter",
        "_writes_paused",
        "_writing",
        "answered",
        "closed",
        "idle_since_ns",
        "on_body",
        "route",
        "used",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, route: Route, keeper: Keeper, now_ns: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._keeper = keeper
        self._now_ns = now_ns
        self._transport: Any = None
        self._receiver: Receiver | None = None
        self._waiter: asyncio.Future[Exception | None] | None = None
        self._write_waiter: asyncio.Future[None] | None = None
        self._writes_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed_ns = NEVER
        self._deadline_ns = NEVER
        self._parts: list[bytes] = []
        self.on_body = self._parts.append  # called by the parser: no Python frame per piece
        self.route = route
        self.used = 0
        """Exchanges begun on it."""
        self.answered = False
        """Whether a byte of answer came in the exchange at hand."""
        self.closed = False
        self.idle_since_ns = 0
        self._reset()
        self._parser = httptools.HttpResponseParser(self)

    def _reset(self) -> None:
        self.answered = False
        self._headers: list[Header] = []
        self._status = 0
        self._head_bytes = 0
        self._silent_bytes = 0
        self._head_given = False
        self._interim = False
        self._complete = False
        self._surplus = False
        self._keep_alive = False
        self._until_eof = False
        self._bodiless = False
        self._hold = False
        self._writing = False

    # What the owner calls

    def start(
        self,
        wire: bytes,
        receiver: Receiver,
        *,
        bodiless: bool = False,
        hold: bool = False,
        partial: bool = False,
        waiter: asyncio.Future[Exception | None] | None = None,
    ) -> None:
        """Write a request and hand its answer to `receiver`.

        Args:
            wire: the whole request, or its first part where `write` brings the rest.
            receiver: takes the answer.
            bodiless: the answer has no body whatever its headers say (HEAD, CONNECT).
            hold: stay open after the answer without going back to the pool (CONNECT).
            partial: `write` brings more, until `written`.
            waiter: gets None at the end of the answer, or the error.
        """
        self._reset()
        self._bodiless = bodiless
        self._hold = hold
        self._writing = partial
        self.used += 1
        self._receiver = receiver
        self._waiter = waiter
        deadline_ns = receiver.sent(self._now_ns())
        self._transport.write(wire)
        self.watch(deadline_ns)

    def write(self, data: bytes) -> None:
        """Write a further part of the request."""
        self._transport.write(data)

    def written(self) -> None:
        """Take note that the request is whole: without it the connection serves no other."""
        self._writing = False

    @property
    def wants_body(self) -> bool:
        """Whether the exchange goes on and no answer is there yet."""
        return self._receiver is not None and not self._head_given

    @property
    def http_version(self) -> bytes:
        """Version of the answer, as httpx's extension has it."""
        return f"HTTP/{self._parser.get_http_version()}".encode("ascii")

    async def drained(self) -> None:
        """Wait until the socket takes more, or there is an answer or an error to look at first."""
        while self._writes_paused and self.wants_body:
            self._write_waiter = self._loop.create_future()
            try:
                await self._write_waiter
            finally:
                self._write_waiter = None

    def abandon(self, receiver: Receiver) -> None:
        """Close the connection if `receiver` still has the answer to come; else it serves others already."""
        if self._receiver is receiver:
            self._receiver = None
            self._waiter = None
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Leave what comes in the socket."""
        if not self.closed:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if not self.closed:
            self._transport.resume_reading()

    async def start_tls(self, context: Any, server_hostname: str) -> None:
        """Speak TLS from here on: the end of a CONNECT."""
        self._transport = await self._loop.start_tls(
            self._transport, self, context, server_hostname=server_hostname
        )
        self._parser = httptools.HttpResponseParser(self)

    def watch(self, deadline_ns: int) -> None:
        """Set the deadline. A later one costs nothing: the timer that stands looks again when it rings."""
        self._deadline_ns = deadline_ns
        if deadline_ns < self._armed_ns:
            self._arm(deadline_ns - self._now_ns())

    # What the parser calls

    def on_message_begin(self) -> None:
        """Note bytes behind the end of the answer: the connection is not used again."""
        if self._complete:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers and what belongs to no answer of ours are dropped."""
        if not (self._head_given or self._surplus or self._status):
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Read the status, skip interim answers, and find out how the body ends."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim = True
            self._headers.clear()
            return
        self._status = status
        if self._bodiless:
            self._complete = True
            return
        self._keep_alive = self._parser.should_keep_alive()
        if not self._keep_alive and status not in (204, 304):
            names = {name.lower() for name, _ in self._headers}
            self._until_eof = b"content-length" not in names and b"transfer-encoding" not in names

    def on_message_complete(self) -> None:
        """Note the end of the body."""
        if self._interim:
            self._interim = False
        else:
            self._complete = True

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket up: no Nagle, and probes that keep NAT entries alive through long answers."""
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse one read and hand over what is in it."""
        now_ns = self._now_ns()
        receiver = self._receiver
        if receiver is None:
            self.abort()  # nobody asked, so nothing that follows can be trusted
            return
        self.answered = True
        error: Exception | None = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            error = httpx.RemoteProtocolError("the server switched to another protocol")
        except httptools.HttpParserError as problem:
            error = httpx.RemoteProtocolError(f"not HTTP/1.1: {problem}")
        try:
            if not self._head_given:
                self._take_head(receiver, len(data), now_ns)
            parts = self._parts
            if parts:
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                parts.clear()
                if not self._bodiless:
                    self._silent_bytes = 0
                    deadline_ns = receiver.body(body, now_ns)
                    self._deadline_ns = deadline_ns
                    if deadline_ns < self._armed_ns:
                        self._arm(deadline_ns - now_ns)
            elif self._head_given and not self._complete:
                self._silent_bytes += len(data)
                if self._silent_bytes > MAX_SILENT_BYTES:
                    raise httpx.RemoteProtocolError("chunk lines or trailers without end")
        except Exception as problem:  # noqa: BLE001 - handed on: it ends the exchange
            self._fail(problem)
            return
        if self._complete:
            self._finish(now_ns, surplus=error is not None)
        elif error is not None:
            self._fail(error)

    def eof_received(self) -> bool:
        """Close our side as well: an HTTP client has nothing to say to a peer that ended."""
        self.closed = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange at hand, if any."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._receiver is not None:
            if self._until_eof and exc is None:
                self._finish(self._now_ns(), surplus=True)
            else:
                self._fail(self._reason(exc))
        self._wake_writer()
        self._keeper.lost(self)

    def pause_writing(self) -> None:
        """Note that the socket takes no more for now."""
        self._writes_paused = True

    def resume_writing(self) -> None:
        """Let a waiting writer go on."""
        self._writes_paused = False
        self._wake_writer()

    # Inside

    def _take_head(self, receiver: Receiver, size: int, now_ns: int) -> None:
        self._head_bytes += size
        if self._status == 0:
            if self._head_bytes > MAX_HEAD_BYTES:
                raise httpx.RemoteProtocolError(f"response headers over {MAX_HEAD_BYTES // 1024} KB")
            return
        if self._head_bytes > MAX_HEAD_BYTES:
            size = sum(len(name) + len(value) + 4 for name, value in self._headers)
            if size > MAX_HEAD_BYTES:
                raise httpx.RemoteProtocolError(f"response headers over {MAX_HEAD_BYTES // 1024} KB")
        self._head_given = True
        self._wake_writer()
        self.watch(receiver.head(self._status, self._headers, now_ns))

    def _finish(self, now_ns: int, *, surplus: bool) -> None:
        receiver, self._receiver = self._receiver, None
        waiter, self._waiter = self._waiter, None
        self._deadline_ns = NEVER
        assert receiver is not None
        receiver.complete(now_ns)
        unusable = surplus or self._surplus or self._writing or self._writes_paused or self.closed
        if self._keep_alive and not unusable:
            self._keeper.release(self)
        elif not self._hold:
            self.abort()
        self._wake_writer()
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        receiver, self._receiver = self._receiver, None
        waiter, self._waiter = self._waiter, None
        self.abort()
        self._wake_writer()
        if receiver is not None:
            receiver.failed(error)
        if waiter is not None and not waiter.done():
            waiter.set_result(error)

    def _reason(self, exc: Exception | None) -> Exception:
        if isinstance(exc, BrokenPipeError):
            return httpx.WriteError(str(exc) or "broken pipe")
        if exc is not None:
            return httpx.ReadError(str(exc) or type(exc).__name__)
        if not self.answered:
            return Disconnected("the server closed the connection without an answer")
        if not self._head_given:
            return httpx.RemoteProtocolError("the server closed the connection in the middle of the headers")
        return httpx.RemoteProtocolError("the server closed the connection in the middle of the answer")

    def _wake_writer(self) -> None:
        if self._write_waiter is not None and not self._write_waiter.done():
            self._write_waiter.set_result(None)

    def _arm(self, delay_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_ns = self._deadline_ns
        self._timer = self._loop.call_later(max(delay_ns / 1e9, _MIN_TIMER_S), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._armed_ns = NEVER
        if self._receiver is None or self._deadline_ns >= NEVER:
            return
        now_ns = self._now_ns()
        if now_ns < self._deadline_ns:
            self._arm(self._deadline_ns - now_ns)
        else:
            self._fail(self._receiver.expired(now_ns))
