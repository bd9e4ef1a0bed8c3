"""Each limit of time has an outcome of its own."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from one_request import WHOLE, ask
from scripted_server import (
    DONE,
    STREAM_HEAD,
    Peer,
    answer,
    chunked,
    delta,
    plays_and_stalls,
    serving,
    stream,
    until,
)

from console.vocabulary.chat import Timeouts
from console.vocabulary.outcome import Outcome

pytestmark = pytest.mark.anyio


async def test_no_answer_at_all_is_a_first_token_timeout(nothing_left: None) -> None:
    async with serving(plays_and_stalls()) as server:
        result = await ask(server.url)
        assert (result.outcome, result.status) == (Outcome.TIMEOUT_FIRST_TOKEN, None)
        assert result.stamps.end_ns >= result.stamps.sent_ns
        await until(lambda: server.open == 0)


async def test_role_chunk_and_then_silence_is_a_first_token_timeout() -> None:
    async with serving(plays_and_stalls(*stream(delta(role="assistant"), end=b""))) as server:
        assert (await ask(server.url)).outcome is Outcome.TIMEOUT_FIRST_TOKEN


async def test_keep_alive_comments_do_not_put_the_first_token_off() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD)
        while True:
            await peer.send(chunked(b": ping\n\n"))
            await asyncio.sleep(0.01)

    async with serving(script) as server:
        assert (await ask(server.url)).outcome is Outcome.TIMEOUT_FIRST_TOKEN


async def test_a_stall_mid_stream_is_an_idle_timeout() -> None:
    async with serving(plays_and_stalls(*stream(delta(content="ab"), end=b""))) as server:
        result = await ask(server.url)
        assert (result.outcome, result.content, result.chunks) == (Outcome.TIMEOUT_IDLE, "ab", 1)
        await until(lambda: server.open == 0)


async def test_an_idle_limit_below_the_first_token_limit_is_kept() -> None:
    timeouts = Timeouts(connect=1, first_token=30, idle=0.1, total=60)
    async with serving(plays_and_stalls(*stream(delta(content="ab"), end=b""))) as server:
        with anyio.fail_after(5):
            assert (await ask(server.url, timeouts)).outcome is Outcome.TIMEOUT_IDLE


async def test_an_answer_that_drips_for_ever_is_a_total_timeout() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD)
        while True:
            await peer.send(chunked(delta(content="x")))
            await asyncio.sleep(0.01)

    async with serving(script) as server:
        result = await ask(server.url, Timeouts(connect=1, first_token=1, idle=1, total=0.2))
        assert result.outcome is Outcome.TIMEOUT_TOTAL
        assert result.chunks > 0


async def test_one_byte_at_a_time_is_bounded_by_the_total() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for byte in answer(200, {"choices": []}):
            await peer.send(bytes([byte]))
            await asyncio.sleep(0.02)

    async with serving(script) as server:
        result = await ask(server.url, Timeouts(connect=1, first_token=9, idle=9, total=0.2), WHOLE)
        assert result.outcome is Outcome.TIMEOUT_TOTAL


async def test_a_whole_answer_has_no_first_token_limit() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await asyncio.sleep(0.1)
        await peer.send(answer(200, {"choices": [{"message": {"content": "late"}, "finish_reason": "stop"}]}))

    async with serving(script) as server:
        result = await ask(server.url, Timeouts(connect=1, first_token=0.02, idle=1, total=3), WHOLE)
        assert (result.outcome, result.content) == (Outcome.OK, "late")


async def test_a_server_that_lingers_after_done_has_answered_all_the_same() -> None:
    body = stream(delta(content="x", finish="stop"), DONE, end=b"")
    async with serving(plays_and_stalls(*body)) as server:
        result = await ask(server.url)
        assert (result.outcome, result.content) == (Outcome.OK, "x")
        await until(lambda: server.open == 0)


async def test_a_peer_that_does_not_shake_hands_is_a_connect_timeout() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async with serving(script) as server:
        result = await ask(server.url.replace("http:", "https:"))
        assert (result.outcome, result.stamps.sent_ns) == (Outcome.TIMEOUT_CONNECT, None)
        assert result.stamps.connect_start_ns is not None
        await until(lambda: server.open == 0)
