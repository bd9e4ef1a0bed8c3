"""Pooled connections, cancellations, and nothing left behind."""

from __future__ import annotations

import asyncio
import random

import anyio
import pytest
from one_request import ASK, GOOD, SLOW, WHOLE, ask, at
from scripted_server import (
    Peer,
    answer,
    plays,
    plays_and_stalls,
    serving,
    until,
)

from console.llm.client import LlmClient
from console.llm.transport import Transport
from console.vocabulary.chat import ChatResult
from console.vocabulary.outcome import Outcome

pytestmark = pytest.mark.anyio


async def test_a_stale_pooled_connection_is_replaced_once_unseen() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*GOOD)
        if peer.number == 1:
            await peer.reader.readuntil(b"\r\n")  # the next request arrives, and is met by a closed door
            peer.reset()
        else:
            await peer.gone()

    async with serving(script) as server, LlmClient(timeouts=SLOW) as client:
        first = await client.complete(at(server.url), ASK)
        second = await client.complete(at(server.url), ASK)
        assert (first.outcome, second.outcome) == (Outcome.OK, Outcome.OK)
        assert (second.reused_connection, server.accepted) == (False, 2)
        assert second.stamps.sent_ns > second.stamps.connected_ns


async def test_a_fresh_connection_is_not_tried_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()

    async with serving(script) as server:
        await ask(server.url, SLOW)
        assert server.accepted == 1


async def test_a_pooled_connection_that_dies_after_a_first_byte_is_not_tried_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*GOOD)
        await peer.request()
        await peer.send(b"HTTP/1.1")

    async with serving(script) as server, LlmClient(timeouts=SLOW) as client:
        await client.complete(at(server.url), ASK)
        assert (await client.complete(at(server.url), ASK)).outcome is Outcome.PROTOCOL
        assert server.accepted == 1


@pytest.mark.parametrize(
    "answered",
    [
        answer(200, {"choices": [{"message": {"content": "x"}}]}, "Connection: close"),
        answer(200, {"choices": [{"message": {"content": "x"}}]}).replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer(200, {"choices": [{"message": {"content": "x"}}]}) + b"surplus",
    ],
    ids=["connection: close", "http/1.0", "surplus bytes"],
)
async def test_a_connection_that_may_not_serve_again_is_closed(answered: bytes) -> None:
    async with serving(plays_and_stalls(answered)) as server, LlmClient(timeouts=SLOW) as client:
        for _ in range(2):
            assert (await client.complete(at(server.url), WHOLE)).outcome is Outcome.OK
        assert server.accepted == 2
        await until(lambda: server.open == 0)


async def test_bytes_on_an_idle_connection_close_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*GOOD)
        await asyncio.sleep(0.01)
        await peer.send(b"HTTP/1.1 408 X\r\n\r\n")
        await peer.gone()

    transport = Transport()
    async with serving(script) as server, LlmClient(timeouts=SLOW, transport=transport) as client:
        await client.complete(at(server.url), ASK)
        await until(lambda: transport.open_connections == 0)


async def test_idle_connections_expire() -> None:
    transport = Transport(idle_expiry_s=0.05)
    async with serving(plays(*GOOD)) as server, LlmClient(timeouts=SLOW, transport=transport) as client:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(client.complete, at(server.url), ASK)
        await until(lambda: transport.open_connections == 0 and server.open == 0)
        assert transport.idle_connections == 0


async def test_the_newest_idle_connection_serves_first() -> None:
    transport = Transport()
    async with serving(plays(*GOOD)) as server, LlmClient(timeouts=SLOW, transport=transport) as client:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(client.complete, at(server.url), ASK)
        for _ in range(8):
            assert (await client.complete(at(server.url), ASK)).reused_connection
        assert server.accepted == 4


# Cancellation and leaks


@pytest.mark.parametrize("parts", [[], GOOD[:1], GOOD[:2]], ids=["before", "headers", "content"])
async def test_cancelling_closes_the_connection(parts: list[bytes], nothing_left: None) -> None:
    transport = Transport()
    async with (
        serving(plays_and_stalls(*parts)) as server,
        LlmClient(timeouts=SLOW, transport=transport) as client,
    ):
        with anyio.move_on_after(0.05) as scope:
            await client.complete(at(server.url), ASK)
        assert scope.cancelled_caught
        await until(lambda: transport.open_connections == 0 and server.open == 0)


async def test_cancelling_while_connecting(nothing_left: None) -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    transport = Transport()
    async with serving(script) as server, LlmClient(timeouts=SLOW, transport=transport) as client:
        with anyio.move_on_after(0.05) as scope:
            await client.complete(at(server.url.replace("http:", "https:")), ASK)
        assert scope.cancelled_caught
        await until(lambda: transport.open_connections == 0 and server.open == 0)


async def test_hundreds_of_random_cancellations_leak_nothing(nothing_left: None) -> None:
    dice = random.Random(7)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            for part in GOOD:
                await peer.send(part)
                await asyncio.sleep(dice.choice([0, 0, 0.001, 0.003]))

    transport = Transport()
    outcomes: list[Outcome] = []

    async def one(client: LlmClient, url: str) -> None:
        for _ in range(6):
            with anyio.move_on_after(dice.choice([0, 0.001, 0.002, 0.005, 0.01, 1])):
                outcomes.append((await client.complete(at(url), ASK)).outcome)

    async with serving(script) as server:
        async with LlmClient(timeouts=SLOW, transport=transport) as client:
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(one, client, server.url)
            await until(lambda: transport.open_connections == transport.idle_connections)
            assert (await client.complete(at(server.url), ASK)).outcome is Outcome.OK
        assert transport.open_connections == 0
        assert set(outcomes) == {Outcome.OK}
        assert len(outcomes) < 300
        await until(lambda: server.open == 0)


async def test_closing_the_client_ends_what_is_in_flight(nothing_left: None) -> None:
    results: list[ChatResult] = []
    async with serving(plays_and_stalls()) as server:
        client = LlmClient(timeouts=SLOW)

        async def one() -> None:
            results.append(await client.complete(at(server.url), ASK))

        async with anyio.create_task_group() as group:
            group.start_soon(one)
            await until(lambda: len(server.requests) == 1)
            await client.aclose()
        assert results[0].outcome is Outcome.CONNECTION
