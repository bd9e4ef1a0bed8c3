"""What runs short on this side: file descriptors, names that resolve, buffers, memory."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from one_request import ASK, GOOD, QUICK, SLOW, WHOLE, ask, at
from scripted_server import (
    STREAM_HEAD,
    Peer,
    Script,
    answer,
    chunked,
    delta,
    event,
    plays,
    serving,
    until,
)

from console.llm.client import LlmClient
from console.vocabulary.chat import ChatRequest, Timeouts
from console.vocabulary.outcome import Outcome

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_socket_left", "loop_unharmed")]
HERE = Path(__file__).parent


# File descriptors

EXHAUSTED = """
import asyncio, json, os, resource, sys
import anyio, uvloop
from one_request import ASK, SLOW, at
from console.llm.client import LlmClient

async def main(urls):
    said = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(["unhandled", str(context)]))
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, used + 20))
    for url in urls:
        async with LlmClient(timeouts=SLOW) as client:
            async def one():
                result = await client.complete(at(url), ASK)
                said.append([result.outcome, result.error])
            held = []
            try:
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
            await one()
            for free in (1, len(held) - 1):
                for _ in range(free):
                    os.close(held.pop())
                await one()
            async with anyio.create_task_group() as group:
                for _ in range(60):
                    group.start_soon(one)
            await one()
            if client.transport.open_connections != client.transport.idle_connections:
                said.append(["left", "connections"])
        await asyncio.sleep(0.05)
    said.append(["grown", len(os.listdir("/proc/self/fd")) - used])
    return said

run = uvloop.run if sys.argv[1] == "uvloop" else asyncio.run
print(json.dumps(run(main(sys.argv[2:]))))
"""


async def in_a_process(source: str, *arguments: str, **environment: str) -> Any:
    """Run `source` by itself and return what it prints, as JSON."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = await anyio.run_process(
        [sys.executable, "-c", source, *arguments],
        env=kept | {"PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parents[1]}"} | environment,
        stderr=sys.stderr,
    )
    return json.loads(done.stdout)


async def test_out_of_files_is_said_so_and_passes(
    anyio_backend: tuple[str, dict[str, bool]], authority: trustme.CA, tmp_path: Path
) -> None:
    loop = "uvloop" if anyio_backend[1]["use_uvloop"] else "asyncio"
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with serving(plays(*GOOD)) as plain, serving(plays(*GOOD), context) as secure:
        with anyio.fail_after(30):
            said = await in_a_process(EXHAUSTED, loop, plain.url, secure.url, SSL_CERT_FILE=str(bundle))
    assert said.pop()[1] <= 2  # the loop's own, once
    assert len(said) == 2 * 64
    for rows in (said[:64], said[64:]):
        assert rows[0][0] == "connection"
        assert {outcome for outcome, _ in rows} == {"ok", "connection"}
        assert all("ulimit" in error for outcome, error in rows if outcome != "ok"), rows
        assert rows[2][0] == rows[-1][0] == "ok"
        assert sum(outcome == "ok" for outcome, _ in rows) > 10


# Names and addresses


async def test_a_resolver_that_hangs_is_a_connect_timeout(
    monkeypatch: pytest.MonkeyPatch, anyio_backend: tuple[str, dict[str, bool]]
) -> None:
    if anyio_backend[1]["use_uvloop"]:
        pytest.skip("uvloop resolves in C")
    over = threading.Event()

    def hangs(*args: object, **kwargs: object) -> None:
        over.wait(10)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        async with LlmClient(timeouts=QUICK) as client, serving(plays(*GOOD)) as server:

            async def one() -> None:
                result = await client.complete(at("http://hangs.example/v1"), ASK)
                assert result.outcome is Outcome.TIMEOUT_CONNECT
                assert "hangs.example" in result.error

            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(one)
            monkeypatch.undo()
            assert (
                await client.complete(at(server.url), ASK)
            ).outcome is Outcome.OK  # an address needs no resolver
    finally:
        over.set()


# Buffers


async def test_a_server_that_takes_nothing_of_a_long_request_is_a_timeout() -> None:
    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    long = ChatRequest(messages=({"role": "user", "content": "x" * 5_000_000},))
    async with serving(script) as server:
        result = await ask(server.url, QUICK, long)
        assert (result.outcome, result.status) == (Outcome.TIMEOUT_FIRST_TOKEN, None)


@pytest.mark.parametrize("reads", [0, 100_000])
async def test_an_answer_before_the_request_is_wholly_sent_counts(reads: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readexactly(1 + reads)
        await peer.send(answer(429, {"error": {"message": "too many requests"}}, "Retry-After: 7"))
        await peer.gone()

    long = ChatRequest(messages=({"role": "user", "content": "x" * 20_000_000},))
    async with serving(script) as server, LlmClient(timeouts=SLOW) as client:
        for _ in range(2):
            result = await client.complete(at(server.url), long)
            assert (result.outcome, result.retry_after_s) == (Outcome.RATE_LIMITED, 7)
            assert not result.reused_connection
        await until(lambda: server.open == 0)


async def test_a_head_that_comes_byte_by_byte_and_one_that_never_ends_are_bounded() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0.01)

    async with serving(script) as server:
        assert (await ask(server.url, QUICK)).outcome is Outcome.TIMEOUT_FIRST_TOKEN
        total = Timeouts(connect=1, first_token=9, idle=9, total=0.2)
        assert (await ask(server.url, total, WHOLE)).outcome is Outcome.TIMEOUT_TOTAL
        await until(lambda: server.open == 0)


@pytest.mark.parametrize(
    ("status", "said"), [(407, "proxy asks for a user"), (502, "HTTP 502"), (504, "HTTP 504")]
)
async def test_a_forwarding_proxy_that_answers_by_itself(
    status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(plays(answer(status, b""))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        result = await ask("http://model.example/v1", SLOW)
        assert said in result.error
        assert result.outcome is (Outcome.BAD_REQUEST if status == 407 else Outcome.SERVER_ERROR)


OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "then"),
    [
        ([OPEN], "close"),
        ([OPEN], "reset"),
        ([], "reset"),
        ([OPEN, b"HTTP/1.1 500 X\r\n\r\n"], "stall"),
        ([OPEN.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n")], "close"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000], "stall"),
        ([OPEN[:20]], "stall"),
        ([OPEN, b"\x16\x03\x03\x00\x7a\x02\x00"], "reset"),
        ([OPEN, b"\x15\x03\x03\x00\x02\x02\x28"], "stall"),
    ],
    ids=["close", "reset", "reset at once", "http", "length", "1xx", "half a head", "cut hello", "alert"],
)
async def test_a_tunnel_that_breaks_is_a_lost_connection(
    parts: list[bytes], then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for part in parts:
            await peer.send(part)
            await asyncio.sleep(0.01)
        if then == "reset":
            peer.reset()
        elif then == "stall":
            await peer.gone()

    async with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with LlmClient(timeouts=Timeouts(connect=0.5)) as client:
            result = await client.complete(at("https://model.example/v1"), ASK)
            assert result.outcome in (Outcome.CONNECTION, Outcome.TIMEOUT_CONNECT)
            assert "proxy" in result.error
            assert "could not be read" not in result.error
            assert client.transport.open_connections == 0  # type: ignore[attr-defined]
        await until(lambda: proxy.open == 0)


# Memory

BULK = """
import asyncio, json, resource, sys
import uvloop
from one_request import ASK, at
from console.llm import stream
from console.llm.client import LlmClient
from console.vocabulary.chat import ChatRequest, Timeouts

stream.MAX_ANSWER_BYTES = 16_000_000  # the real bound takes four times as long to reach

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

async def main(keep, urls):
    peak = 0
    loop = asyncio.get_running_loop()

    def sample():
        nonlocal peak
        peak = max(peak, resident_mb())
        loop.call_later(0.002, sample)

    sample()
    rows = []
    async with LlmClient(timeouts=Timeouts(connect=5, first_token=60, idle=60, total=60)) as client:
        for url in urls:
            peak = before = resident_mb()
            result = await client.complete(at(url), ChatRequest(messages=ASK.messages, keep_content=keep))
            rows.append([result.outcome, result.error[:100], peak - before])
    return rows

print(json.dumps(uvloop.run(main(sys.argv[1] == "keep", sys.argv[2:]))))
"""
PIECE = b"y" * 500_000
TEXT = delta(content="tok ") * 3000
FLOODS = {
    "error page": (b"HTTP/1.1 500 X\r\nContent-Length: 1000000000\r\n\r\n", PIECE),
    "document": (
        b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n",
        PIECE,
    ),
    "document in chunks": (
        b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunked(PIECE),
    ),
    "text": (STREAM_HEAD, chunked(TEXT)),
    "one event": (STREAM_HEAD, chunked(PIECE)),
    "other choices": (
        STREAM_HEAD,
        chunked(event(choices=[{"index": 1, "delta": {"content": "x"}}]) * 3000),
    ),
    "one header": (b"HTTP/1.1 200 OK\r\nX: ", PIECE),
    "headers": (b"HTTP/1.1 200 OK\r\n", (b"X: " + b"a" * 1000 + b"\r\n") * 500),
}


def floods(head: bytes, piece: bytes) -> Script:
    """Send a gigabyte, or as much of it as the client takes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        for _ in range(1_000_000_000 // len(piece)):
            await peer.send(piece)
        raise AssertionError("the client took it all")

    return script


@pytest.mark.parametrize("keep", ["keep", "drop"])
async def test_a_gigabyte_of_anything_is_refused_in_bounded_memory(
    keep: str, anyio_backend: tuple[str, dict[str, bool]]
) -> None:
    if not anyio_backend[1]["use_uvloop"]:
        pytest.skip("the client is in a process of its own")
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(floods(*flood))) for flood in FLOODS.values()]
        with anyio.fail_after(60):
            rows = await in_a_process(BULK, keep, *(server.url for server in servers))
        await until(lambda: not any(server.open for server in servers))
    for (name, (_, _)), (outcome, error, grown_mb) in zip(FLOODS.items(), rows, strict=True):
        assert outcome == ("server_error" if name == "error page" else "protocol"), (name, error)
        assert grown_mb < 50, name
