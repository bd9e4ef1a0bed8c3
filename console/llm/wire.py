"""httpx's request as bytes, framed by its own headers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx

from console.llm.route import Route

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_FORBIDDEN = re.compile(rb"[\x00\r\n]")
_SPACE = re.compile(rb"[\x00-\x20\x7f]")


def head_bytes(request: httpx.Request, route: Route) -> bytes:
    """Return request line and headers, with the empty line.

    Raises:
        httpx.LocalProtocolError: if one of them would break out of its line, or the length is no number. Values are
            not in the message.
    """
    method = request.method.encode("ascii", "replace")
    target = request.url.raw_path
    if not _TOKEN.match(method):
        raise httpx.LocalProtocolError("the method is not a token")
    if _SPACE.search(target):
        raise httpx.LocalProtocolError("the path holds a space or a control character")
    lines = [b"%s %s%s HTTP/1.1\r\n" % (method, route.target_prefix, target)]
    chunked = _is_chunked(request)
    if not chunked:
        _length(request)
    for name, value in request.headers.raw:
        if chunked and name.lower() == b"content-length":
            continue  # httpx adds it where the caller asked for chunks; both together are two framings
        if not _TOKEN.match(name):
            raise httpx.LocalProtocolError("a header name is not a token")
        if _FORBIDDEN.search(value):
            raise httpx.LocalProtocolError(f"the value of header {name.decode('ascii')} holds a line break")
        lines.append(b"%s: %s\r\n" % (name, value))
    if "host" not in request.headers:
        lines.append(f"Host: {route.origin.host_header}\r\n".encode("ascii"))
    lines.extend((route.proxy_headers, b"\r\n"))
    return b"".join(lines)


def whole_body(request: httpx.Request) -> bytes | None:
    """Return the body in wire form if it is at hand, or None if it must be streamed (and so cannot be sent twice).

    Raises:
        httpx.LocalProtocolError: if it is longer or shorter than its `Content-Length`.
    """
    if not isinstance(request.stream, httpx.ByteStream):
        return None
    content = b"".join(request.stream)
    if _is_chunked(request):
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content) if content else b"0\r\n\r\n"
    if len(content) != _length(request):
        raise httpx.LocalProtocolError("the body is longer or shorter than its Content-Length")
    return content


async def streamed_body(request: httpx.Request) -> AsyncIterator[bytes]:
    """Yield the body in wire form: chunked where the headers say so, else as it is.

    Raises:
        httpx.LocalProtocolError: if it is longer or shorter than its `Content-Length`.
    """
    if not isinstance(request.stream, httpx.AsyncByteStream):
        raise httpx.LocalProtocolError("a body that is read synchronously cannot be sent by an async client")
    if _is_chunked(request):
        async for part in request.stream:
            if part:
                yield b"%x\r\n%s\r\n" % (len(part), part)
        yield b"0\r\n\r\n"
        return
    left_bytes = _length(request)
    async for part in request.stream:
        left_bytes -= len(part)
        if left_bytes < 0:
            raise httpx.LocalProtocolError("the body is longer than its Content-Length")
        yield part
    if left_bytes:
        raise httpx.LocalProtocolError("the body is shorter than its Content-Length")


def _is_chunked(request: httpx.Request) -> bool:
    return "chunked" in request.headers.get("transfer-encoding", "").lower()


def _length(request: httpx.Request) -> int:
    """Return how long the body is said to be.

    Raises:
        httpx.LocalProtocolError: if that is no number.
    """
    text = request.headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise httpx.LocalProtocolError("Content-Length is not a number")
    return int(text)
