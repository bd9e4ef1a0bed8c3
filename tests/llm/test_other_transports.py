"""The client over transports that are not ours, on loops that are not asyncio's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import httpx
import pytest
import trio
import trio.testing
from scripted_server import DONE, delta, plays, serving, stream

from console.llm.client import LlmClient
from console.llm.transport import Transport
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts
from console.vocabulary.outcome import Outcome

ASK = ChatRequest(messages=({"role": "user", "content": "hi"},))
ENDPOINT = Endpoint(api="openai", base_url="http://sim/v1", deployment="m")
SSE = {"content-type": "text/event-stream", "x-ultra-console-simulated": "1"}


class Script(httpx.AsyncByteStream):
    """Pieces with a pause in seconds before each; a negative pause breaks the connection."""

    def __init__(self, *pieces: tuple[float, bytes]) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for pause, piece in self.pieces:
            if pause < 0:
                raise httpx.ReadError("gone")
            await anyio.sleep(pause)
            yield piece

    async def aclose(self) -> None:
        self.closed = True


def on_virtual_time(script: Script, timeouts: Timeouts, *, before: float = 0) -> tuple[ChatResult, float]:
    """Run one request on trio's MockClock; return the result and the virtual seconds it took."""

    async def respond(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(before)
        return httpx.Response(200, headers=SSE, stream=script)

    async def main() -> tuple[ChatResult, float]:
        transport = httpx.MockTransport(respond)
        async with LlmClient(
            timeouts=timeouts, transport=transport, now_ns=lambda: int(trio.current_time() * 1e9)
        ) as c:
            start = trio.current_time()
            return await c.complete(ENDPOINT, ASK), trio.current_time() - start

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_virtual_time_gives_exact_stamps() -> None:
    script = Script(
        (1, delta(role="assistant")),
        (2, delta(content="a")),
        (0.5, delta(content="b", finish="stop")),
        (1, DONE),
    )
    result, took = on_virtual_time(script, Timeouts())
    stamps = result.stamps
    assert (result.outcome, result.content, result.simulated, took) == (Outcome.OK, "ab", True, 4.5)
    assert stamps.first_content_ns - stamps.sent_ns == 3_000_000_000
    assert stamps.last_content_ns - stamps.sent_ns == 3_500_000_000
    assert result.chunk_gaps_ns == (500_000_000,)
    assert script.closed


@pytest.mark.parametrize(
    ("script", "before", "expected", "took"),
    [
        (Script((99, b"")), 0, Outcome.TIMEOUT_FIRST_TOKEN, 60),
        (Script(), 99, Outcome.TIMEOUT_FIRST_TOKEN, 60),
        (Script((1, delta(content="a")), (99, b"")), 0, Outcome.TIMEOUT_IDLE, 31),
        (Script(*[(29, delta(content="a"))] * 20), 0, Outcome.TIMEOUT_TOTAL, 300),
        (Script((1, delta(content="a")), (-1, b"")), 0, Outcome.CONNECTION, 1),
        (Script((1, delta(content="a"))), 0, Outcome.PROTOCOL, 1),
        (Script((1, b"data: {\n\n")), 0, Outcome.PROTOCOL, 1),
        (Script((1, delta(content="a", finish="stop")), (99, b"")), 0, Outcome.OK, 31),
    ],
)
def test_outcomes_and_their_virtual_times(
    script: Script, before: float, expected: Outcome, took: float
) -> None:
    result, seconds = on_virtual_time(script, Timeouts(), before=before)
    assert (result.outcome, seconds) == (expected, took)
    assert script.closed or before


def test_httpx_errors_of_another_transport_are_classified() -> None:
    async def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async def main() -> ChatResult:
        async with LlmClient(timeouts=Timeouts(), transport=httpx.MockTransport(refuse)) as client:
            return await client.complete(ENDPOINT, ASK)

    assert trio.run(main).outcome is Outcome.CONNECTION


def test_cancellation_closes_the_response_of_another_transport() -> None:
    script = Script((99, b""))

    async def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=SSE, stream=script)

    async def main() -> bool:
        async with LlmClient(timeouts=Timeouts(), transport=httpx.MockTransport(respond)) as client:
            with anyio.move_on_after(1) as scope:
                await client.complete(ENDPOINT, ASK)
            return scope.cancelled_caught

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert script.closed


class Wrapped(httpx.AsyncBaseTransport):
    """Ours behind another's face: the pulled way over real sockets."""

    def __init__(self) -> None:
        self.inner = Transport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


@pytest.mark.anyio
async def test_the_pulled_way_over_sockets_has_all_the_stamps() -> None:
    body = stream(delta(content="a"), delta(content="b"), delta(finish="stop"), DONE)
    async with serving(plays(*body)) as server, LlmClient(timeouts=Timeouts(), transport=Wrapped()) as client:
        endpoint = Endpoint(api="openai", base_url=server.url, deployment="m")
        first = await client.complete(endpoint, ASK)
        second = await client.complete(endpoint, ASK)
        assert (first.outcome, first.content, second.content) == (Outcome.OK, "ab", "ab")
        assert (first.reused_connection, second.reused_connection) == (False, True)
        assert first.stamps.connect_start_ns <= first.stamps.connected_ns <= first.stamps.sent_ns
        assert second.stamps.connect_start_ns is None
