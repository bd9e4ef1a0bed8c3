"""Many hundreds of connections to a server without manners: classified, once each, and nothing is left behind."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter

import anyio
import pytest
from one_request import SLOW, at
from rough_server import MOVES, RoughServer, rough
from scripted_server import STREAM_HEAD, Peer, chunked, delta, serving, until

from console.llm.client import LlmClient
from console.llm.transport import Transport
from console.vocabulary.chat import ChatRequest, ChatResult, Timeouts
from console.vocabulary.outcome import Outcome

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_left", "no_socket_left", "loop_unharmed")]
NUMBERS = itertools.count()


def numbered() -> ChatRequest:
    """A request that the server can tell from all others."""
    message = {"role": "user", "content": f"{next(NUMBERS)}"}
    return ChatRequest(messages=(message,))


def check(result: ChatResult) -> None:
    """An answer is whole, or it is not ok and says why."""
    assert result.outcome in (Outcome.OK, Outcome.CONNECTION, Outcome.PROTOCOL), result
    assert (result.outcome is Outcome.OK) == (result.finish_reason == "stop"), result
    assert (result.outcome is Outcome.OK) != bool(result.error)
    assert "Errno" not in result.error
    assert result.stamps.end_ns is not None


async def load(server: RoughServer, count: int, at_once: int) -> Counter[Outcome]:
    outcomes: Counter[Outcome] = Counter()
    transport = Transport()
    async with LlmClient(timeouts=SLOW, transport=transport) as client:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                result = await client.complete(at(server.url), numbered())
                check(result)
                outcomes[result.outcome] += 1

        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(worker)
        assert transport.open_connections == transport.idle_connections
    assert transport.open_connections == 0
    assert outcomes.total() == count
    assert max(server.asked.values()) <= 2
    await until(lambda: server.open == 0)
    return outcomes


@pytest.mark.parametrize("at_once", [1, 20])
@pytest.mark.parametrize("move", ["serve and close", *(move for move in MOVES if "next" in move)])
async def test_a_connection_that_dies_between_two_requests_costs_no_request(move: str, at_once: int) -> None:
    async with rough(move) as server:
        assert await load(server, 150, at_once) == {Outcome.OK: 150}
        assert server.accepted >= 25


async def test_resets_at_any_moment_are_lost_connections_at_worst() -> None:
    async with rough("serve and reset") as server:
        outcomes = await load(server, 300, 20)
        assert set(outcomes) <= {Outcome.OK, Outcome.CONNECTION}
        assert outcomes[Outcome.OK] > 240


async def test_a_server_that_does_all_of_it_at_random() -> None:
    async with rough() as server:
        outcomes = await load(server, 700, 20)
        assert outcomes[Outcome.OK] > 350
        assert outcomes[Outcome.PROTOCOL] > 10


async def test_hundreds_of_connects_and_disconnects() -> None:
    async with rough("announce the close") as server:
        assert await load(server, 500, 10) == {Outcome.OK: 500}
        assert server.accepted == 500


async def test_cancelling_at_any_turn_of_the_loop_leaves_nothing() -> None:
    transport = Transport()
    cancelled = 0
    async with rough("serve", "serve and close", "pieces") as server:
        async with LlmClient(timeouts=SLOW, transport=transport) as client:
            for turns in itertools.chain(range(60), range(60)):
                task = asyncio.ensure_future(client.complete(at(server.url), numbered()))
                for _ in range(turns // 2):
                    await asyncio.sleep(0)
                task.cancel()
                try:
                    check(await task)
                except asyncio.CancelledError:
                    cancelled += 1
                await until(lambda: transport.open_connections == transport.idle_connections)
        assert cancelled > 10
        await until(lambda: server.open == 0)


async def close_in_the_middle(seed: int, after_s: float) -> None:
    transport = Transport()
    async with rough(seed=seed) as server:
        client = LlmClient(timeouts=SLOW, transport=transport)
        results: list[ChatResult] = []

        async def worker() -> None:
            while not results or "client was closed" not in results[-1].error:
                results.append(await client.complete(at(server.url), numbered()))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(worker)
            await asyncio.sleep(after_s)
            await client.aclose()
            accepted = server.accepted
        for result in results:
            check(result)
        assert transport.open_connections == 0
        after = await client.complete(at(server.url), numbered())
        assert (after.outcome, after.error) == (Outcome.CONNECTION, "the client was closed")
        await until(lambda: server.open == 0)
        assert server.accepted <= accepted + 5  # dials that were under way
        assert max(server.asked.values(), default=1) <= 2


async def test_closing_the_client_in_the_middle_of_it_all() -> None:
    dice = random.Random(7)
    for _ in range(20):
        await close_in_the_middle(dice.randrange(1000), dice.choice([0, 0.001, 0.002, 0.004]))


async def test_each_limit_of_time_holds_under_load() -> None:
    """A hundred requests at once, each stuck in one place: the outcome is that place's."""

    async def script(peer: Peer) -> None:
        asked = await peer.request()
        number = int(asked.rpartition(b'"content":"')[2].partition(b'"')[0])
        if number % 4 >= 1:
            await peer.send(STREAM_HEAD)
        if number % 4 == 2:
            await peer.send(chunked(delta(content="x")))
        while number % 4 == 3:
            await peer.send(chunked(delta(content="x")))
            await asyncio.sleep(0.05)
        await peer.gone()

    kinds = [
        Outcome.TIMEOUT_FIRST_TOKEN,
        Outcome.TIMEOUT_FIRST_TOKEN,
        Outcome.TIMEOUT_IDLE,
        Outcome.TIMEOUT_TOTAL,
    ]
    transport = Transport()
    timeouts = Timeouts(connect=3, first_token=0.5, idle=0.5, total=1.2)
    async with serving(script) as server, LlmClient(timeouts=timeouts, transport=transport) as client:

        async def one(number: int) -> None:
            request = ChatRequest(messages=({"role": "user", "content": f"{number}"},))
            result = await client.complete(at(server.url), request)
            assert result.outcome is kinds[number % 4], (number, result)

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(one, number)
        await until(lambda: transport.open_connections == 0)


@pytest.mark.slow
async def test_ten_thousand_of_each() -> None:
    for move in ("serve and close", "close at the next request", "reset in the middle of the next request"):
        async with rough(move) as server:
            assert await load(server, 10_000, 10) == {Outcome.OK: 10_000}
    async with rough() as server:
        assert (await load(server, 10_000, 20))[Outcome.PROTOCOL] > 25
