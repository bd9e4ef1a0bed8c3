"""The in-process client on trio's virtual clock: exact times, deadlines, slots and outcomes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import pytest
import trio
from trio.testing import MockClock

from console.sim.answers import Answer
from console.sim.config import SimConfig
from console.sim.in_process import InProcessClient
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts, ToolCall
from console.vocabulary.outcome import Outcome
from console.vocabulary.secret import Secret
from console.vocabulary.simulated import SimBehaviour

T = TypeVar("T")
MS = 1_000_000
EXACT = {"ttft_ms": 200.0, "ttft_spread": 0.0, "itl_ms": 10.0, "itl_spread": 0.0}
HELLO = ({"role": "user", "content": "Say hello"},)


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


def client(timeouts: Timeouts | None = None, player: Any = None, **settings: Any) -> InProcessClient:
    config = SimConfig(providers={"lab": SimBehaviour(**(EXACT | settings))})
    return InProcessClient(config, now_ns=now_ns, timeouts=timeouts, player=player)


def endpoint(key: str | None = None, base_url: str = "sim://lab") -> Endpoint:
    secret = Secret(key, "test") if key else None
    return Endpoint(api="openai", base_url=base_url, deployment="m", secret=secret)


def request(tokens: int = 5, **fields: Any) -> ChatRequest:
    return ChatRequest(messages=HELLO, max_tokens=tokens, ignore_eos=True, **fields)


def virtually(main: Callable[[], Awaitable[T]]) -> T:
    async def started_late() -> T:
        await trio.sleep(1)
        return await main()

    return trio.run(started_late, clock=MockClock(autojump_threshold=0))


async def together(
    made: InProcessClient, count: int, wanted: ChatRequest, key: str | None = None, apart_ms: float = 0
) -> list[ChatResult]:
    results: list[ChatResult] = []

    async def one(number: int) -> None:
        await anyio.sleep(number * apart_ms / 1000)
        results.append(await made.complete(endpoint(key), wanted))

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(one, number)
    return results


def test_times_are_exact_on_the_virtual_clock():
    result = virtually(lambda: client().complete(endpoint(), request(tokens=5)))
    stamps = result.stamps
    assert result.outcome is Outcome.OK
    assert stamps.sent_ns is not None
    since_sent = [
        None if at is None else at - stamps.sent_ns
        for at in (
            stamps.connect_start_ns,
            stamps.headers_ns,
            stamps.first_byte_ns,
            stamps.first_content_ns,
            stamps.first_output_ns,
            stamps.last_content_ns,
            stamps.end_ns,
        )
    ]
    assert since_sent == [None, 0, 0, 200 * MS, 200 * MS, 240 * MS, 240 * MS]
    assert result.chunk_gaps_ns == (10 * MS,) * 4
    assert (result.chunks, result.completion_tokens, result.prompt_tokens) == (5, 5, 2)
    assert (result.finish_reason, result.status, result.response_model) == ("length", 200, "m")
    assert len(result.content.split()) == 5
    assert result.simulated
    assert result.reused_connection


def test_a_whole_answer_comes_when_its_last_token_would():
    result = virtually(lambda: client().complete(endpoint(), request(tokens=5, stream=False)))
    assert result.stamps.first_content_ns is None
    assert result.stamps.last_content_ns == result.stamps.end_ns
    assert (result.stamps.end_ns or 0) - (result.stamps.sent_ns or 0) == 240 * MS
    assert (result.chunks, result.completion_tokens) == (0, 5)


def test_two_rehearsals_are_equal_to_the_nanosecond():
    async def rehearse() -> list[ChatResult]:
        made = client(ttft_spread=0.5, itl_spread=0.5, slots=3, load_factor=1.0, error_rate=0.2)
        return await together(made, 12, request(), apart_ms=7)  # trio shuffles what begins together

    first, second = virtually(rehearse), virtually(rehearse)
    assert sorted(repr(result) for result in first) == sorted(repr(result) for result in second)


def test_slots_make_requests_wait_in_order():
    async def main() -> list[int]:
        results = await together(client(slots=2), 6, request(tokens=1))
        return sorted((result.stamps.end_ns or 0) - (result.stamps.sent_ns or 0) for result in results)

    assert virtually(main) == [200 * MS, 200 * MS, 400 * MS, 400 * MS, 600 * MS, 600 * MS]


def test_load_makes_first_tokens_and_gaps_longer():
    async def main() -> list[ChatResult]:
        return await together(client(slots=2, load_factor=1.0), 2, request(tokens=2))

    ends = sorted((result.stamps.end_ns or 0) - (result.stamps.sent_ns or 0) for result in virtually(main))
    # The first began with half of the slots busy (× 1.5), the second with all (× 2).
    assert ends == [320 * MS, 415 * MS]


def test_refusals_have_their_class_code_and_wait():
    async def main() -> tuple[list[ChatResult], ChatResult, ChatResult]:
        made = client(key_concurrency=1, keys=("right",), retry_after="ms")
        return (
            await together(made, 2, request(), key="right"),
            await made.complete(endpoint("wrong"), request()),
            await made.complete(endpoint("right", base_url="sim://elsewhere"), request()),
        )

    (limited, served), unknown, elsewhere = virtually(main)
    assert (limited.outcome, limited.status, limited.error_code) == (
        Outcome.RATE_LIMITED,
        429,
        "rate_limit_exceeded",
    )
    assert limited.retry_after_s == 1.0
    assert served.outcome is Outcome.OK
    assert (unknown.outcome, unknown.status) == (Outcome.AUTH, 401)
    assert "wrong" not in repr(unknown)
    assert (elsewhere.outcome, elsewhere.status) == (Outcome.BAD_REQUEST, 404)


def test_quota_headers_are_handed_on():
    result = virtually(lambda: client(key_rpm=4).complete(endpoint(), request()))
    assert result.rate_headers["x-ratelimit-remaining-requests"] == "3"


@pytest.mark.parametrize(
    ("timeouts", "settings", "outcome", "after_ms", "chunks"),
    [
        (Timeouts(first_token=0.1), {}, Outcome.TIMEOUT_FIRST_TOKEN, 100, 0),
        (Timeouts(total=0.15), {}, Outcome.TIMEOUT_TOTAL, 150, 0),
        (Timeouts(idle=0.05), {"itl_ms": 60.0}, Outcome.TIMEOUT_IDLE, 250, 1),
        (Timeouts(total=0.5), {"itl_ms": 200.0}, Outcome.TIMEOUT_TOTAL, 500, 2),
    ],
)
def test_deadlines_of_the_client_hold(
    timeouts: Timeouts, settings: dict[str, float], outcome: Outcome, after_ms: int, chunks: int
):
    async def main() -> tuple[ChatResult, InProcessClient]:
        made = client(timeouts, slots=1, **settings)
        return await made.complete(endpoint(), request()), made

    result, made = virtually(main)
    assert (result.outcome, result.chunks) == (outcome, chunks)
    assert (result.stamps.end_ns or 0) - (result.stamps.sent_ns or 0) == after_ms * MS
    assert made.providers["lab"].in_flight == 0


def test_a_deadline_holds_while_waiting_for_a_slot():
    async def main() -> list[ChatResult]:
        return await together(client(Timeouts(first_token=0.3), slots=1), 3, request(tokens=1))

    outcomes = [result.outcome for result in virtually(main)]
    assert sorted(outcomes) == sorted([Outcome.OK, Outcome.TIMEOUT_FIRST_TOKEN, Outcome.TIMEOUT_FIRST_TOKEN])


def test_a_cut_stream_is_a_protocol_failure_without_an_end():
    result = virtually(lambda: client(cut_rate=1.0).complete(endpoint(), request(tokens=9)))
    assert result.outcome is Outcome.PROTOCOL
    assert 1 <= result.chunks <= 8
    assert (result.finish_reason, result.completion_tokens) == (None, None)


def test_cancellation_wins_and_frees_the_slot():
    async def main() -> InProcessClient:
        made = client(slots=1)
        with anyio.move_on_after(0.1) as scope:
            await together(made, 3, request())
        assert scope.cancelled_caught
        return made

    provider = virtually(main).providers["lab"]
    assert (provider.in_flight, provider.deployments["m"].serving) == (0, 0)
    assert not provider.deployments["m"].waiting
    assert provider.outcomes == {"cancelled": 3}


def test_a_player_may_reason_and_call_tools():
    class Caller:
        def answer(self, **_: Any) -> Answer:
            calls = (ToolCall("c1", "file_reader", '{"a": 1}'),)
            return Answer(reasoning="two words", tool_calls=calls, finish_reason="tool_calls")

    bare = ChatRequest(messages=HELLO, keep_content=False)
    result = virtually(lambda: client(player=Caller()).complete(endpoint(), bare))
    assert (result.content, result.reasoning, result.tool_calls) == ("", "", ())
    result = virtually(lambda: client(player=Caller()).complete(endpoint(), ChatRequest(messages=HELLO)))
    assert result.reasoning == "two words"
    assert result.tool_calls == (ToolCall("c1", "file_reader", '{"a": 1}'),)
    assert (result.reasoning_tokens, result.finish_reason) == (2, "tool_calls")
    stamps = result.stamps
    assert (stamps.first_output_ns or 0) - (stamps.first_content_ns or 0) == 20 * MS


@pytest.mark.anyio
async def test_it_runs_on_asyncio_too():
    import time

    config = SimConfig(providers={"lab": SimBehaviour(ttft_ms=1.0, itl_ms=0.0)})
    made = InProcessClient(config, now_ns=time.monotonic_ns)
    result = await made.complete(endpoint(), request())
    await made.aclose()
    assert result.outcome is Outcome.OK
