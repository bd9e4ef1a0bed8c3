"""Idle connections, newest first, and all that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import httpx

from console.llm.connection import Connection
from console.llm.route import Route
from console.llm.wakes import Wakes

_CLOSE_WAIT_S = 2.0


class Pool:
    """Keeps connections between exchanges. Taking and giving back are O(1) however many there are.

    The newest goes out first, so that as few as the load needs stay warm and the others expire.
    """

    def __init__(self, expiry_s: float, now_ns: Callable[[], int]) -> None:
        """Close what was idle for `expiry_s`, by the clock `now_ns`."""
        self._expiry_s = expiry_s
        self._expiry_ns = int(expiry_s * 1e9)
        self._now_ns = now_ns
        self._idle: dict[Route, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None
        self._closing = False
        self.wake = Wakes().wake
        """Wakes one who waits for an answer that is complete."""

    @property
    def open_count(self) -> int:
        """Connections that are open, idle or not."""
        return len(self._open)

    @property
    def idle_count(self) -> int:
        """Connections that wait for a request."""
        return sum(not connection.closed for stack in self._idle.values() for connection in stack)

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called: no connection is made any more."""
        return self._closing

    def has_idle(self, route: Route) -> bool:
        """Whether `take` is likely to return one."""
        stack = self._idle.get(route)
        return bool(stack) and not stack[-1].closed

    def take(self, route: Route) -> Connection | None:
        """Return the connection that was idle for the shortest time, if one may still serve."""
        stack = self._idle.get(route)
        if not stack:
            return None
        oldest_ns = self._now_ns() - self._expiry_ns
        while stack:
            connection = stack.pop()
            if connection.closed:
                continue
            if connection.idle_since_ns >= oldest_ns:
                return connection
            connection.abort()
        return None

    def opened(self, connection: Connection) -> None:
        """Take note of a new connection."""
        self._open.add(connection)

    def release(self, connection: Connection) -> None:
        """Take back a connection whose answer is complete."""
        if self._closing:
            connection.abort()
            return
        connection.idle_since_ns = self._now_ns()
        stack = self._idle.get(connection.route)
        if stack is None:
            stack = self._idle[connection.route] = []
        stack.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(self._expiry_s, self._sweep)

    def lost(self, connection: Connection) -> None:
        """Forget a closed connection; a stack that still names it drops it when it comes by."""
        self._open.discard(connection)
        if self._emptied is not None and not self._open:
            self._emptied.set()

    async def aclose(self) -> None:
        """Close every connection and wait, for a bounded time, until the sockets are gone."""
        self._closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle.clear()
        if not self._open:
            return
        self._emptied = asyncio.Event()
        for connection in tuple(self._open):
            connection.end(httpx.ReadError("the client was closed"))
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_WAIT_S):
            await self._emptied.wait()

    def _sweep(self) -> None:
        """Close what has expired. Stacks are in order of age, so only the expired part is looked at."""
        self._sweeper = None
        oldest_ns = self._now_ns() - self._expiry_ns
        for route in tuple(self._idle):
            stack = self._idle[route]
            expired = 0
            for connection in stack:
                if not connection.closed and connection.idle_since_ns > oldest_ns:
                    break
                connection.abort()
                expired += 1
            del stack[:expired]
            if not stack:
                del self._idle[route]
        if self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(self._expiry_s / 4, self._sweep)
