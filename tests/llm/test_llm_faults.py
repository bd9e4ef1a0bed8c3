"""Everything that goes wrong on the way, classified."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from datetime import UTC, datetime

import pytest
import trustme
from one_request import ASK, GOOD, QUICK, SLOW, ask, at
from scripted_server import (
    Peer,
    answer,
    delta,
    plays,
    plays_and_stalls,
    serving,
    stream,
    until,
)

from console.llm.client import LlmClient
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Outcome

pytestmark = pytest.mark.anyio


# Connections that fail


async def test_refused() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        result = await ask(f"http://127.0.0.1:{held.getsockname()[1]}")
    assert result.outcome is Outcome.CONNECTION
    assert "refused" in result.error


async def test_a_name_that_is_not_found() -> None:
    result = await ask("http://no-such-host.invalid/v1", SLOW)
    assert result.outcome is Outcome.CONNECTION
    assert "name not found" in result.error


@pytest.mark.parametrize("where", [0, 1, 3])
async def test_reset_before_and_in_the_middle_of_the_answer(where: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for part in [*stream(delta(content="a"), delta(content="b"), end=b"")][:where]:
            await peer.send(part)
            await peer.send(b"")
        await asyncio.sleep(0.01)
        peer.reset()

    async with serving(script) as server:
        result = await ask(server.url, SLOW)
        assert result.outcome is Outcome.CONNECTION
        assert result.chunks == max(0, where - 1)


async def test_closed_without_an_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()

    async with serving(script) as server:
        result = await ask(server.url, SLOW)
        assert (result.outcome, result.status) == (Outcome.CONNECTION, None)


async def test_a_half_closed_connection_is_closed() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.writer.write_eof()
        await peer.gone()

    async with serving(script) as server:
        assert (await ask(server.url, SLOW)).outcome is Outcome.CONNECTION
        await until(lambda: server.open == 0)


async def test_no_file_descriptor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async with LlmClient(timeouts=SLOW) as client:

        async def exhausted(*args: object, **kwargs: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(type(asyncio.get_running_loop()), "create_connection", exhausted, raising=False)
        try:
            result = await client.complete(at("http://127.0.0.1:9"), ASK)
        finally:
            monkeypatch.undo()
    assert result.outcome is Outcome.CONNECTION
    assert "ulimit" in result.error


# TLS


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_tls_with_a_trusted_certificate(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    names: list[str | None] = []
    context = server_context(authority, "localhost")
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    async with serving(plays(*GOOD), context) as server, LlmClient(timeouts=SLOW) as client:
        first = await client.complete(at(server.url), ASK)
        second = await client.complete(at(server.url), ASK)
        assert (first.outcome, second.outcome, second.reused_connection) == (Outcome.OK, Outcome.OK, True)
        assert names == ["localhost"]


async def test_tls_with_an_unknown_authority(authority: trustme.CA) -> None:
    async with serving(plays(*GOOD), server_context(authority, "localhost")) as server:
        result = await ask(server.url, SLOW)
        assert result.outcome is Outcome.CONNECTION
        assert "TLS certificate not accepted" in result.error
        await until(lambda: server.open == 0)


async def test_tls_with_another_name(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    async with serving(plays(*GOOD), server_context(authority, "other.example")) as server:
        result = await ask(server.url, SLOW)
        assert result.outcome is Outcome.CONNECTION
        assert "TLS certificate not accepted" in result.error


async def test_tls_to_a_server_that_speaks_plain_http() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(100)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    async with serving(script) as server:
        result = await ask(server.url.replace("http:", "https:"), SLOW)
        assert result.outcome is Outcome.CONNECTION
        assert "does not speak TLS" in result.error


async def test_tls_with_a_certificate_of_yesterday(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = [datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 2001)]
    authority.issue_cert("localhost", not_before=past[0], not_after=past[1]).configure_cert(context)
    async with serving(plays(*GOOD), context) as server:
        result = await ask(server.url, SLOW)
        assert result.outcome is Outcome.CONNECTION
        assert "certificate has expired" in result.error


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "reset before it was ready"),
        (b"\x16\x03\x03\x00\x7a\x02\x00", "reset before it was ready"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS handshake failed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak TLS"),
    ],
    ids=["nothing", "half a hello", "alert", "ssh"],
)
async def test_tls_handshakes_that_are_cut(sent: bytes, said: str, loop_unharmed: None) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1000)
        await peer.send(sent)

    async with serving(script) as server, LlmClient(timeouts=SLOW) as client:
        result = await client.complete(at(server.url.replace("http:", "https:")), ASK)
        assert result.outcome is Outcome.CONNECTION
        assert said in result.error
        assert client.transport.open_connections == 0  # type: ignore[attr-defined]
        await until(lambda: server.open == 0)


async def test_tls_that_is_cut_in_the_middle_of_an_answer(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*GOOD[:2])
        peer.writer.transport.abort()

    async with serving(script, server_context(authority, "localhost")) as server:
        result = await ask(server.url, SLOW)
        assert result.outcome in (Outcome.PROTOCOL, Outcome.CONNECTION)
        assert (result.chunks, result.content) == (1, "x")


# Answers that are not HTTP


@pytest.mark.parametrize(
    "answered",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
    ids=["ssh", "chunk size", "chunk overflow", "two framings", "upgrade", "long header"],
)
async def test_what_is_not_http_is_a_protocol_error(answered: bytes) -> None:
    async with serving(plays_and_stalls(answered)) as server:
        assert (await ask(server.url, SLOW)).outcome is Outcome.PROTOCOL
        await until(lambda: server.open == 0)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: ",
    ],
    ids=["header", "chunk extension", "trailer"],
)
async def test_framing_without_end_is_refused_early(start: bytes) -> None:
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(start)
        while sent < 100_000_000:
            await peer.send(b"a" * 65536)
            sent += 65536

    async with serving(script) as server:
        assert (await ask(server.url, SLOW)).outcome is Outcome.PROTOCOL
        await until(lambda: server.open == 0)
        assert sent < 20_000_000


async def test_interim_answers_are_skipped() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with serving(plays(interim + b"".join(GOOD))) as server:
        assert (await ask(server.url, SLOW)).outcome is Outcome.OK


async def test_interim_answers_without_end_are_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    async with serving(script) as server:
        assert (await ask(server.url, SLOW)).outcome is Outcome.PROTOCOL


async def test_an_answer_that_is_compressed_all_the_same_is_malformed() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    async with serving(plays(head + b"\x1f\x8b\x08\x00")) as server:
        assert (await ask(server.url, SLOW)).outcome is Outcome.PROTOCOL


# Secrets and friendly errors


async def test_the_key_is_in_no_error_of_any_kind(authority: trustme.CA) -> None:
    async with serving(plays(answer(401, {"error": {"message": "bad key sk-canary-0123456789"}}))) as server:
        urls = [server.url, server.url.replace("http", "https"), "http://no-such-host.invalid"]
        for url in urls:
            result = await ask(url, QUICK)
            assert result.outcome is not Outcome.OK
            assert "canary" not in repr(result)
        async with LlmClient(timeouts=SLOW) as client:
            with pytest.raises(ConsoleError) as caught:
                await client.list_models(at(server.url))
            assert "canary" not in "".join(caught.value.lines())


@pytest.mark.parametrize(
    "answered", [answer(404, b"no"), answer(200, b"<html>"), answer(200, {"data": [1]}), b"x\r\n"]
)
async def test_a_list_of_models_that_is_none_is_a_friendly_error(answered: bytes) -> None:
    async with serving(plays_and_stalls(answered)) as server, LlmClient(timeouts=SLOW) as client:
        with pytest.raises(ConsoleError) as caught:
            await client.list_models(at(server.url))
        assert caught.value.hint


async def test_a_list_of_models_that_does_not_come_is_a_friendly_error() -> None:
    async with serving(plays_and_stalls()) as server, LlmClient(timeouts=QUICK) as client:
        with pytest.raises(ConsoleError):
            await client.list_models(at(server.url))
