"""One HTTP/1.1 connection: bytes in, one answer at a time out.

The parser runs inside `data_received`, and what it finds is handed over in the same call, so that a request costs no
task switch per read. Time is read once per socket read, before anything else is done with the bytes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol

import httpx

from console.llm.parser import PARSER_ERRORS, AnswerParser, refused
from console.llm.receiver import NEVER, Disconnected, Receiver
from console.llm.route import Route

_MIN_TIMER_S: Final = 0.001


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

    def wake(self, waiter: asyncio.Future[Exception | None]) -> None:
        """Tell the one who waits that the answer is complete, before long."""
        ...


class Connection(asyncio.Protocol):
    """A socket, its parser, and the exchange on it."""

    __slots__ = (
        "_armed_ns",
        "_deadline_ns",
        "_hold",
        "_keeper",
        "_loop",
        "_now_ns",
        "_parser",
        "_receiver",
        "_timer",
        "_transport",
        "_waiter",
        "_write_waiter",
        "_writes_paused",
        "_writing",
        "answered",
        "closed",
        "idle_since_ns",
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
        self.route = route
        self.used = 0
        """Exchanges begun on it."""
        self.answered = False
        """Whether a byte of answer came in the exchange at hand."""
        self.closed = False
        self.idle_since_ns = 0
        self._hold = False
        self._writing = False
        self._parser = AnswerParser()

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
        self._parser.expect(bodiless=bodiless)
        self.answered = False
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
        return self._receiver is not None and not self._parser.head_given

    @property
    def http_version(self) -> bytes:
        """Version of the answer, as httpx's extension has it."""
        return self._parser.http_version

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

    def end(self, error: Exception) -> None:
        """Close at once, and end the exchange at hand, if any, with `error`."""
        self._fail(error)

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
        self._parser = AnswerParser()

    def watch(self, deadline_ns: int) -> None:
        """Set the deadline. A later one costs nothing: the timer that stands looks again when it rings."""
        self._deadline_ns = deadline_ns
        if deadline_ns < self._armed_ns:
            self._arm(deadline_ns - self._now_ns())

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
        parser = self._parser
        error = None
        try:
            parser.feed_data(data)
        except PARSER_ERRORS as problem:
            error = refused(problem)  # what came before it still counts
        try:
            if parser.head_given and not parser.complete and (parts := parser.parts):  # nearly every read
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                parts.clear()
                parser.silent_bytes = 0
                self._deadline_ns = deadline_ns = receiver.body(body, now_ns)
                if deadline_ns < self._armed_ns:
                    self._arm(deadline_ns - now_ns)
            else:
                self.answered = True
                self._take_edge(receiver, len(data), now_ns)
        except Exception as problem:  # noqa: BLE001 - handed on: it ends the exchange
            self._fail(problem)
            return
        if parser.complete:
            self._finish(now_ns, surplus=error is not None)
        elif error is not None:
            self._fail(error)

    def _take_edge(self, receiver: Receiver, size: int, now_ns: int) -> None:
        """Hand over what a read of `size` bytes brought at an edge of the answer: headers, its last bytes, framing."""
        parser = self._parser
        if not parser.head_given and parser.head_ready(size):
            parser.head_given = True
            self._wake_writer()
            self.watch(receiver.head(parser.status, parser.headers, now_ns))
        if parser.parts:
            body = parser.take_body()
            if body:
                self.watch(receiver.body(body, now_ns))
        elif parser.head_given and not parser.complete:
            parser.no_body(size)

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
            if self._parser.until_eof and exc is None:
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

    def _finish(self, now_ns: int, *, surplus: bool) -> None:
        receiver, self._receiver = self._receiver, None
        waiter, self._waiter = self._waiter, None
        self._deadline_ns = NEVER
        assert receiver is not None
        receiver.complete(now_ns)
        unusable = surplus or self._parser.surplus or self._writing or self._writes_paused or self.closed
        if self._parser.keep_alive and not unusable:
            self._keeper.release(self)
        elif not self._hold:
            self.abort()
        self._wake_writer()
        if waiter is not None and not waiter.done():
            self._keeper.wake(waiter)

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
            return httpx.WriteError(
                "broken pipe: the server closed the connection while it was sent the request"
            )
        if isinstance(exc, ConnectionResetError):
            return httpx.ReadError("connection reset by the server")
        if exc is not None:
            return httpx.ReadError(str(exc) or type(exc).__name__)
        if not self.answered:
            return Disconnected("the server closed the connection without an answer")
        if not self._parser.head_given:
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
