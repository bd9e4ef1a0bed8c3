"""HTTP/1.1 under httpx's types: the transport of this product, for any `httpx.AsyncClient` and for our own.

httpx's own transport costs 1,800 µs a request and more with every connection; this one a tenth, whatever their number.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import anyio
import httpx

from console.llm.alarm import Alarm
from console.llm.body import PulledBody
from console.llm.connection import Connection
from console.llm.dial import dial
from console.llm.pool import Pool
from console.llm.proxy import ProxyRules
from console.llm.receiver import Disconnected, Receiver
from console.llm.route import Origin, Route
from console.llm.tls import client_context
from console.llm.wire import head_bytes, streamed_body, whole_body
from console.vocabulary.chat import Departure

_MOST_WARMING: Final = 16
"""Connections to one place that are made ahead at a time."""


class ExchangeReceiver(Receiver, Protocol):
    """A receiver that is told about the connection as well."""

    def connecting(self, now_ns: int) -> None:
        """Take note that no pooled connection was at hand."""
        ...

    def connected(self, now_ns: int) -> None:
        """Take note that the new one is ready, TLS included."""
        ...


class Transport(httpx.AsyncBaseTransport):
    """Keep-alive connections per origin, without a cap; belongs to one asyncio loop.

    A pooled connection that turns out dead before a byte of answer came is replaced once by a fresh one. A
    connection whose exchange failed, was cancelled or was left early is closed.
    """

    def __init__(
        self,
        *,
        verify: bool | ssl.SSLContext = True,
        trust_env: bool = True,
        idle_expiry_s: float = 60.0,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Set up without touching the network.

        Args:
            verify: False accepts any certificate; a context is used as it is.
            trust_env: take proxies from the environment.
            idle_expiry_s: how long an unused connection is kept.
            now_ns: monotonic clock of all stamps and deadlines.
        """
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._rules = ProxyRules.from_environment() if trust_env else ProxyRules({}, ())
        self._pool = Pool(idle_expiry_s, now_ns)
        self._now_ns = now_ns
        self._alarm = Alarm(now_ns)
        self._warming: dict[Route, int] = {}
        """Connections on their way that no request waits for."""

    @property
    def open_connections(self) -> int:
        """Connections open now, idle ones included."""
        return self._pool.open_count

    @property
    def idle_connections(self) -> int:
        """Connections that wait in the pool."""
        return self._pool.idle_count

    def route(self, url: httpx.URL) -> Route:
        """Return the way to `url`: compute it once where many requests go the same way.

        Raises:
            httpx.UnsupportedProtocol: if it is no http or https URL.
        """
        return self._rules.route(Origin.of(url))

    async def warm(self, route: Route, *, connect_s: float | None) -> None:
        """Connect if no connection to `route` is idle, so that the next request need not; failing is no error.

        Of many who ask at once a few connect: the others find a connection when it is their turn.
        """
        if self._pool.has_idle(route) or self._warming.get(route, 0) >= _MOST_WARMING:
            return
        self._warming[route] = self._warming.get(route, 0) + 1
        try:
            self._pool.release(await self._dial(route, connect_s))
        except httpx.TransportError:
            pass  # told when a request is to be sent
        finally:
            self._warming[route] -= 1

    async def exchange(
        self,
        route: Route,
        wire: bytes,
        receiver: ExchangeReceiver,
        *,
        connect_s: float | None,
        departure: Departure | None = None,
    ) -> Exception | None:
        """Send a whole request and have its answer pushed into `receiver`; the fastest way through here.

        Args:
            route: from `route()`.
            wire: request line, headers and body.
            receiver: gets the answer within the event loop's read callback.
            connect_s: limit for a new connection.
            departure: says when the request may leave.

        Returns:
            None when the answer is complete, else what ended it. Nothing is raised but cancellation.
        """
        loop = asyncio.get_running_loop()
        if departure is not None:
            await self._alarm.until_due(departure)
        connection = self._pool.take(route)
        while True:
            pooled = connection is not None
            if connection is None:
                receiver.connecting(self._now_ns())
                try:
                    connection = await self._dial(route, connect_s)
                except httpx.TransportError as error:
                    return error
                receiver.connected(self._now_ns())
            if departure is not None and departure.claim(self._now_ns()):
                self._pool.release(connection)  # another one was sent while this one connected
                await self._alarm.until_due(departure)
                connection = self._pool.take(route)
                continue
            waiter: asyncio.Future[Exception | None] = loop.create_future()
            try:
                connection.start(wire, receiver, waiter=waiter)
                error = await waiter
            except BaseException:
                connection.abandon(receiver)
                raise
            if error is None or not (pooled and self._stale(connection, error)):
                return error
            connection = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return its response as soon as the headers are there.

        `request.extensions["timeout"]` may hold `connect`, `read` and `write` in seconds; `pool` has no meaning
        without a cap. `response.extensions["timing"]` is a `Timing`; `response.stream` is a `PulledBody`.

        Raises:
            httpx.TransportError: mapped as httpx does, with the request attached.
        """
        try:
            return await self._respond(request)
        except httpx.RequestError as error:
            error.request = request
            raise

    async def aclose(self) -> None:
        """Close all connections."""
        self._alarm.close()
        await self._pool.aclose()

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        limits: dict[str, Any] = request.extensions.get("timeout", {})
        route = self.route(request.url)
        head = head_bytes(request, route)
        content = whole_body(request)
        connection = self._pool.take(route)
        while True:
            pooled = connection is not None
            body = PulledBody(asyncio.get_running_loop(), self._now_ns, limits.get("read"))
            body.timing.reused = pooled
            if connection is None:
                body.timing.connect_start_ns = self._now_ns()
                connection = await self._dial(route, limits.get("connect"))
                body.timing.connected_ns = self._now_ns()
            body.connection = connection
            bodiless = request.method == "HEAD"
            try:
                if content is not None:
                    connection.start(head + content, body, bodiless=bodiless)
                else:
                    connection.start(head, body, bodiless=bodiless, partial=True)
                    await self._stream(request, connection, limits.get("write"))
                await self._drain(connection, limits.get("write"))
                await body.wait_head()
            except httpx.TransportError as error:
                connection.abandon(body)
                if not (pooled and content is not None and self._stale(connection, error)):
                    raise
                connection = None
                continue
            except BaseException:
                connection.abandon(body)
                raise
            body.request = request
            return httpx.Response(
                body.status,
                headers=body.headers,
                stream=body,
                extensions={"http_version": connection.http_version, "timing": body.timing},
            )

    async def _stream(self, request: httpx.Request, connection: Connection, write_s: float | None) -> None:
        async for part in streamed_body(request):
            if not connection.wants_body:
                return  # the answer is there, or an error that `wait_head` raises
            connection.write(part)
            await self._drain(connection, write_s)
        connection.written()

    async def _drain(self, connection: Connection, write_s: float | None) -> None:
        try:
            with anyio.fail_after(write_s):
                await connection.drained()
        except TimeoutError:
            raise httpx.WriteTimeout("the server took nothing of the request for too long") from None

    async def _dial(self, route: Route, connect_s: float | None) -> Connection:
        if not self._pool.closed:
            connection = await dial(route, self._pool, self._tls_context, self._now_ns, connect_s)
            if not self._pool.closed:
                return connection
            connection.abort()
        raise httpx.ConnectError("the client was closed")

    def _stale(self, connection: Connection, error: Exception) -> bool:
        """Whether the peer, and not we, had closed a pooled connection before the request reached it."""
        lost = isinstance(error, Disconnected | httpx.ReadError | httpx.WriteError)
        return lost and not connection.answered and not self._pool.closed

    def _tls_context(self) -> ssl.SSLContext:
        """Make the context when the first TLS connection needs it: reading the roots takes 20 ms."""
        if self._context is None:
            if isinstance(self._verify, ssl.SSLContext):
                self._context = self._verify
            else:
                self._context = client_context()
                if not self._verify:
                    self._context.check_hostname = False
                    self._context.verify_mode = ssl.CERT_NONE
        return self._context
