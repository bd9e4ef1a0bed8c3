"""A raw TCP or TLS server that plays a script to each connection: bytes, pauses, ends of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio


class Peer:
    """One accepted connection, as a script sees it."""

    def __init__(
        self, server: Server, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ):
        self.server = server
        self.number = number
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """Read one request whole; an EOF before it ends the script."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            raise Gone from None
        names = head.lower()
        body = b""
        if b"content-length: " in names:
            at = names.index(b"content-length: ") + 16
            body = await self.reader.readexactly(int(names[at : names.index(b"\r", at)]))
        elif b"transfer-encoding: chunked" in names:
            while True:
                line = await self.reader.readline()
                if not line:
                    raise Gone
                size = int(line, 16)
                body += (await self.reader.readexactly(size + 2))[:-2]
                if not size:
                    break
        self.server.requests.append(head + body)
        return head + body

    async def send(self, *parts: bytes) -> None:
        """Write each part and let it go out by itself."""
        for part in parts:
            if self.writer.is_closing():
                raise Gone
            self.writer.write(part)
            await self.writer.drain()
            if len(parts) > 1:
                await asyncio.sleep(0.001)

    async def gone(self) -> None:
        """Wait until the client closes."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Gone(Exception):  # noqa: N818
    """The client closed before a request."""


Script = Callable[[Peer], Awaitable[None]]


class Server:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.accepted = 0
        self.open = 0
        self.port = 0
        self.scheme = "http"
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return (
            f"{self.scheme}://localhost:{self.port}"
            if self.scheme == "https"
            else f"http://127.0.0.1:{self.port}"
        )

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self.open += 1
        try:
            await self.script(Peer(self, self.accepted, reader, writer))
        except (Gone, ConnectionError, asyncio.IncompleteReadError, RuntimeError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort() if writer.is_closing() else writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def stop(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def serving(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(script)
    listener = await asyncio.start_server(
        server.handle, "127.0.0.1", 0, ssl=context, limit=1 << 20, backlog=1000
    )
    server.port = listener.sockets[0].getsockname()[1]
    server.scheme = "https" if context else "http"
    try:
        yield server
    finally:
        listener.close()
        await server.stop()
        await listener.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - what is waited for happens inside libraries
            await anyio.sleep(0.002)


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def answer(status: int, body: object, *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(data)}",
        "Content-Type: application/json",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: object) -> bytes:
    return event(model="m-1", choices=[{"index": 0, "delta": fields, "finish_reason": finish}])


def stream(*events: bytes, end: bytes = END) -> list[bytes]:
    """Each event its own HTTP chunk and its own write."""
    return [STREAM_HEAD, *(chunked(part) for part in events), *([end] if end else [])]


def plays(*parts: bytes) -> Script:
    """Answer every request of a connection with `parts`, then wait for the next."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(*parts)

    return script


def plays_once(*parts: bytes) -> Script:
    """Answer one request with `parts`, then close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)

    return script


def plays_and_stalls(*parts: bytes) -> Script:
    """Answer with `parts`, then say nothing until the client leaves."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)
        await peer.gone()

    return script
