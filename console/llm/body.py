"""An answer that is pulled: httpx's view of an exchange, with back-pressure and times."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from console.llm.connection import Connection
from console.llm.receiver import NEVER, Header

HIGH_WATER_BYTES = 256 * 1024
"""Unread bytes at which the socket is left alone; it is read again when half of them are taken."""


@dataclass(slots=True)
class Timing:
    """When an exchange did what, in ns. Found in `response.extensions["timing"]`."""

    reused: bool = False
    """Whether a pooled connection served."""
    connect_start_ns: int | None = None
    connected_ns: int | None = None
    sent_ns: int | None = None
    """Just before the first byte was written."""
    headers_ns: int | None = None
    """The read that completed the headers."""


class PulledBody(httpx.AsyncByteStream):
    """Receives an answer and lets it be read piece by piece, one piece a socket read."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int], read_s: float | None
    ) -> None:
        """Give up when no byte comes for `read_s` while somebody waits for one."""
        self._loop = loop
        self._now_ns = now_ns
        self._read_ns = None if read_s is None or read_s == math.inf else int(read_s * 1e9)
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._unread_bytes = 0
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.connection: Connection | None = None
        self.request: httpx.Request | None = None
        self.timing = Timing()
        self.status = 0
        self.headers: list[Header] = []

    # As a receiver

    def sent(self, now_ns: int) -> int:
        """Note the time; the read deadline begins when somebody waits."""
        self.timing.sent_ns = now_ns
        return NEVER

    def head(self, status: int, headers: list[Header], now_ns: int) -> int:
        """Keep status and headers."""
        self.status = status
        self.headers = headers
        self.timing.headers_ns = now_ns
        self._wake()
        return NEVER

    def body(self, data: bytes, now_ns: int) -> int:
        """Keep a piece until it is read, and stop the socket where too much is unread."""
        self._pieces.append((now_ns, data))
        self._unread_bytes += len(data)
        if self._unread_bytes > HIGH_WATER_BYTES and not self._paused and self.connection is not None:
            self._paused = True
            self.connection.pause_reading()
        self._wake()
        return NEVER

    def complete(self, now_ns: int) -> None:
        """Note the end; a paused socket reads on for its next user."""
        self._ended = True
        self._resume()
        self.connection = None
        self._wake()

    def expired(self, now_ns: int) -> Exception:
        """Name the only deadline there is."""
        return httpx.ReadTimeout("the server sent nothing for too long")

    def failed(self, error: Exception) -> None:
        """Keep the error for the reader."""
        self._error = error
        self.connection = None
        self._wake()

    # As a stream

    async def wait_head(self) -> None:
        """Wait for the headers.

        Raises:
            httpx.TransportError: if the exchange ends without them.
        """
        while not self.status:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def reads(self) -> AsyncGenerator[tuple[int, bytes], None]:
        """Yield the body as (time of the read in ns, bytes).

        Raises:
            httpx.TransportError: if the answer does not come to its end.
        """
        try:
            while True:
                while self._pieces:
                    piece = self._pieces.popleft()
                    self._unread_bytes -= len(piece[1])
                    if self._paused and self._unread_bytes <= HIGH_WATER_BYTES // 2:
                        self._resume()
                    yield piece
                if self._ended:
                    return
                if self._error is not None:
                    raise self._with_request(self._error)
                await self._wait()
        finally:
            await self.aclose()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self.reads()) as reads:
            async for _, data in reads:
                yield data

    async def aclose(self) -> None:
        """Let go. A connection whose answer is not wholly read is closed, never put back."""
        self._pieces.clear()
        self._unread_bytes = 0
        connection, self.connection = self.connection, None
        if connection is not None and not self._ended:
            self._error = httpx.StreamClosed()
            connection.abandon(self)
            self._wake()  # a reader in another task

    def _with_request(self, error: Exception) -> Exception:
        if self.request is not None and isinstance(error, httpx.RequestError):
            error.request = self.request
        return error

    async def _wait(self) -> None:
        connection = self.connection
        if connection is None:
            raise httpx.StreamClosed
        connection.watch(NEVER if self._read_ns is None else self._now_ns() + self._read_ns)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except BaseException:
            await self.aclose()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self.connection is not None:
                self.connection.resume_reading()
