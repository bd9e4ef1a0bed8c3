"""The same use of httpx over its own transport and over ours: what comes back, what is raised, what is on the wire."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest
from scripted_server import (
    END,
    STREAM_HEAD,
    Peer,
    Script,
    Server,
    answer,
    chunked,
    plays,
    plays_and_stalls,
    plays_once,
    serving,
    until,
)

from console.llm.client import make_async_client

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_left", "no_socket_left", "loop_unharmed")]
HELLO = answer(200, {"hello": "world"})
Use = Callable[[httpx.AsyncClient, Server], Awaitable[Any]]


def client_of(kind: str) -> httpx.AsyncClient:
    limits = httpx.Timeout(3, read=0.2)
    return make_async_client(timeout=limits) if kind == "ours" else httpx.AsyncClient(timeout=limits)


async def outcome(whose: str, script: Script, use: Use) -> tuple[object, ...]:
    """What one use gave, what it put on the wire, and over how many connections."""
    async with serving(script) as server, client_of(whose) as client:
        try:
            with anyio.fail_after(4):
                given = await use(client, server)
        except httpx.HTTPError as error:
            known = next(kind for kind in type(error).__mro__ if kind.__module__ == "httpx")
            given = (known.__name__, error.request.method)
        except httpx.StreamError as error:
            given = type(error).__name__
        wire = [re.sub(rb"127\.0\.0\.1:\d+", b"HOST", request) for request in server.requests]
        return given, wire, server.accepted


def facts(response: httpx.Response) -> tuple[object, ...]:
    return (
        response.status_code, response.http_version, response.headers.raw, response.content,
        response.request.method, len(response.history), response.is_closed, response.elapsed > timedelta(0),
    )  # fmt: skip


async def get(client: httpx.AsyncClient, server: Server, **kwargs: Any) -> object:
    return facts(await client.get(server.url, **kwargs))


async def twice(client: httpx.AsyncClient, server: Server) -> object:
    return [await get(client, server) for _ in range(2)]


async def redirects(client: httpx.AsyncClient, server: Server) -> object:
    off = await client.post(f"{server.url}/here", content=b"x")
    on = await client.post(f"{server.url}/here", content=b"x", follow_redirects=True)
    return facts(off), facts(on)


async def digest(client: httpx.AsyncClient, server: Server) -> object:
    class Plain(httpx.DigestAuth):
        def _get_client_nonce(self, nonce_count: int, nonce: bytes) -> bytes:
            return b"always the same"

    return facts(await client.get(server.url, auth=Plain("u", "p")))


async def hooks(client: httpx.AsyncClient, server: Server) -> object:
    seen: list[object] = []

    async def on_request(request: httpx.Request) -> None:
        request.headers["X-Hook"] = "1"

    async def on_response(response: httpx.Response) -> None:
        seen.append((response.status_code, await response.aread()))
        response.raise_for_status()

    client.event_hooks = {"request": [on_request], "response": [on_response]}
    with pytest.raises(httpx.HTTPStatusError):
        await client.get(server.url)
    return seen


async def cookies(client: httpx.AsyncClient, server: Server) -> object:
    await client.get(server.url)
    await client.get(server.url)
    return dict(client.cookies)


async def lines(client: httpx.AsyncClient, server: Server) -> object:
    async with client.stream("GET", server.url) as response:
        return [line async for line in response.aiter_lines()]


async def raw_then_again(client: httpx.AsyncClient, server: Server) -> object:
    async with client.stream("GET", server.url) as response:
        raw = b"".join([piece async for piece in response.aiter_raw(3)])
        with pytest.raises(httpx.StreamConsumed):
            await response.aread()
        return raw, response.num_bytes_downloaded, response.is_stream_consumed


async def left_early(client: httpx.AsyncClient, server: Server) -> object:
    async with client.stream("GET", server.url) as response:
        async for _ in response.aiter_raw():
            break
    with pytest.raises(httpx.StreamError):
        await response.aread()
    return response.is_closed


async def uploaded(client: httpx.AsyncClient, server: Server) -> object:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"abc", b"", b"def"):
            yield part
            await asyncio.sleep(0)

    chunks = await client.post(server.url, content=parts())
    known = await client.post(server.url, content=parts(), headers={"Content-Length": "6"})
    return facts(chunks), facts(known)


async def chunked_by_header(client: httpx.AsyncClient, server: Server) -> object:
    async def parts() -> AsyncIterator[bytes]:
        yield b"abc"

    return facts(await client.post(server.url, content=parts(), headers={"Transfer-Encoding": "chunked"}))


async def traced(client: httpx.AsyncClient, server: Server) -> object:
    async def trace(name: str, info: object) -> None: ...

    return facts(await client.get(server.url, extensions={"trace": trace}))


async def in_every_form_of_timeout(client: httpx.AsyncClient, server: Server) -> object:
    forms = [None, 3, (3, 3, 3, 3), httpx.Timeout(3, pool=0.5), httpx.Timeout(None, connect=3), float("inf")]
    return [facts(await client.get(server.url, timeout=form)) for form in forms]


async def closed_during_a_stream(client: httpx.AsyncClient, server: Server) -> object:
    got: list[bytes] = []
    async with client.stream("GET", server.url, timeout=None) as response:
        asyncio.get_running_loop().call_later(
            0.05, lambda: closing.append(asyncio.create_task(client.aclose()))
        )
        closing: list[asyncio.Task[None]] = []
        try:
            async for piece in response.aiter_raw():
                got.append(piece)
        except httpx.ReadError:
            return got, "ReadError"
        finally:
            await closing[0]
    return got, "whole"


async def closed_before_the_answer(client: httpx.AsyncClient, server: Server) -> object:
    await client.get(server.url)
    closing: list[asyncio.Task[None]] = []
    asyncio.get_running_loop().call_later(0.05, lambda: closing.append(asyncio.create_task(client.aclose())))
    try:
        await client.get(server.url, timeout=None)
    finally:
        await closing[0]


async def moved(peer: Peer) -> None:
    while True:
        asked = await peer.request()
        here = asked.startswith(b"POST /here")
        await peer.send(answer(302, b"over there", "Location: /there") if here else HELLO)


async def challenged(peer: Peer) -> None:
    challenge = answer(
        401, {"no": 1}, 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'
    )
    while True:
        asked = await peer.request()
        await peer.send(HELLO if b"Authorization: " in asked else challenge)


async def unread(peer: Peer) -> None:
    await peer.gone()


async def plain(peer: Peer) -> None:
    await peer.reader.read(100)
    await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await peer.gone()


async def second_never_answered(peer: Peer) -> None:
    await peer.request()
    await peer.send(HELLO)
    await peer.request()
    await peer.gone()


def head(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


CASES: dict[str, tuple[Script, Use]] = {
    "keep-alive": (plays(HELLO), twice),
    "redirects": (moved, redirects),
    "digest": (challenged, digest),
    "basic": (plays(HELLO), lambda c, s: get(c, s, auth=("u", "p"))),
    "hooks": (plays(answer(503, {"busy": True})), hooks),
    "cookies": (plays(answer(200, {}, "Set-Cookie: a=1", "Set-Cookie: b=2; Path=/")), cookies),
    "lines": (plays(STREAM_HEAD, chunked(b"a\r\nb\nc"), chunked(b"d\n\n"), chunked(b"e"), END), lines),
    "raw": (plays(STREAM_HEAD, chunked(b"abcd"), chunked(b"e"), END), raw_then_again),
    "left early": (plays_and_stalls(STREAM_HEAD, chunked(b"x")), left_early),
    "uploads": (plays(HELLO), uploaded),
    "chunks by header": (plays(HELLO), chunked_by_header),
    "trace": (plays(HELLO), traced),
    "timeouts": (plays(HELLO), in_every_form_of_timeout),
    "Expect": (
        plays(head("HTTP/1.1 100 Continue\n\n") + HELLO),
        lambda c, s: get(c, s, headers={"Expect": "100-continue"}),
    ),
    "HEAD": (
        plays_once(head("HTTP/1.1 200 OK\nContent-Length: 99\n\n")),
        lambda c, s: _facts_of(c.head(s.url)),
    ),
    "204": (plays(head("HTTP/1.1 204 X\nA: b\n\n")), twice),
    "304 with a length": (plays(head("HTTP/1.1 304 X\nContent-Length: 99\n\n")), twice),
    "HTTP/1.0 to the end": (plays_once(head("HTTP/1.0 200 OK\nA: b\n\nall of it")), twice),
    "HTTP/1.0 with a length": (plays_once(head("HTTP/1.0 200 OK\nContent-Length: 2\n\nok")), twice),
    "trailers": (
        plays(head("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\nT: x\n\n")),
        twice,
    ),
    "early hints": (plays(head("HTTP/1.1 103 X\nLink: x\n\n") * 20 + HELLO), twice),
    "connection: close": (plays_once(answer(200, {}, "Connection: close")), twice),
    "nothing": (plays_and_stalls(), get),
    "no answer": (plays_once(), get),
    "no HTTP": (plays_and_stalls(b"SSH-2.0-OpenSSH\r\n\r\n"), get),
    "a head that is cut": (plays_once(b"HTTP/1.1 200 OK\r\nA: "), get),
    "a body that is cut": (plays_once(head("HTTP/1.1 200 OK\nContent-Length: 9\n\nhalf")), get),
    "chunks that are cut": (plays_once(STREAM_HEAD, chunked(b"half")), get),
    "a chunk size that is none": (plays_and_stalls(STREAM_HEAD, b"ZZ\r\nab\r\n"), get),
    "a body that stalls": (plays_and_stalls(STREAM_HEAD, chunked(b"half")), get),
    "closed during a stream": (plays_and_stalls(STREAM_HEAD, chunked(b"half")), closed_during_a_stream),
    "closed in a body to the end": (
        plays_and_stalls(head("HTTP/1.0 200 OK\n\n") + b"half"),
        closed_during_a_stream,
    ),
    "closed before the answer": (second_never_answered, closed_before_the_answer),
    "a name that is none": (plays(HELLO), lambda c, s: get_url(c, "http://no-such-host.invalid/")),
    "a scheme that is none": (plays(HELLO), lambda c, s: get_url(c, "ftp://127.0.0.1/")),
    "TLS to a plain server": (
        plain,
        lambda c, s: get_url(c, s.url.replace("http:", "https:")),
    ),
}


async def _facts_of(response: Awaitable[httpx.Response]) -> object:
    return facts(await response)


async def get_url(client: httpx.AsyncClient, url: str, **kwargs: Any) -> object:
    return facts(await client.get(url, **kwargs))


@pytest.mark.parametrize("name", CASES)
async def test_ours_does_what_httpx_does(name: str) -> None:
    script, use = CASES[name]
    assert await outcome("ours", script, use) == await outcome("httpx", script, use)


async def test_bytes_behind_an_answer_are_no_answer_to_the_next_request() -> None:
    """httpx takes them for one."""
    given, _, accepted = await outcome("ours", plays_once(HELLO + answer(200, {"hello": "nobody"})), twice)
    assert b"nobody" not in repr(given).encode()
    assert accepted == 2


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"Content-Length": "5"}, b"abc"),
        ({"Content-Length": "2"}, b"abc"),
        ({"Content-Length": "-3"}, b"abc"),
        ({"Content-Length": "x"}, b""),
    ],
)
async def test_a_body_of_another_length_than_said_is_not_sent(
    headers: dict[str, str], content: bytes
) -> None:
    """It would begin the next request, or let the server wait for its end. httpx raises an error of h11."""
    async with serving(unread) as server, client_of("ours") as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.post(server.url, content=content, headers=headers)
        assert server.requests == []


async def test_a_body_at_hand_is_sent_in_chunks_where_the_caller_says_so() -> None:
    async with serving(plays(HELLO)) as server, client_of("ours") as client:
        for content in (b"abc", b""):
            await client.post(server.url, content=content, headers={"Transfer-Encoding": "chunked"})
        assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [b"abc", b""]
        assert b"content-length" not in server.requests[0].lower()
        assert server.accepted == 1


async def test_closing_a_response_in_another_task_ends_its_reader() -> None:
    async with serving(plays_and_stalls(STREAM_HEAD, chunked(b"x"))) as server, client_of("ours") as client:
        response = await client.send(client.build_request("GET", server.url), stream=True)
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"x"
        reading = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0.01)
        await response.aclose()
        with pytest.raises(httpx.StreamClosed), anyio.fail_after(1):
            await reading


@pytest.mark.parametrize("turns", range(0, 12, 3))
async def test_a_reader_that_is_cancelled_closes_its_connection(turns: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            await peer.send(b"y" * 100_000)

    async with serving(script) as server, client_of("ours") as client:

        async def read() -> None:
            async with client.stream("GET", server.url) as response:
                async for _ in response.aiter_raw():
                    await asyncio.sleep(0)

        reading = asyncio.ensure_future(read())
        for _ in range(10 + turns):
            await asyncio.sleep(0.001)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: server.open == 0)
