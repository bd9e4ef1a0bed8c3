"""The floor: the least that a client in Python does to take TTFT, a time per chunk and the usage of a stream.

A raw `asyncio.Protocol`, httptools and uvloop, no deadlines, no pool, no error handling; one connection for each
request in flight and one future for each request. Every chunk is decoded. Not a proven minimum, but nothing in it can
be left out by a client that keeps its promises.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import httptools
import msgspec
import uvloop

from benchmarks.machine import window
from benchmarks.sample import Sample, Seen, WrongAnswer
from benchmarks.scripts import MODEL, warm_url

_decode = msgspec.json.decode
now_ns = time.perf_counter_ns


def request_bytes(base_url: str, *, chunks: int) -> bytes:
    """Return one whole request to `base_url`, which ends in `/v1`."""
    parts = urlsplit(base_url)
    body: dict[str, object] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "benchmark"}],
        "max_tokens": max(chunks, 1),
    }
    if chunks:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    content = msgspec.json.encode(body)
    head = (
        f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class FloorConnection(asyncio.Protocol):
    """One connection and the answer on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._waiter: asyncio.Future[None] | None = None
        self._rest = b""
        self._read_ns = 0
        self.reads = 0
        self.sent_ns = 0
        self.chunk_ns: list[int] = []
        self.usage: dict[str, int] | None = None
        self.identity = ""
        self.done = False

    async def ask(self, wire: bytes) -> None:
        """Send one request and wait for the whole answer."""
        self.chunk_ns, self.usage, self.done, self._rest = [], None, False, b""
        self._waiter = self._loop.create_future()
        self.sent_ns = now_ns()
        self._transport.write(wire)
        await self._waiter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(WrongAnswer(f"the connection was lost: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._read_ns = now_ns()
        self.reads += 1
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        *events, self._rest = (self._rest + body if self._rest else body).split(b"\n\n")
        for event in events:
            if event == b"data: [DONE]":
                self.done = True
                continue
            chunk = _decode(event[6:])
            choices = chunk["choices"]
            if choices and choices[0]["delta"].get("content"):
                self.chunk_ns.append(self._read_ns)
            if chunk["usage"] is not None:
                self.usage = chunk["usage"]
                self.identity = chunk["id"]

    def on_message_complete(self) -> None:
        if self._rest:
            document = _decode(self._rest)
            self.done = bool(document["choices"])
            self.usage = document["usage"]
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.set_result(None)

    def check(self, chunks: int) -> None:
        if not self.done or self.usage is None or len(self.chunk_ns) != chunks:
            raise WrongAnswer(f"the floor client read {len(self.chunk_ns)} chunks of {chunks}")

    def close(self) -> None:
        self._transport.abort()


class FloorClient:
    """A closed loop over as many connections as requests are in flight."""

    def __init__(self, base_url: str, *, chunks: int) -> None:
        self._base_url = base_url
        self._chunks = chunks
        self._connections: list[FloorConnection] = []
        self._left = 0
        self.seen: list[Seen] | None = None
        """Filled where it is a list."""

    async def connect(self, in_flight: int) -> None:
        loop = asyncio.get_running_loop()
        parts = urlsplit(self._base_url)
        for _ in range(in_flight):
            _, connection = await loop.create_connection(
                lambda: FloorConnection(loop), parts.hostname, parts.port
            )
            self._connections.append(connection)

    async def warm(self) -> None:
        """Use every connection once."""
        await self._closed_loop(len(self._connections), warm_url(self._base_url), 0)

    async def run(self, requests: int) -> None:
        await self._closed_loop(requests, self._base_url, self._chunks)

    async def _closed_loop(self, requests: int, base_url: str, chunks: int) -> None:
        self._left = requests
        wire = request_bytes(base_url, chunks=chunks)
        await asyncio.gather(*[self._one_after_another(one, wire, chunks) for one in self._connections])

    async def _one_after_another(self, connection: FloorConnection, wire: bytes, chunks: int) -> None:
        while self._left > 0:
            self._left -= 1
            await connection.ask(wire)
            connection.check(chunks)
            if self.seen is not None:
                self.seen.append(Seen(int(connection.identity), connection.sent_ns, connection.chunk_ns))

    @property
    def reads(self) -> int:
        return sum(connection.reads for connection in self._connections)

    async def close(self) -> None:
        """Close all connections, and let the loop do it: uvloop does not end while one is open."""
        for connection in self._connections:
            connection.close()
        await asyncio.sleep(0)


async def _through_floor(base_url: str, *, in_flight: int, requests: int, chunks: int, keep: bool) -> Sample:
    client = FloorClient(base_url, chunks=chunks)
    try:
        await client.connect(in_flight)
        await client.warm()
        client.seen = [] if keep else None
        reads = client.reads
        with window() as measured:
            await client.run(requests)
        reads = client.reads - reads
    finally:
        await client.close()
    return Sample(requests, measured.seconds, measured.cpu_s, measured.others, reads, client.seen or [])


def through_floor(base_url: str, *, in_flight: int, requests: int, chunks: int, keep: bool = False) -> Sample:
    """Send `requests` with warm connections; `keep` what was seen of each."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(
            _through_floor(base_url, in_flight=in_flight, requests=requests, chunks=chunks, keep=keep)
        )
