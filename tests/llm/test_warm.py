"""Connecting ahead of a request, and telling when it was really sent."""

from __future__ import annotations

import anyio
import pytest
from one_request import ASK, QUICK, at
from scripted_server import DONE, delta, plays, serving, stream, until

from console.llm.client import LlmClient
from console.llm.transport import Transport
from console.vocabulary.outcome import Outcome

pytestmark = pytest.mark.anyio


class Told:
    """A departure that may be at once, and remembers when it was told."""

    def __init__(self) -> None:
        self.times_ns: list[int] = []

    def wait_ns(self, now_ns: int) -> int:
        return 0

    def claim(self, now_ns: int) -> int:
        return 0

    def sent(self, sent_ns: int) -> None:
        self.times_ns.append(sent_ns)


FINE = stream(delta(content="fine"), delta(finish="stop"), DONE)


async def test_a_request_after_warming_finds_a_connection_and_its_sending_is_told() -> None:
    async with serving(plays(*FINE)) as server, LlmClient(timeouts=QUICK) as client:
        endpoint = at(f"{server.url}/v1")
        await client.warm(endpoint)
        await client.warm(endpoint)
        told = Told()
        result = await client.complete(endpoint, ASK, told)
        assert (result.outcome, result.reused_connection, server.accepted) == (Outcome.OK, True, 1)
        assert told.times_ns == [result.stamps.sent_ns]


async def test_a_server_that_is_not_there_is_told_of_by_the_request_only() -> None:
    async with serving(plays(*FINE)) as server:
        url = f"{server.url}/v1"
    async with LlmClient(timeouts=QUICK) as client:
        await client.warm(at(url))
        told = Told()
        result = await client.complete(at(url), ASK, told)
        assert (result.outcome, told.times_ns) == (Outcome.CONNECTION, [])


async def test_of_many_who_warm_at_once_a_few_connect() -> None:
    async with serving(plays(*FINE)) as server, LlmClient(timeouts=QUICK) as client:
        transport = client.transport
        assert isinstance(transport, Transport)
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(client.warm, at(f"{server.url}/v1"))
        assert transport.idle_connections == transport.open_connections == 16
        await until(lambda: server.accepted == 16)
