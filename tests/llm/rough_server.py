"""A server without manners and without tasks: each connection does what its move says, thousands of times a second."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from one_request import GOOD

WHOLE = b"".join(GOOD)
MOVES = (
    "serve",
    "serve and close",
    "serve and reset",
    "close at the next request",
    "reset at the next request",
    "reset in the middle of the next request",
    "half a head",
    "half a body and close",
    "half a body and reset",
    "surplus",
    "announce the close",
    "pieces",
)
"""What a connection may do. The first move of a connection serves once where the name speaks of a next request."""


class Rough(asyncio.Protocol):
    def __init__(self, server: RoughServer) -> None:
        self.server = server
        self.transport: Any = None
        self.move = ""
        self.served = 0
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.move = self.server.pick()
        self.server.accepted += 1
        self.server.open += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.open -= 1

    def data_received(self, data: bytes) -> None:
        if self.served and self.move == "reset in the middle of the next request":
            self.reset()
            return
        self.got += data
        head, separator, body = self.got.partition(b"\r\n\r\n")
        if not separator or len(body) < int(head.partition(b"Content-Length: ")[2].split()[0]):
            return
        self.got = b""
        self.server.asked[body] += 1
        self.answer()

    def answer(self) -> None:
        write, move = self.transport.write, self.move
        if move in ("half a head", "half a body and close", "half a body and reset"):
            write(WHOLE[:30] if move == "half a head" else WHOLE[:-30])
            (self.reset if move.endswith("reset") else self.transport.close)()
        elif self.served and "next request" in move:
            (self.reset if move.startswith("reset") else self.transport.close)()
        elif move == "announce the close":
            write(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            self.transport.close()
        elif move == "pieces":
            for at in range(0, len(WHOLE), 40):
                write(WHOLE[at : at + 40])
        else:
            write(WHOLE + (b"surplus" if move == "surplus" else b""))
            if move == "serve and close" or self.served >= 5:
                self.transport.close()
            elif move == "serve and reset":
                asyncio.get_running_loop().call_later(0.0005, self.reset)
        self.served += 1

    def reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None and not self.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class RoughServer:
    def __init__(self, pick: Callable[[], str]) -> None:
        self.pick = pick
        self.url = ""
        self.accepted = 0
        self.open = 0
        self.asked: Counter[bytes] = Counter()
        """How often each request came, by its body."""


@contextlib.asynccontextmanager
async def rough(*moves: str, seed: int = 7) -> AsyncIterator[RoughServer]:
    dice = random.Random(seed)
    server = RoughServer(lambda: dice.choice(moves or MOVES))
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Rough(server), "127.0.0.1", 0, backlog=1000)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
