"""Opening a connection: name, socket, CONNECT, TLS; and clear words for what goes wrong."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import ssl
from collections.abc import Callable

import anyio
import httpx

from console.llm.connection import Connection, Keeper
from console.llm.receiver import NEVER, Header
from console.llm.route import Origin, Route

_ERRNO = re.compile(r"\[Errno (\d+)\]")


class TunnelReceiver:
    """Takes a proxy's answer to CONNECT, of which only the status matters."""

    def __init__(self) -> None:
        """Start without a status."""
        self.status = 0

    def sent(self, now_ns: int) -> int:
        """Need no deadline: the whole dial has one."""
        return NEVER

    def head(self, status: int, headers: list[Header], now_ns: int) -> int:
        """Keep the status."""
        self.status = status
        return NEVER

    def body(self, data: bytes, now_ns: int) -> int:
        """Drop what comes."""
        return NEVER

    def complete(self, now_ns: int) -> None:
        """Need nothing more."""

    def expired(self, now_ns: int) -> Exception:
        """Never called, as there is no deadline; named for completeness."""
        return httpx.ConnectTimeout("the proxy did not answer in time")

    def failed(self, error: Exception) -> None:
        """Leave the error to the one who waits."""


async def dial(
    route: Route,
    keeper: Keeper,
    tls_context: Callable[[], ssl.SSLContext],
    now_ns: Callable[[], int],
    timeout_s: float | None,
) -> Connection:
    """Open a connection along `route`, ready for a request.

    Raises:
        httpx.ConnectTimeout: after `timeout_s`, name resolution, tunnel and TLS included.
        httpx.ConnectError: name not found, refused, unreachable, TLS failure, no file descriptor left.
        httpx.ProxyError: the proxy refused the tunnel.
    """
    connection = Connection(asyncio.get_running_loop(), route, keeper, now_ns)
    try:
        with anyio.fail_after(timeout_s):
            await _open(connection, route, tls_context)
    except TimeoutError as problem:
        _drop(connection, keeper)
        if problem.errno is not None:  # the system's own: ETIMEDOUT
            raise httpx.ConnectTimeout(f"{_peer(route)}: {problem.strerror}") from problem
        raise httpx.ConnectTimeout(f"no connection to {_peer(route)} within {timeout_s:g} s") from None
    except httpx.TransportError:
        _drop(connection, keeper)
        raise
    except (OSError, UnicodeError) as problem:
        _drop(connection, keeper)
        raise httpx.ConnectError(f"{_peer(route)}: {reason(problem)}") from problem
    except BaseException:
        _drop(connection, keeper)
        raise
    if connection.closed:
        raise httpx.ConnectError(f"{_peer(route)}: closed as soon as it was open")
    return connection


async def _open(connection: Connection, route: Route, tls_context: Callable[[], ssl.SSLContext]) -> None:
    loop = asyncio.get_running_loop()
    first = route.proxy.origin if route.proxy is not None else route.origin
    context = tls_context() if first.scheme == "https" else None
    await loop.create_connection(
        lambda: connection,
        first.host,
        first.port,
        ssl=context,
        server_hostname=_name(first) if context is not None else None,
    )
    if not route.tunnelled:
        return
    await _tunnel(connection, route)
    await connection.start_tls(tls_context(), _name(route.origin))


async def _tunnel(connection: Connection, route: Route) -> None:
    target = route.origin.netloc
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if route.proxy is not None and route.proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {route.proxy.authorization}")
    wire = "\r\n".join([*lines, "", ""]).encode("ascii")
    receiver = TunnelReceiver()
    waiter: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    connection.start(wire, receiver, bodiless=True, hold=True, waiter=waiter)
    error = await waiter
    if error is not None:
        raise httpx.ProxyError(f"the proxy gave no answer to CONNECT: {error}")
    if not 200 <= receiver.status < 300:
        raise httpx.ProxyError(f"the proxy answered CONNECT with HTTP {receiver.status}")
    connection.used = 0


def _drop(connection: Connection, keeper: Keeper) -> None:
    """Close what may be half open. Forgotten here too: uvloop does not always report the end of a cancelled dial."""
    connection.abort()
    keeper.lost(connection)


def _name(origin: Origin) -> str:
    return origin.host.rstrip(".")


def _peer(route: Route) -> str:
    if route.proxy is None:
        return route.origin.netloc
    return f"{route.origin.netloc} by proxy {route.proxy.origin.netloc}"


def reason(problem: BaseException) -> str:
    """Say in words why a connection could not be made."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"TLS certificate not accepted: {problem.verify_message or problem.reason}"
    if isinstance(problem, ssl.SSLError):
        if problem.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
            return "the server does not speak TLS on this port (is it http:// and not https://?)"
        return f"TLS handshake failed: {problem.reason or problem}"
    if isinstance(problem, socket.gaierror) and _no_file_is_left():
        return "too many open files: raise `ulimit -n`"  # the resolver could not read its files, and does not say so
    if isinstance(problem, socket.gaierror | UnicodeError):
        return f"name not found ({getattr(problem, 'strerror', None) or problem})"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    if isinstance(problem, ConnectionResetError):
        return "connection reset before it was ready"
    if isinstance(problem, OSError):
        return _system_reason(problem)
    return str(problem) or type(problem).__name__


def _no_file_is_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return True
    return False


def _system_reason(problem: OSError) -> str:
    """Say what the system said. A name with several addresses gives one error of all, with their numbers in its text."""
    numbers = {int(number) for number in _ERRNO.findall(str(problem))}
    if problem.errno is not None:
        numbers.add(problem.errno)
    if numbers & {errno.EMFILE, errno.ENFILE}:
        return "too many open files: raise `ulimit -n`"
    if numbers == {errno.ECONNREFUSED}:
        return "connection refused"
    words = (os.strerror(number) for number in sorted(numbers))
    return ", ".join(words).lower() or str(problem) or type(problem).__name__
