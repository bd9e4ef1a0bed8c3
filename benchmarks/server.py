"""A fast local server that knows when it sent what: the truth that clients are held against.

One process, one core, uvloop and httptools. Every content chunk is one write to the socket, made at once and not at
the end of the loop's turn, and stamped just before with CLOCK_MONOTONIC, which is `time.perf_counter_ns`. Chunk i is
due at arrival + TTFT + i × ITL: lateness does not add up. Bytes are rendered beforehand; one timer serves all streams
that are due in the same millisecond. Without an ITL each turn of the loop sends one chunk of every stream, as a server
does that decodes in batches: chunks of one stream then reach the client apart, as long as it keeps up.

`python -m benchmarks.server` prints its port and serves until its stdin ends.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httptools
import msgspec
import uvloop

from benchmarks.machine import cpu_s, more_open_files, others_s, pin
from benchmarks.scripts import MODEL, Script, read_script

_TICK_NS = 1_000_000
_MODELS = msgspec.json.encode({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

now_ns = time.perf_counter_ns


class Logged(msgspec.Struct):
    """One request, as the server saw it."""

    number: int
    arrived_ns: int
    due_ns: int
    """When the first chunk was due."""
    itl_ns: int
    sent_ns: list[int]
    """When each content chunk was sent."""


class Stats(msgspec.Struct):
    """How the server does, since it began; differences of two are what a window cost it."""

    now_ns: int
    cpu_s: float
    others_s: float
    """Taken by others on the server's core."""
    requests: int
    connections: int
    in_flight: int
    held: int
    """Writes that the socket did not take at once: those chunks left later than the log says."""


class Stream:
    """One answer on its way."""

    __slots__ = ("connection", "due_ns", "index", "number", "script", "sent_ns")

    def __init__(self, connection: Connection, script: Script, number: int, due_ns: int) -> None:
        self.connection = connection
        self.script = script
        self.number = number
        self.due_ns = due_ns
        self.index = 0
        self.sent_ns: list[int] = []

    def send_next(self) -> bool:
        """Send one chunk, and with the last one the rest; return whether more is to come."""
        connection = self.connection
        if connection.closed:
            return False
        events = self.script.events
        self.sent_ns.append(now_ns())
        connection.send(events[self.index])
        self.index += 1
        if self.index < len(events):
            self.due_ns += self.script.itl_ns
            return True
        connection.send(self.script.tail % self.number)
        connection.ended()
        return False


class Wheel:
    """Streams by when they are due next: in a millisecond, or in the next turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[int, list[Stream]] = {}
        self._next: list[Stream] = []

    def add(self, stream: Stream) -> None:
        tick = -(-stream.due_ns // _TICK_NS)
        streams = self._due.get(tick)
        if streams is None:
            self._due[tick] = [stream]
            # The loop's time and ours are the same clock; its timers know whole milliseconds.
            self._loop.call_at(tick / 1000, self._tick, tick)
        else:
            streams.append(stream)

    def add_next(self, stream: Stream) -> None:
        if not self._next:
            self._loop.call_soon(self._turn)
        self._next.append(stream)

    def _tick(self, tick: int) -> None:
        for stream in self._due.pop(tick):
            if stream.send_next():
                if stream.script.itl_ns:
                    self.add(stream)
                else:
                    self.add_next(stream)

    def _turn(self) -> None:
        streams, self._next = self._next, []
        for stream in streams:
            if stream.send_next():
                self.add_next(stream)


class Server:
    """Everything that connections share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.wheel = Wheel(loop)
        self.scripts: dict[bytes, Script | None] = {}
        self.log: list[Logged] = []
        self.requests = 0
        self.connections = 0
        self.in_flight = 0
        self.held = 0

    def script(self, url: bytes) -> Script | None:
        if url not in self.scripts:
            self.scripts[url] = read_script(url.split(b"/")[1].decode("latin-1"))
        return self.scripts[url]

    def stats(self) -> bytes:
        return msgspec.json.encode(
            Stats(now_ns(), cpu_s(), others_s(), self.requests, self.connections, self.in_flight, self.held)
        )

    def take_log(self) -> bytes:
        log, self.log = self.log, []
        return msgspec.json.encode(log)


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._write: Callable[[int, bytes], int] = os.write
        self._fd = -1
        self._slow = False
        self._read_ns = 0
        self._url = b""
        self._answering = False
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._fd = transport.get_extra_info("socket").fileno()
        self._server.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._server.connections -= 1
        if self._answering:
            self.ended()

    def data_received(self, data: bytes) -> None:
        self._read_ns = now_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"POST":
            self._answer()
        elif self._url == b"/stats":
            self._document(self._server.stats())
        elif self._url == b"/log":
            self._document(self._server.take_log())
        elif self._url.endswith((b"/models", b"/health")):
            self._document(_MODELS)
        else:
            self._document(b"{}", b"404 Not Found")

    def _answer(self) -> None:
        server = self._server
        script = server.script(self._url)
        if script is None:
            self._document(b"{}", b"404 Not Found")
            return
        server.requests += 1
        number = server.requests
        due_ns = self._read_ns + script.ttft_ns
        stream = Stream(self, script, number, due_ns)
        if script.log:
            server.log.append(Logged(number, self._read_ns, due_ns, script.itl_ns, stream.sent_ns))
        if self._slow:
            self._slow = self._transport.get_write_buffer_size() > 0
        self.send(script.head % number)
        if not script.events:
            return
        self._answering = True
        server.in_flight += 1
        if script.at_once:
            while stream.send_next():
                pass
        elif script.ttft_ns or script.itl_ns:
            server.wheel.add(stream)
        else:
            server.wheel.add_next(stream)

    def ended(self) -> None:
        self._answering = False
        self._server.in_flight -= 1

    def send(self, data: bytes) -> None:
        """Write now. What the socket does not take goes through the loop, and so does all that follows."""
        if self.closed:
            return
        if not self._slow:
            try:
                taken = self._write(self._fd, data)
            except BlockingIOError:
                taken = 0
            except OSError:
                self._transport.abort()
                return
            if taken == len(data):
                return
            data = data[taken:]
            self._slow = True
        self._server.held += 1
        self._transport.write(data)

    def _document(self, body: bytes, status: bytes = b"200 OK") -> None:
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, len(body)) + body)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = Server(loop)
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=4096)
    stdin_ended = asyncio.Event()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stdin_ended.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    print(listening.sockets[0].getsockname()[1], flush=True)
    gc.collect()
    gc.freeze()
    gc.disable()  # a collection would make tokens late; what is left here is a few connections
    await stdin_ended.wait()


def main() -> None:
    if len(sys.argv) > 1:
        pin(int(sys.argv[1]))
    more_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
