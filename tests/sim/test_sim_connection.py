"""What a connection bears: pipelining, disconnects, slow readers, sizes and nonsense."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from console.sim.config import SimConfig
from console.sim.connection import LARGEST_BODY_BYTES
from console.sim.http_server import SimulatorServer, serve
from console.vocabulary.simulated import SimBehaviour

pytestmark = pytest.mark.anyio


def config(**settings: Any) -> SimConfig:
    quick = {"ttft_ms": 1.0, "itl_ms": 0.0, "output_tokens": 4}
    return SimConfig(providers={"lab": SimBehaviour(**(quick | settings))})


def post(head: bytes = b"", **fields: Any) -> bytes:
    content = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | fields).encode()
    return b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n%bcontent-length: %d\r\n\r\n%b" % (
        head,
        len(content),
        content,
    )


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - the server knows no events of tests
            await anyio.sleep(0.001)


async def read_to_end(stream: SocketStream) -> bytes:
    with anyio.fail_after(5):
        return b"".join([part async for part in stream])


async def connect(server: SimulatorServer) -> SocketStream:
    return await anyio.connect_tcp("127.0.0.1", server.port)


async def test_pipelined_requests_are_answered_in_order():
    async with serve(config(ttft_ms=2.0)) as server, await connect(server) as stream:
        requests = [post(model=f"m{number}", stream=number % 2 == 0) for number in range(40)]
        requests.insert(20, b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
        await stream.send(b"".join(requests) + post(b"connection: close\r\n", model="last"))
        answer = await read_to_end(stream)
    seen = [answer.find(b'"model":"m%d"' % number) for number in range(40)]
    assert seen == sorted(seen)
    assert min(seen) > 0
    assert answer.count(b"HTTP/1.1 200 OK") == 41
    assert seen[19] < answer.find(b"404 Not Found") < seen[20]
    assert answer.rstrip().endswith(b"}")


async def test_a_request_split_into_single_bytes_is_understood():
    async with serve(config()) as server, await connect(server) as stream:
        for byte in post(b"connection: close\r\n"):
            await stream.send(bytes([byte]))
        assert b"200 OK" in await read_to_end(stream)


async def test_a_client_that_goes_frees_its_slot_for_the_next():
    async with serve(config(slots=1, ttft_ms=60_000.0)) as server:
        provider = server.providers["lab"]
        first, second = await connect(server), await connect(server)
        await first.send(post(stream=True))
        await until(lambda: provider.in_flight == 1)
        await second.send(post())
        await until(lambda: len(provider.deployments["m"].waiting) == 1)
        await first.aclose()
        await until(lambda: provider.in_flight == 1)
        assert (provider.deployments["m"].serving, len(provider.deployments["m"].waiting)) == (1, 0)
        await second.aclose()
        await until(lambda: provider.in_flight == 0)
        assert provider.deployments["m"].serving == 0
        assert provider.outcomes["cancelled"] == 2


async def test_a_client_that_leaves_the_queue_is_forgotten():
    async with serve(config(slots=1, ttft_ms=60_000.0)) as server:
        provider = server.providers["lab"]
        async with await connect(server) as first:
            await first.send(post())
            await until(lambda: provider.in_flight == 1)
            second = await connect(server)
            await second.send(post())
            await until(lambda: provider.in_flight == 2)
            await second.aclose()
            await until(lambda: provider.in_flight == 1)
            assert not provider.deployments["m"].waiting


async def test_a_reset_in_the_middle_of_a_stream_frees_the_slot():
    async with serve(config(itl_ms=5.0)) as server:
        provider = server.providers["lab"]
        raw = socket.create_connection(("127.0.0.1", server.port))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        raw.sendall(post(stream=True, max_tokens=100_000, ignore_eos=True))
        await until(lambda: provider.in_flight == 1)
        raw.close()
        await until(lambda: provider.in_flight == 0)
        assert provider.outcomes["cancelled"] == 1


async def test_a_client_that_does_not_read_stops_the_sending_until_it_reads():
    async with serve(config()) as server:
        provider = server.providers["lab"]
        async with await connect(server) as stream:
            await stream.send(
                post(b"connection: close\r\n", stream=True, max_tokens=150_000, ignore_eos=True)
            )
            (connection,) = server._connections  # pyright: ignore[reportPrivateUsage]
            await until(connection.paused)
            assert provider.in_flight == 1
            received = 0
            tail = b""
            with anyio.fail_after(20):
                async for part in stream:
                    received += len(part)
                    tail = (tail + part)[-64:]
        assert received > 150_000 * 100
        assert tail.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        await until(lambda: provider.in_flight == 0)
        assert provider.outcomes["ok"] == 1


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_bound_is_refused_while_it_is_sent(announced: bool):
    async with serve(config()) as server, await connect(server) as stream:
        size = LARGEST_BODY_BYTES + 1
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
        if announced:
            await stream.send(head + b"content-length: %d\r\n\r\n" % size + b" " * size)
        else:
            await stream.send(head + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % size + b" " * size)
        with anyio.fail_after(5):
            answer = await stream.receive()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in answer


async def test_a_client_that_asks_first_is_told_to_go_on():
    async with serve(config()) as server, await connect(server) as stream:
        head, _, content = post(b"expect: 100-continue\r\nconnection: close\r\n").partition(b"\r\n\r\n")
        await stream.send(head + b"\r\n\r\n")
        assert await stream.receive() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stream.send(content)
        assert b"200 OK" in await read_to_end(stream)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00 nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", b"HTTP/1.1 "),
        (post(b"connection: close\r\n", stream=True).replace(b"HTTP/1.1", b"HTTP/1.0"), b"400"),
    ],
)
async def test_nonsense_is_answered_and_the_connection_closed(sent: bytes, status: bytes):
    async with serve(config()) as server:
        async with await connect(server) as stream:
            await stream.send(sent)
            with anyio.fail_after(5):
                answer = await stream.receive()
            assert answer.startswith(b"HTTP/1.1 ")
            assert status in answer
        await until(lambda: server.stats().connections == 0)


async def test_the_server_ends_while_answers_are_on_their_way():
    async with serve(config(ttft_ms=60_000.0, slots=1)) as server:
        streams = [await connect(server) for _ in range(5)]
        for stream in streams:
            await stream.send(post(stream=True))
        await until(lambda: server.providers["lab"].in_flight == 5)
    assert server.providers["lab"].in_flight == 0
    for stream in streams:
        await stream.aclose()


async def test_a_player_that_fails_closes_the_connection_and_holds_nothing():
    class Broken:
        def answer(self, **_: Any) -> None:
            raise RuntimeError("player")

    reported: list[Any] = []
    loop = asyncio.get_running_loop()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: reported.append(context["exception"]))
    try:
        async with serve(config(slots=1), player=Broken()) as server, await connect(server) as stream:
            await stream.send(post())
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await stream.receive()
            assert server.providers["lab"].in_flight == 0
    finally:
        loop.set_exception_handler(usual)
    assert [str(error) for error in reported] == ["player"]
