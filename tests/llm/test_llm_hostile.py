"""Answers made to do harm: each is an outcome, bounded and without the key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import DONE, answer, delta, event, plays, serving, stream, until
from seeds import examples

from console.llm.chunks import MAX_COUNT, FunctionDelta, ToolDelta
from console.llm.classify import classify_error_object, classify_response
from console.llm.client import LlmClient
from console.llm.tools import MAX_CALLS, ToolAssembly
from console.llm.transport import Transport
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts
from console.vocabulary.outcome import Outcome
from console.vocabulary.secret import Secret

KEY = "sk-canary-0123456789abcdefghijklmn"
ASK = ChatRequest(messages=({"role": "user", "content": "hi"},))
WHOLE = ChatRequest(messages=ASK.messages, stream=False)
SLOW = Timeouts(connect=5, first_token=5, idle=5, total=10)
GOOD = stream(delta(content="x"), delta(finish="stop"), DONE)


def at(base_url: str, key: str = KEY) -> Endpoint:
    return Endpoint(api="openai", base_url=base_url, deployment="m", secret=Secret(key, "env:K"))


async def ask(*parts: bytes, request: ChatRequest = ASK, key: str = KEY) -> ChatResult:
    async with serving(plays(*parts)) as server, LlmClient(timeouts=SLOW) as client:
        return await client.complete(at(server.url, key), request)


def nested(depth: int, opening: bytes = b"[", inner: bytes = b'"x"', closing: bytes = b"]") -> bytes:
    return opening * depth + inner + closing * depth


def document(**message: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


# Nesting


@pytest.mark.anyio
@pytest.mark.parametrize("depth", [50, 300, 600, 900, 5000])
@pytest.mark.parametrize(
    "around",
    [
        b'{"choices":[{"message":{"content":%s},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":[{"text":%s}]},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"tool_calls":[{"id":%s,"function":{"arguments":%s}}]}}]}',
        b'{"choices":%s}',
        b'{"error":{"message":%s}}',
        b'{"error":%s}',
    ],
)
async def test_deep_nesting_ends_a_request_and_not_the_run(depth: int, around: bytes) -> None:
    body = around.replace(b"%s", nested(depth))
    for parts in ([answer(200, body)], stream(b"data: " + body + b"\n\n", DONE), [answer(400, body)]):
        result = await ask(*parts)
        assert result.outcome is not Outcome.CONNECTION
        assert "could not be read" not in result.error  # the case itself is handled, not only the backstop


@pytest.mark.anyio
@pytest.mark.parametrize("depth", [50, 300, 600, 900, 5000])
async def test_errors_within_errors_are_still_an_error(depth: int) -> None:
    body = nested(depth, b'{"error":', b'"deep"', b"}")
    for parts in ([answer(200, body)], stream(b"data: " + body + b"\n\n"), [answer(500, body)]):
        assert (await ask(*parts)).outcome in (Outcome.SERVER_ERROR, Outcome.PROTOCOL)


def test_text_of_parts_within_parts_is_not_dropped_silently() -> None:
    async def check() -> None:
        result = await ask(answer(200, document(content=[["a"], [{"text": ["b"]}]])), request=WHOLE)
        assert (result.outcome, result.content) == (Outcome.OK, "ab")
        body = b'{"choices":[{"message":{"content":%s},"finish_reason":"stop"}]}' % nested(20)
        assert (await ask(answer(200, body), request=WHOLE)).outcome is Outcome.PROTOCOL

    asyncio.run(check())


def test_codes_that_only_look_like_numbers_are_codes() -> None:
    for code in ("²", "٤٢٩", 10**30, "9" * 5000):
        assert classify_error_object({"message": "x", "code": code}).outcome is Outcome.SERVER_ERROR


# Anything at all

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["stop", "content_filter", "²", "429", KEY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "type", "index", "id", "function", "name", "arguments", "error", "code", "message"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """An answer that is right but for one or two places, where anything stands."""
    call: dict[str, Any] = {"index": 0, "function": {"name": "f"}}
    usage: dict[str, Any] = {"prompt_tokens": 1}
    part: dict[str, Any] = {"content": "x", "tool_calls": [call]}
    choice: dict[str, Any] = {"index": 0, "delta": part, "message": part, "finish_reason": "stop"}
    whole: dict[str, Any] = {"model": "m", "choices": [choice], "usage": usage}
    for _ in range(draw(st.integers(1, 2))):
        place, name = draw(
            st.sampled_from(
                [
                    *((part, name) for name in ("content", "reasoning", "refusal", "tool_calls")),
                    (call, "function"),
                    (call, "index"),
                    *((choice, name) for name in ("index", "delta", "message", "finish_reason")),
                    *((whole, name) for name in ("model", "choices", "usage", "error")),
                    (usage, "completion_tokens"),
                    (usage, "completion_tokens_details"),
                ]
            )
        )
        place[name] = draw(JSON)
    return whole


@settings(max_examples=examples(80), deadline=None)
@given(whole=answers(), streamed=st.booleans(), status=st.sampled_from([200, 200, 400, 500]))
def test_no_json_makes_complete_raise(whole: dict[str, Any], streamed: bool, status: int) -> None:
    body = json.dumps(whole).encode()
    kind = "text/event-stream" if streamed else "application/json"
    sent = b"data: " + body + b"\n\n" + DONE if streamed else body

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=sent, headers={"content-type": kind})

    async def check() -> ChatResult:
        async with LlmClient(timeouts=SLOW, transport=httpx.MockTransport(respond)) as client:
            return await client.complete(at("http://127.0.0.1:9/v1"), ASK)

    result = anyio.run(check)
    assert "could not be read" not in result.error  # what is known to come is not left to the backstop
    assert "canary" not in repr(result)
    for count in (result.prompt_tokens, result.completion_tokens, result.reasoning_tokens):
        assert count is None or 0 <= count <= MAX_COUNT


@pytest.mark.anyio
async def test_what_nobody_foresaw_is_an_outcome_and_leaves_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise KeyError(KEY)

    async with serving(plays(*GOOD)) as server, LlmClient(timeouts=SLOW) as client:
        transport = client.transport
        assert isinstance(transport, Transport)
        for place in (
            "console.llm.client.result_of",
            "console.llm.stream.AnswerReader.head",
            "console.llm.stream.AnswerReader.body",
            "console.llm.stream.AnswerReader.sent",
        ):
            with monkeypatch.context() as patch:
                patch.setattr(place, broken)
                result = await client.complete(at(server.url), ASK)
            assert result.outcome is Outcome.PROTOCOL, place
            assert result.error == "the answer could not be read (KeyError)"
            assert result.stamps.end_ns is not None
            await until(lambda: transport.open_connections == transport.idle_connections)
        assert (await client.complete(at(server.url), ASK)).outcome is Outcome.OK


@pytest.mark.anyio
async def test_a_cancellation_is_not_made_an_outcome() -> None:
    async def stalled(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async with LlmClient(timeouts=SLOW, transport=httpx.MockTransport(stalled)) as client:
        task = asyncio.ensure_future(client.complete(at("http://127.0.0.1:9/v1"), ASK))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# Secrets


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_key_that_is_echoed_in_an_answer_is_nowhere_in_the_result(streamed: bool) -> None:
    call = {"index": 0, "id": KEY, "function": {"name": KEY, "arguments": f'{{"k": "{KEY}"}}'}}
    said = {"content": f"your key is {KEY}!", "reasoning": KEY, "tool_calls": [call]}
    form = "delta" if streamed else "message"
    body = {"model": KEY, "choices": [{"index": 0, form: said, "finish_reason": KEY}]}
    extra = f"x-request-id: {KEY}\r\nx-ratelimit-a: {KEY}\r\nx-ratelimit-{KEY}: 1"
    if streamed:
        first, *rest = stream(event(**body), DONE)
        parts = [first[:-2] + extra.encode() + b"\r\n\r\n", *rest]
    else:
        parts = [answer(200, body, extra)]
    result = await ask(*parts, request=ASK if streamed else WHOLE)
    assert result.outcome is Outcome.OK
    assert "canary" not in repr(result)
    assert result.content == "your key is [key]!"
    assert result.tool_calls[0].arguments == '{"k": "[key]"}'
    assert (result.request_id, result.finish_reason, result.response_model) == ("[key]",) * 3


@pytest.mark.anyio
async def test_a_key_in_pieces_over_chunks_is_blotted_out() -> None:
    result = await ask(*stream(delta(content=KEY[:12]), delta(content=KEY[12:]), delta("stop"), DONE))
    assert result.content == "[key]"


@pytest.mark.anyio
@pytest.mark.parametrize("before", range(100, 320, 5))
async def test_no_half_of_a_key_is_left_where_a_malformed_answer_is_cut(before: int) -> None:
    bad = b"x" * before + KEY.encode()
    result = await ask(*stream(b"data: " + bad + b"\n\n"))
    assert result.outcome is Outcome.PROTOCOL
    assert "sk-" not in result.error
    assert len(result.error) <= 300


@pytest.mark.parametrize("before", [0, 170, 180, 195, 199, 200])
def test_no_half_of_a_key_is_left_where_a_code_is_cut(before: int) -> None:
    body = json.dumps({"error": {"message": "m", "code": "x" * before + KEY}}).encode()
    code = classify_response(400, [], body, secret_forms=(KEY,)).error_code
    assert code is not None
    assert "sk-" not in code
    assert len(code) <= 200


@pytest.mark.anyio
async def test_a_key_that_is_a_mere_word_does_not_spoil_what_the_model_wrote() -> None:
    result = await ask(*stream(delta(content="next x"), delta("stop"), DONE), key="x")
    assert result.content == "next x"


# Bounds


@pytest.mark.anyio
@pytest.mark.parametrize(
    "count", [2**53 + 1, 2**63, 2**64, 10**30, -1, 1e300, 1e18, -0.5, "99999999999999999999"]
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_counts_that_cannot_be_are_none_and_spoil_no_other(count: object, streamed: bool) -> None:
    usage = {
        "prompt_tokens": count,
        "completion_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": count},
        "prompt_tokens_details": {"cached_tokens": count},
    }
    body = document(content="x") | {"usage": usage}
    parts = stream(event(**body), DONE) if streamed else [answer(200, body)]
    result = await ask(*parts, request=ASK if streamed else WHOLE)
    assert result.outcome is Outcome.OK
    assert (result.prompt_tokens, result.reasoning_tokens, result.cached_tokens) == (None, None, None)
    assert result.completion_tokens == 7


@pytest.mark.anyio
async def test_what_is_in_every_row_is_short() -> None:
    body = document(content="x") | {"model": "m" * 6_000_000}
    body["choices"][0]["finish_reason"] = "f" * 6_000_000
    rates = [f"x-ratelimit-{number}: {'r' * 300}" for number in range(100)]
    result = await ask(answer(200, body, f"x-request-id: {'i' * 5000}", *rates), request=WHOLE)
    assert result.outcome is Outcome.OK
    assert len(result.finish_reason or "") == 64
    assert len(result.response_model or "") == 200
    assert len(result.request_id or "") == 200
    assert len(result.rate_headers) == 32
    assert {len(value) for value in result.rate_headers.values()} == {200}


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [True, False])
async def test_tool_calls_without_end_are_a_protocol_error(streamed: bool) -> None:
    calls = [{"index": n, "id": f"c{n}", "function": {"name": "f"}} for n in range(20_000)]
    events = [delta(tool_calls=calls), delta("stop"), DONE]
    parts = stream(*events) if streamed else [answer(200, document(tool_calls=calls))]
    result = await ask(*parts, request=ASK if streamed else WHOLE)
    assert result.outcome is Outcome.PROTOCOL
    assert "256 tool calls" in result.error
    assert len(result.tool_calls) == MAX_CALLS


def test_tool_calls_go_on_by_index_and_begin_anew_with_another_id() -> None:
    calls = ToolAssembly()
    for index, name in ((0, "a"), (1, "b"), (0, ""), (0, "c"), (1, ""), (0, "")):
        assert calls.add(ToolDelta(index, name, FunctionDelta(None, f"{index}")))
    assert [(call.id, call.arguments) for call in calls.calls()] == [("a", "00"), ("b", "11"), ("c", "00")]


# Two answers at once


@pytest.mark.anyio
async def test_a_second_answer_in_the_same_segment_is_ignored_and_closes_the_connection() -> None:
    one = answer(200, document(content="first"))
    other = answer(200, document(content="second"))
    chunked_one = b"".join(stream(delta(content="first"), delta("stop"), DONE))
    for sent in (one + other, chunked_one + other, chunked_one + chunked_one, one + chunked_one):
        async with serving(plays(sent)) as server, LlmClient(timeouts=SLOW) as client:
            for _ in range(2):
                result = await client.complete(at(server.url), ASK)
                assert (result.outcome, result.content) == (Outcome.OK, "first")
                assert not result.reused_connection
            assert server.accepted == 2


@pytest.mark.anyio
async def test_events_behind_the_end_of_a_stream_are_ignored() -> None:
    late = delta(content="late")
    for done in (DONE, b"data:  [DONE] \n\n"):
        result = await ask(*stream(delta(content="x") + delta("stop") + done + late))
        assert (result.outcome, result.content) == (Outcome.OK, "x")


@pytest.mark.parametrize(
    "wrap", [lambda inner: {"error": inner}, lambda inner: [inner]], ids=["error", "list"]
)
def test_an_error_deeper_than_the_stack_is_classified(wrap: Callable[[object], object]) -> None:
    error: object = "deep"
    for _ in range(5000):
        error = wrap(error)
    assert classify_error_object(error).outcome is Outcome.SERVER_ERROR
