"""The same question in process and over HTTP, through the product's own client, has the same result."""

from __future__ import annotations

import time
from typing import Any

import pytest

from console.llm.client import LlmClient
from console.sim.answers import Answer
from console.sim.config import SimConfig
from console.sim.http_server import serve
from console.sim.in_process import InProcessClient
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts, ToolCall
from console.vocabulary.outcome import Outcome
from console.vocabulary.secret import Secret
from console.vocabulary.simulated import SimBehaviour

pytestmark = pytest.mark.anyio

QUICK = {"ttft_ms": 1.0, "itl_ms": 0.5, "output_tokens": 6}
SHORT = Timeouts(connect=5, first_token=0.3, idle=0.3, total=5)
ALIKE = (
    "outcome",
    "status",
    "error_code",
    "content",
    "reasoning",
    "tool_calls",
    "finish_reason",
    "chunks",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "response_model",
    "request_id",
    "simulated",
)


class Caller:
    def answer(self, **_: Any) -> Answer:
        calls = (ToolCall("c1", "file_reader", '{"path": "ä.txt"}'),)
        return Answer(reasoning="two words", text="and text", tool_calls=calls, finish_reason="tool_calls")


async def both(
    request: ChatRequest, *, key: str | None = None, player: Any = None, **settings: Any
) -> tuple[ChatResult, ChatResult]:
    behaviour = SimBehaviour(**(QUICK | settings))
    config = SimConfig(seed=5, providers={"lab": behaviour})
    secret = Secret(key, "test") if key else None

    def endpoint(base_url: str) -> Endpoint:
        return Endpoint(
            api=behaviour.dialect,
            base_url=base_url,
            deployment="m",
            api_version="2024-12-01-preview",
            secret=secret,
        )

    in_process = InProcessClient(config, now_ns=time.perf_counter_ns, timeouts=SHORT, player=player)
    inside = await in_process.complete(endpoint("sim://lab"), request)
    async with serve(config, player=player) as server:
        client = LlmClient(timeouts=SHORT)
        outside = await client.complete(endpoint(server.url("lab")), request)
        await client.aclose()
    return inside, outside


def asked(**fields: Any) -> ChatRequest:
    return ChatRequest(messages=({"role": "user", "content": "Say hello, ä"},), **fields)


@pytest.mark.parametrize(
    ("fields", "settings", "outcome"),
    [
        ({}, {}, Outcome.OK),
        ({"stream": False}, {}, Outcome.OK),
        ({"max_tokens": 3}, {}, Outcome.OK),
        ({"max_tokens": 30, "ignore_eos": True}, {}, Outcome.OK),
        ({"keep_content": False}, {"player": Caller()}, Outcome.OK),
        ({}, {"player": Caller()}, Outcome.OK),
        ({"stream": False}, {"player": Caller()}, Outcome.OK),
        ({}, {"player": Caller(), "dialect": "azure", "key": "k"}, Outcome.OK),
        ({"stream": False}, {"dialect": "azure"}, Outcome.OK),
        ({}, {"keys": ("right",), "key": "wrong"}, Outcome.AUTH),
        ({}, {"keys": ("right",), "key": "wrong", "throttle": "400"}, Outcome.AUTH),
        ({}, {"keys": ("right",), "key": "right"}, Outcome.OK),
        ({}, {"models": ("other",)}, Outcome.BAD_REQUEST),
        ({}, {"error_rate": 1.0}, Outcome.SERVER_ERROR),
        ({}, {"deployment_tpm": 2.0}, Outcome.RATE_LIMITED),
        ({}, {"deployment_tpm": 2.0, "throttle": "400"}, Outcome.RATE_LIMITED),
        ({}, {"deployment_tpm": 2.0, "dialect": "azure", "retry_after": "ms"}, Outcome.RATE_LIMITED),
        ({}, {"ttft_ms": 60_000.0}, Outcome.TIMEOUT_FIRST_TOKEN),
        ({}, {"itl_ms": 60_000.0}, Outcome.TIMEOUT_IDLE),
        ({"max_tokens": 8, "ignore_eos": True}, {"cut_rate": 1.0}, Outcome.PROTOCOL),
    ],
)
async def test_in_process_and_over_http_are_alike(
    fields: dict[str, Any], settings: dict[str, Any], outcome: Outcome
):
    inside, outside = await both(asked(**fields), **settings)
    assert outside.outcome is outcome
    differing = {
        name: (getattr(inside, name), getattr(outside, name))
        for name in ALIKE
        if getattr(inside, name) != getattr(outside, name)
    }
    assert differing == {}
    assert bool(inside.error) == bool(outside.error)
    assert set(inside.rate_headers) == set(outside.rate_headers)
    assert (inside.retry_after_s is None) == (outside.retry_after_s is None)
    for name in (
        "headers_ns",
        "first_byte_ns",
        "first_content_ns",
        "first_output_ns",
        "last_content_ns",
        "end_ns",
    ):
        assert (getattr(inside.stamps, name) is None) == (getattr(outside.stamps, name) is None), name
