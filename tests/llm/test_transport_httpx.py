"""The transport under httpx's own client: what a user of httpx expects of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest
from scripted_server import END, STREAM_HEAD, Peer, answer, chunked, plays, plays_and_stalls, serving, until

from console.llm.body import HIGH_WATER_BYTES, Timing
from console.llm.client import make_async_client
from console.llm.transport import Transport

pytestmark = pytest.mark.anyio
HELLO = answer(200, {"hello": "world"})


async def test_get_post_and_reuse() -> None:
    async with serving(plays(HELLO)) as server, make_async_client(base_url=server.url) as client:
        first = await client.get("/a b?x=1&y=é", headers={"X-Mine": "1"})
        second = await client.post("/p", json={"k": 1})
        assert first.json() == second.json() == {"hello": "world"}
        assert (first.status_code, first.http_version, server.accepted) == (200, "HTTP/1.1", 1)
        assert server.requests[0].startswith(b"GET /a%20b?x=1&y=%C3%A9 HTTP/1.1\r\n")
        assert b"X-Mine: 1\r\n" in server.requests[0]
        assert server.requests[1].endswith(b'\r\n\r\n{"k":1}')
        timings = [response.extensions["timing"] for response in (first, second)]
        assert [timing.reused for timing in timings] == [False, True]
        assert (
            timings[0].connect_start_ns
            <= timings[0].connected_ns
            <= timings[0].sent_ns
            <= timings[0].headers_ns
        )


async def test_repeated_headers_and_cookies_survive() -> None:
    body = answer(200, {}, "Set-Cookie: a=1", "Set-Cookie: b=2")
    async with serving(plays(body)) as server, make_async_client() as client:
        response = await client.get(server.url)
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
        await client.get(server.url)
        assert b"Cookie: a=1; b=2" in server.requests[1]


async def test_streaming_gives_each_read_with_its_time() -> None:
    parts = [chunked(b"one"), chunked(b"two"), chunked(b"three"), END]
    async with serving(plays(STREAM_HEAD, *parts)) as server, make_async_client() as client:
        async with client.stream("GET", server.url) as response:
            assert [piece async for piece in response.aiter_bytes()] == [b"one", b"two", b"three"]
    transport = Transport()
    async with serving(plays(STREAM_HEAD, *parts)) as server:
        response = await transport.handle_async_request(httpx.Request("GET", server.url))
        reads = [read async for read in response.stream.reads()]  # type: ignore[attr-defined]
        assert b"".join(data for _, data in reads) == b"onetwothree"
        times = [at_ns for at_ns, _ in reads]
        timing: Timing = response.extensions["timing"]
        assert times == sorted(times)
        assert timing.headers_ns <= times[0]
        await transport.aclose()


async def test_leaving_a_stream_early_closes_its_connection() -> None:
    transport = Transport()
    async with serving(plays_and_stalls(STREAM_HEAD, chunked(b"x"))) as server:
        async with make_async_client(transport=transport) as client:
            async with client.stream("GET", server.url) as response:
                async for _ in response.aiter_bytes():
                    break
            await until(lambda: transport.open_connections == 0 and server.open == 0)


async def test_authentication_flows() -> None:
    challenge = answer(401, {}, 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"')

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            await peer.send(HELLO if b"Authorization: " in asked else challenge)

    async with serving(script) as server, make_async_client() as client:
        basic = await client.get(server.url, auth=("u", "p"))
        digest = await client.get(server.url, auth=httpx.DigestAuth("u", "p"))
        assert (basic.status_code, digest.status_code) == (200, 200)
        assert b"Authorization: Basic dTpw" in server.requests[0]
        assert b"Authorization: Digest " in server.requests[2]
        assert server.accepted == 1


async def test_event_hooks_and_raise_for_status() -> None:
    seen: list[object] = []

    async def on_request(request: httpx.Request) -> None:
        seen.append(request.method)

    async def on_response(response: httpx.Response) -> None:
        await response.aread()
        seen.append(response.status_code)

    hooks = {"request": [on_request], "response": [on_response]}
    async with serving(plays(answer(503, {}))) as server, make_async_client(event_hooks=hooks) as client:
        response = await client.get(server.url)
        assert seen == ["GET", 503]
        with pytest.raises(httpx.HTTPStatusError):
            response.raise_for_status()


async def test_redirects_are_off_and_work_when_asked_for() -> None:
    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            moved = answer(302, b"", "Location: /there")
            await peer.send(moved if asked.startswith(b"GET /here") else HELLO)

    async with serving(script) as server, make_async_client(base_url=server.url) as client:
        assert (await client.get("/here")).status_code == 302
        assert (await client.get("/here", follow_redirects=True)).json() == {"hello": "world"}


async def test_compressed_answers_are_unpacked_by_httpx() -> None:
    import gzip

    body = answer(200, gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip")
    async with serving(plays(body)) as server, make_async_client() as client:
        assert (await client.get(server.url)).json() == {"a": 1}


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body(status: int) -> None:
    async with serving(plays(f"HTTP/1.1 {status} X\r\nETag: x\r\n\r\n".encode())) as server:
        async with make_async_client() as client:
            for _ in range(2):
                response = await client.get(server.url)
                assert (response.status_code, response.content) == (status, b"")
            assert server.accepted == 1


async def test_head_has_no_body_whatever_its_headers_say() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        await peer.gone()

    async with serving(script) as server, make_async_client() as client:
        for _ in range(2):
            response = await client.head(server.url)
            assert (response.content, response.headers["content-length"]) == (b"", "1000")


async def test_a_body_that_ends_with_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.0 200 OK\r\n\r\n", b"all of ", b"it")

    async with serving(script) as server, make_async_client() as client:
        for _ in range(2):
            assert (await client.get(server.url)).text == "all of it"
        assert server.accepted == 2


async def test_streamed_request_bodies() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"abc", b"", b"def"):
            yield part
            await asyncio.sleep(0)

    async with serving(plays(HELLO)) as server, make_async_client() as client:
        assert (await client.post(server.url, content=parts())).status_code == 200
        assert (
            await client.post(server.url, content=parts(), headers={"Content-Length": "6"})
        ).status_code == 200
        assert (await client.get(server.url)).status_code == 200
        assert b"Transfer-Encoding: chunked" in server.requests[0]
        assert [asked.partition(b"\r\n\r\n")[2] for asked in server.requests] == [b"abcdef", b"abcdef", b""]
        assert server.accepted == 1
        with pytest.raises(httpx.LocalProtocolError):
            await client.post(server.url, content=parts(), headers={"Content-Length": "5"})


async def test_a_body_whose_making_fails_closes_the_connection() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"abc"
        raise KeyError("ours")

    transport = Transport()
    async with serving(plays(HELLO)) as server, make_async_client(transport=transport) as client:
        with pytest.raises(KeyError):
            await client.post(server.url, content=parts())
        await until(lambda: transport.open_connections == 0 and server.open == 0)


async def test_an_early_answer_ends_the_sending_and_the_connection() -> None:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000
            await asyncio.sleep(0.001)

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(answer(413, {"error": "too large"}))
        await peer.gone()

    transport = Transport()
    async with serving(script) as server, make_async_client(transport=transport) as client:
        with anyio.fail_after(5):
            assert (await client.post(server.url, content=parts())).status_code == 413
        await until(lambda: transport.open_connections == 0 and server.open == 0)


async def test_a_large_body_passes_whole() -> None:
    data = b"x" * 3_000_000
    async with serving(plays(HELLO)) as server, make_async_client() as client:
        assert (await client.post(server.url, content=data)).status_code == 200
        assert server.requests[0].endswith(data)


async def test_a_reader_that_takes_its_time_stops_the_sender() -> None:
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n")
        while sent < 40_000_000:
            await peer.send(b"y" * 100_000)
            sent += 100_000
        await peer.gone()

    transport = Transport()
    async with serving(script) as server, make_async_client(transport=transport, timeout=5) as client:
        async with client.stream("GET", server.url) as response:
            body = response.stream
            pieces = response.aiter_raw()
            got = len(await anext(pieces))
            held = -1
            while held != sent:
                held = sent
                await asyncio.sleep(0.05)  # the sender moves as long as the sockets' buffers take more
            assert sent < 40_000_000
            assert body._stream._unread_bytes < 4 * HIGH_WATER_BYTES  # type: ignore[attr-defined]
            async for piece in pieces:
                got += len(piece)
            assert got == 40_000_000
        assert transport.idle_connections == 1


# Errors as httpx has them


async def raised(url: str, **kwargs: object) -> httpx.TransportError:
    async with make_async_client(**kwargs) as client:
        with pytest.raises(httpx.TransportError) as caught:
            await client.get(url)
    assert str(caught.value.request.url) == url
    return caught.value


async def test_errors_are_httpx_errors_with_their_request() -> None:
    async def reset(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    async def close(peer: Peer) -> None:
        await peer.request()

    limits = httpx.Timeout(2, connect=0.2, read=0.1)
    async with serving(plays_and_stalls()) as server:
        assert type(await raised(server.url, timeout=limits)) is httpx.ReadTimeout
        assert type(await raised(server.url.replace("http", "https"), timeout=limits)) is httpx.ConnectTimeout
    async with serving(reset) as server:
        assert type(await raised(server.url)) is httpx.ReadError
    async with serving(close) as server:
        assert isinstance(await raised(server.url), httpx.RemoteProtocolError)
    async with serving(plays(b"nonsense\r\n\r\n")) as server:
        assert type(await raised(server.url)) is httpx.RemoteProtocolError
    assert type(await raised("http://no-such-host.invalid")) is httpx.ConnectError
    assert type(await raised("ftp://h/")) is httpx.UnsupportedProtocol


async def test_errors_in_the_middle_of_a_body() -> None:
    transport = Transport()
    async with serving(plays_and_stalls(STREAM_HEAD, chunked(b"x"))) as server:
        async with make_async_client(transport=transport, timeout=httpx.Timeout(2, read=0.1)) as client:
            with pytest.raises(httpx.ReadTimeout) as stalled:
                await client.get(server.url)
            assert stalled.value.request.method == "GET"
            await until(lambda: transport.open_connections == 0 and server.open == 0)

    async def cut(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD, chunked(b"x"))

    async with serving(cut) as server, make_async_client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(server.url)


async def test_a_peer_that_reads_nothing_is_a_write_timeout() -> None:
    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    transport = Transport()
    async with serving(script) as server:
        limits = httpx.Timeout(5, write=0.1)
        async with make_async_client(transport=transport, timeout=limits) as client:
            with pytest.raises(httpx.WriteTimeout):
                await client.post(server.url, content=b"x" * 30_000_000)
            await until(lambda: transport.open_connections == 0)


@pytest.mark.parametrize("headers", [{"X": "a\r\nInjected: 1"}, {"X": "a\0"}, {"X y": "1"}])
async def test_headers_that_would_break_out_are_refused_without_being_shown(headers: dict[str, str]) -> None:
    async with make_async_client() as client:
        with pytest.raises(httpx.LocalProtocolError) as caught:
            await client.get("http://127.0.0.1:9/", headers=headers)
        assert "Injected" not in str(caught.value)


async def test_a_stale_pooled_connection_is_replaced_for_httpx_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HELLO)
        if peer.number == 1:
            await peer.reader.readuntil(b"\r\n")
            peer.reset()
        else:
            await peer.gone()

    async with serving(script) as server, make_async_client() as client:
        assert (await client.get(server.url)).status_code == 200
        assert (await client.post(server.url, content=b"x")).status_code == 200
        assert server.accepted == 2


async def test_a_response_can_be_sent_and_read_at_leisure() -> None:
    async with serving(plays(HELLO)) as server, make_async_client() as client:
        response = await client.send(client.build_request("GET", server.url), stream=True)
        assert json.loads(await response.aread()) == {"hello": "world"}
        await response.aclose()
        assert (await client.get(server.url)).extensions["timing"].reused
