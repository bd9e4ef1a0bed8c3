"""Lines over a unix socket, on asyncio and trio alike.

Built on waiting for the plain socket. anyio's own unix stream, on asyncio, hands a stray error to the loop's
error handler when a cancellation and new data meet in one turn of the loop; an engine that ends while somebody
watches meets that often.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import anyio
import anyio.lowlevel

_READ_BYTES = 65536


class LineTooLong(Exception):  # noqa: N818
    """No end of line within the allowed length."""


class LineSocket:
    """One connection that carries lines. One task reads and one writes at a time."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connected socket."""
        connection.setblocking(False)
        self.socket = connection
        self._held = bytearray()
        self._searched = 0

    @classmethod
    async def connect(cls, path: Path) -> LineSocket:
        """Connect to a listening socket.

        Raises:
            OSError: if nothing listens there.
        """
        await anyio.lowlevel.checkpoint()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.connect(os.fspath(path))  # a unix socket connects at once or says why not
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    @property
    def ended(self) -> bool:
        """Whether the other end has closed and nothing it sent is left to read."""
        try:
            return not self._held and not self.socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    async def receive_line(self, max_bytes: int) -> bytes | None:
        """Return the next line without its end, or None at the end of the connection.

        Raises:
            LineTooLong: if the line has more than `max_bytes`.
            OSError: if the connection broke.
        """
        while True:
            end = self._held.find(b"\n", self._searched)
            if end >= 0:
                line = bytes(self._held[:end])
                del self._held[: end + 1]
                self._searched = 0
                return line
            self._searched = len(self._held)
            if self._searched > max_bytes:
                raise LineTooLong
            part = await self._receive()
            if not part:
                return None
            self._held += part

    async def send(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            OSError: if the connection broke.
        """
        await anyio.lowlevel.checkpoint()
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.socket.send(rest) :]
            except (BlockingIOError, InterruptedError):
                await anyio.wait_writable(self.socket)

    async def drain(self) -> None:
        """Read and drop whatever comes, until the other end closes."""
        self._held.clear()
        while await self._receive():
            pass

    def close(self) -> None:
        """Close the connection; whoever waits on it is woken."""
        if self.socket.fileno() >= 0:
            anyio.notify_closing(self.socket)
            self.socket.close()

    async def _receive(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        while True:
            try:
                return self.socket.recv(_READ_BYTES)
            except (BlockingIOError, InterruptedError):
                await anyio.wait_readable(self.socket)
