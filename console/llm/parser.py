"""One HTTP/1.1 answer after another out of the bytes of a connection, with bounds on everything but the body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httptools
import httpx

from console.llm.receiver import Header

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_SILENT_BYTES: Final = 64 * 1024
"""Bytes of framing (chunk extensions, trailers) that may come without any of the body."""


PARSER_ERRORS: Final = (httptools.HttpParserError, httptools.HttpParserUpgrade)


def refused(problem: Exception) -> httpx.RemoteProtocolError:
    """Say what one of PARSER_ERRORS means."""
    if isinstance(problem, httptools.HttpParserUpgrade):
        return httpx.RemoteProtocolError("the server switched to another protocol")
    return httpx.RemoteProtocolError(f"not HTTP/1.1: {problem}")


class AnswerParser:
    """Wraps httptools' parser, which calls back while it reads; the owner then looks at what has changed."""

    __slots__ = (
        "_answer_parts",
        "_bodiless",
        "_head_bytes",
        "_interim",
        "_parser",
        "complete",
        "feed_data",
        "head_given",
        "headers",
        "keep_alive",
        "on_body",
        "parts",
        "silent_bytes",
        "status",
        "surplus",
        "until_eof",
    )

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        """Body found and not yet taken."""
        self.on_body = self.parts.append  # called by the parser: no Python frame per piece
        self.expect(bodiless=False)
        self._parser = httptools.HttpResponseParser(self)
        self.feed_data: Callable[[bytes], None] = self._parser.feed_data
        """Reads on; raises one of PARSER_ERRORS. Straight to the parser: no Python frame per read."""

    def expect(self, *, bodiless: bool) -> None:
        """Begin with the next answer. `bodiless`: it has no body whatever its headers say (HEAD, CONNECT)."""
        self._bodiless = bodiless
        self._answer_parts: int | None = None
        """How many of `parts` are the answer's own, once it is complete: bytes behind it are not its body."""
        self._head_bytes = 0
        self.silent_bytes = 0
        """Bytes of framing since the last byte of body."""
        self._interim = False
        self.headers: list[Header] = []
        self.status = 0
        """0 until the final headers are complete."""
        self.head_given = False
        """Whether the owner has passed the headers on."""
        self.complete = False
        self.surplus = False
        """Whether bytes came behind the end of the answer."""
        self.keep_alive = False
        self.until_eof = False
        """Whether the body ends with the connection."""

    @property
    def http_version(self) -> bytes:
        """Version of the answer, as httpx's extension has it."""
        return f"HTTP/{self._parser.get_http_version()}".encode("ascii")

    def head_ready(self, size: int) -> bool:
        """Whether the headers are complete after a further read of `size` bytes.

        Raises:
            httpx.RemoteProtocolError: if they are too large.
        """
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            if self.status:
                size = sum(len(name) + len(value) + 4 for name, value in self.headers)
            if not self.status or size > MAX_HEAD_BYTES:
                raise httpx.RemoteProtocolError(f"response headers over {MAX_HEAD_BYTES // 1024} KB")
        return self.status != 0

    def take_body(self) -> bytes:
        """Return the body bytes of the last read, and forget them."""
        if self.surplus:
            del self.parts[self._answer_parts :]
        parts = self.parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self.silent_bytes = 0
        return b"" if self._bodiless else body

    def no_body(self, size: int) -> None:
        """Count a read that brought framing only.

        Raises:
            httpx.RemoteProtocolError: if there was too much of it.
        """
        self.silent_bytes += size
        if self.silent_bytes > MAX_SILENT_BYTES:
            raise httpx.RemoteProtocolError("chunk lines or trailers without end")

    # What httptools calls

    def on_message_begin(self) -> None:
        """Note bytes behind the end of the answer: the connection is not used again."""
        if self.complete:
            self.surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers and what belongs to no answer of ours are dropped."""
        if not self.status:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Read the status, skip interim answers, and find out how the body ends."""
        if self.complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim = True
            self.headers.clear()
            return
        self.status = status
        if self._bodiless:
            self.complete = True
            return
        self.keep_alive = self._parser.should_keep_alive()
        if not self.keep_alive and status not in (204, 304):
            names = {name.lower() for name, _ in self.headers}
            self.until_eof = b"content-length" not in names and b"transfer-encoding" not in names

    def on_message_complete(self) -> None:
        """Note the end of the body."""
        if self._interim:
            self._interim = False
        elif not self.complete:
            self.complete = True
            self._answer_parts = len(self.parts)
