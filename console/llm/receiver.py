"""What takes in one answer: the seam between a connection and those who read from it."""

from __future__ import annotations

from typing import Final, Protocol

import httpx

NEVER: Final = 1 << 62
"""A deadline that does not come."""

Header = tuple[bytes, bytes]


class Disconnected(httpx.RemoteProtocolError):
    """The peer closed the connection before the first byte of an answer."""


class Receiver(Protocol):
    """Takes in one answer as it arrives. Each call but the last says by when the next must come (ns, or NEVER).

    It is called from the event loop and must not block. What it raises ends the exchange and closes the connection.
    """

    def sent(self, now_ns: int) -> int:
        """Take note that the request is about to be written."""
        ...

    def head(self, status: int, headers: list[Header], now_ns: int) -> int:
        """Take the final status and its headers; `now_ns` is the read that completed them."""
        ...

    def body(self, data: bytes, now_ns: int) -> int:
        """Take the body bytes of one read."""
        ...

    def complete(self, now_ns: int) -> None:
        """Take note that the answer is complete. Nothing follows."""
        ...

    def expired(self, now_ns: int) -> Exception:
        """Name the deadline that has passed. `failed` follows with it."""
        ...

    def failed(self, error: Exception) -> None:
        """Take note that the exchange ended with `error`. Nothing follows."""
        ...
