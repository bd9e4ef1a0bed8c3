"""What a server may answer, byte by byte over a socket, and what becomes of it."""

from __future__ import annotations

import json

import pytest
from scripted_server import (
    DONE,
    STREAM_HEAD,
    answer,
    chunked,
    delta,
    event,
    plays,
    plays_and_stalls,
    plays_once,
    serving,
    stream,
)

from console.llm.client import LlmClient
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts, ToolCall
from console.vocabulary.outcome import Outcome
from console.vocabulary.secret import Secret

pytestmark = pytest.mark.anyio
ASK = ChatRequest(messages=({"role": "user", "content": "hi"},))
KEY = "sk-canary-0123456789"
TIMEOUTS = Timeouts(connect=2, first_token=2, idle=2, total=5)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """One loop is enough here: what differs between loops is held elsewhere."""
    return ("asyncio", {"use_uvloop": True})


async def ask(*parts: bytes, once: bool = False, request: ChatRequest = ASK) -> ChatResult:
    script = plays_once(*parts) if once else plays(*parts)
    async with serving(script) as server, LlmClient(timeouts=TIMEOUTS) as client:
        endpoint = Endpoint(
            api="openai", base_url=f"{server.url}/v1", deployment="m", secret=Secret(KEY, "env:K")
        )
        return await client.complete(endpoint, request)


def usage(prompt: int, completion: int, **more: object) -> bytes:
    return event(choices=[], usage={"prompt_tokens": prompt, "completion_tokens": completion, **more})


async def test_a_common_stream() -> None:
    result = await ask(
        *stream(
            delta(role="assistant", content=""),
            delta(content="Hel"),
            delta(content="lo"),
            delta(finish="stop"),
            usage(9, 2, completion_tokens_details={"reasoning_tokens": 1}, prompt_tokens_details={"cached_tokens": 4}),
            DONE,
        )
    )  # fmt: skip
    assert (result.outcome, result.status, result.error) == (Outcome.OK, 200, "")
    assert (result.content, result.reasoning, result.tool_calls) == ("Hello", "", ())
    assert (result.chunks, len(result.chunk_gaps_ns), result.finish_reason) == (2, 1, "stop")
    assert (result.prompt_tokens, result.completion_tokens) == (9, 2)
    assert (result.reasoning_tokens, result.cached_tokens) == (1, 4)
    assert result.response_model == "m-1"
    stamps = result.stamps
    order = [
        stamps.connect_start_ns, stamps.connected_ns, stamps.sent_ns, stamps.headers_ns, stamps.first_byte_ns,
        stamps.first_content_ns, stamps.last_content_ns, stamps.end_ns,
    ]  # fmt: skip
    assert None not in order
    assert order == sorted(order)
    assert stamps.first_output_ns == stamps.first_content_ns
    assert result.chunk_gaps_ns == (stamps.last_content_ns - stamps.first_content_ns,)
    assert not result.reused_connection
    assert not result.simulated


async def test_role_only_and_empty_choices_chunks_are_not_content() -> None:
    filters = event(choices=[], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}])
    result = await ask(*stream(filters, delta(role="assistant"), delta(content="x", finish="stop"), DONE))
    assert (result.outcome, result.chunks, result.content) == (Outcome.OK, 1, "x")
    assert result.stamps.first_content_ns > result.stamps.first_byte_ns
    assert result.stamps.last_content_ns == result.stamps.first_content_ns


async def test_late_usage_and_finish_chunks_are_not_in_the_latency() -> None:
    result = await ask(*stream(delta(content="x"), delta(finish="length"), usage(1, 1), DONE))
    assert (result.outcome, result.completion_tokens, result.finish_reason) == (Outcome.OK, 1, "length")
    assert result.stamps.last_content_ns < result.stamps.end_ns
    assert result.chunk_gaps_ns == ()


async def test_reasoning_then_content_and_both_names_of_it() -> None:
    for name in ("reasoning_content", "reasoning"):
        result = await ask(
            *stream(delta(**{name: "th"}), delta(**{name: "ink"}), delta(content="so", finish="stop"), DONE)
        )
        assert (result.reasoning, result.content, result.chunks) == ("think", "so", 3)
        assert result.stamps.first_output_ns > result.stamps.first_content_ns


async def test_tool_calls_only_assembled_by_index() -> None:
    def tool(index: int | None, **fields: object) -> bytes:
        return delta(tool_calls=[{"index": index, **fields}])

    result = await ask(
        *stream(
            tool(0, id="a", type="function", function={"name": "read", "arguments": ""}),
            tool(0, function={"arguments": '{"p":'}),
            tool(1, id="b", function={"name": "write", "arguments": "{}"}),
            tool(0, function={"arguments": "1}"}),
            delta(finish="tool_calls"),
            DONE,
        )
    )
    assert result.tool_calls == (ToolCall("a", "read", '{"p":1}'), ToolCall("b", "write", "{}"))
    assert (result.chunks, result.content, result.finish_reason) == (4, "", "tool_calls")
    assert result.stamps.first_output_ns == result.stamps.first_content_ns


async def test_tool_calls_that_are_all_numbered_0_or_not_at_all_are_told_apart_by_id() -> None:
    for index in (0, None):
        parts = [
            delta(tool_calls=[{"index": index, "id": name, "function": {"name": name, "arguments": "{}"}}])
            for name in ("a", "b")
        ]
        more = delta(tool_calls=[{"index": index, "function": {"arguments": " "}}], finish="tool_calls")
        result = await ask(*stream(*parts, more, DONE))
        assert result.tool_calls == (ToolCall("a", "a", "{}"), ToolCall("b", "b", "{} "))


async def test_refusal_is_what_the_model_said() -> None:
    result = await ask(*stream(delta(refusal="I will not"), delta(finish="stop"), DONE))
    assert (result.outcome, result.content, result.chunks) == (Outcome.OK, "I will not", 1)


async def test_crlf_comments_names_and_several_data_lines() -> None:
    body = (
        b": hello\r\n\r\nid: 1\r\nevent: message\r\nretry: 10\r\n"
        b'data: {"choices":[{"index":0,\r\ndata: "delta":{"content":"a"}}]}\r\n\r\n'
        b'data:{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\r\n\r\n'
    )
    result = await ask(*stream(body))
    assert (result.outcome, result.content) == (Outcome.OK, "a")


async def test_a_stream_cut_into_single_bytes_mid_utf8_and_mid_chunk_line() -> None:
    whole = b"".join(stream(delta(content="é漢🎉"), delta(finish="stop"), DONE))
    result = await ask(*(whole[i : i + 1] for i in range(len(whole))))
    assert (result.outcome, result.content, result.chunks) == (Outcome.OK, "é漢🎉", 1)


async def test_many_events_in_one_read_share_its_time() -> None:
    result = await ask(b"".join(stream(*(delta(content="x") for _ in range(5)), delta(finish="stop"), DONE)))
    assert result.chunk_gaps_ns == (0, 0, 0, 0)


async def test_a_line_of_200_kb() -> None:
    result = await ask(*stream(delta(content="y" * 200_000, finish="stop"), DONE))
    assert (result.outcome, len(result.content)) == (Outcome.OK, 200_000)


async def test_a_one_token_answer_in_one_read() -> None:
    result = await ask(b"".join(stream(delta(content="1", finish="stop"), usage(1, 1), DONE)))
    assert (result.outcome, result.chunks, result.chunk_gaps_ns, result.completion_tokens) == (
        Outcome.OK,
        1,
        (),
        1,
    )


async def test_without_done_but_with_a_finish_reason_it_is_complete() -> None:
    result = await ask(*stream(delta(content="x"), delta(finish="stop")))
    assert result.outcome is Outcome.OK


async def test_without_done_and_finish_reason_it_is_truncated() -> None:
    result = await ask(*stream(delta(content="x"), delta(content="y")))
    assert (result.outcome, result.status, result.content) == (Outcome.PROTOCOL, 200, "xy")
    assert "[DONE]" in result.error


async def test_with_done_but_no_finish_reason_it_is_complete() -> None:
    assert (await ask(*stream(delta(content="x"), DONE))).outcome is Outcome.OK


async def test_the_last_event_may_lack_its_blank_line() -> None:
    last = delta(content="y", finish="stop").rstrip(b"\n")
    result = await ask(*stream(delta(content="x"), last))
    assert (result.outcome, result.content) == (Outcome.OK, "xy")


async def test_no_choices_at_all_is_malformed() -> None:
    for body in (stream(DONE), stream(usage(1, 0), DONE), stream(), [answer(200, {"object": "x"})]):
        assert (await ask(*body)).outcome is Outcome.PROTOCOL


async def test_an_answer_without_text_is_still_an_answer() -> None:
    result = await ask(*stream(delta(role="assistant", content=""), delta(finish="stop"), DONE))
    assert (result.outcome, result.chunks, result.stamps.first_content_ns) == (Outcome.OK, 0, None)


async def test_a_stream_that_ends_with_the_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    result = await ask(head, delta(content="x", finish="stop") + DONE, once=True)
    assert (result.outcome, result.content) == (Outcome.OK, "x")
    cut = await ask(head, delta(content="x"), once=True)
    assert cut.outcome is Outcome.PROTOCOL


async def test_a_chunked_stream_cut_by_a_closed_connection() -> None:
    cut = await ask(*stream(delta(content="x"), end=b""), once=True)
    assert (cut.outcome, cut.content, cut.chunks) == (Outcome.PROTOCOL, "x", 1)
    complete = await ask(*stream(delta(content="x", finish="stop"), end=b""), once=True)
    assert complete.outcome is Outcome.OK


async def test_an_error_event_inside_a_200() -> None:
    error = event(
        error={"message": f"Rate limit reached for {KEY}", "type": "tokens", "code": "rate_limit_exceeded"}
    )
    result = await ask(*stream(delta(content="x"), error, DONE))
    assert (result.outcome, result.status, result.error_code) == (
        Outcome.RATE_LIMITED,
        200,
        "rate_limit_exceeded",
    )
    assert result.content == "x"
    assert "canary" not in result.error
    named = await ask(*stream(b'event: error\ndata: {"message":"boom"}\n\n'))
    assert (named.outcome, "boom" in named.error) == (Outcome.SERVER_ERROR, True)


async def test_an_error_document_with_status_200() -> None:
    result = await ask(answer(200, {"error": {"message": "overloaded", "code": 503}}))
    assert (result.outcome, result.status) == (Outcome.OVERLOADED, 200)


async def test_garbage_instead_of_json() -> None:
    for garbage in (b"data: {nope\n\n", b"data: []\n\n", b"data: 1\n\n", b'data: {"choices": 3}\n\n'):
        result = await ask(*stream(delta(content="x"), garbage, DONE))
        assert (result.outcome, result.content) == (Outcome.PROTOCOL, "x")
    assert (await ask(answer(200, b"<html>hi</html>"))).outcome is Outcome.PROTOCOL
    assert (await ask(answer(200, b"[" * 100_000))).outcome is Outcome.PROTOCOL


async def test_bent_forms_are_understood() -> None:
    parts = event(model=3, choices=[{"delta": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}])
    call = {"id": 7, "function": {"name": "f", "arguments": {"k": 1}}}
    tool = event(choices=[{"index": None, "delta": {"tool_calls": [call]}, "finish_reason": "stop"}])
    counts = event(choices=[], usage={"prompt_tokens": 3.0, "completion_tokens": "many"})
    result = await ask(*stream(parts, tool, counts, DONE))
    assert (result.outcome, result.content) == (Outcome.OK, "ab")
    assert result.tool_calls == (ToolCall("7", "f", '{"k":1}'),)
    assert result.prompt_tokens is None


async def test_the_content_filter_that_cuts_an_answer() -> None:
    result = await ask(*stream(delta(content="x"), delta(finish="content_filter"), DONE))
    assert result.outcome is Outcome.CONTENT_FILTER


async def test_an_answer_that_is_not_streamed() -> None:
    message = {"role": "assistant", "content": "hey", "reasoning_content": "hm", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
    body = {"model": "m-2", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4}}  # fmt: skip
    request = ChatRequest(messages=ASK.messages, stream=False)
    for asked in (request, ASK):  # some servers do not stream although they are asked to
        result = await ask(answer(200, body), request=asked)
        assert (result.outcome, result.content, result.reasoning) == (Outcome.OK, "hey", "hm")
        assert result.tool_calls == (ToolCall("a", "f", "{}"),)
        assert (result.prompt_tokens, result.completion_tokens, result.chunks) == (3, 4, 0)
        assert result.stamps.first_content_ns is None
        assert result.stamps.last_content_ns == result.stamps.end_ns


async def test_without_keeping_content_shape_and_times_are_the_same() -> None:
    request = ChatRequest(messages=ASK.messages, keep_content=False)
    result = await ask(*stream(delta(content="x"), delta(content="y", finish="stop"), DONE), request=request)
    assert (result.outcome, result.content, result.chunks, len(result.chunk_gaps_ns)) == (
        Outcome.OK,
        "",
        2,
        1,
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Retry-After: 3"], 3.0),
        (["retry-after-ms: 1500", "Retry-After: 9"], 1.5),
        (["Retry-After: Sat, 21 Nov 2026 00:00:10 GMT", "Date: Sat, 21 Nov 2026 00:00:00 GMT"], 10.0),
        ([], None),
    ],
)
async def test_429_in_all_its_forms(headers: list[str], expected: float | None) -> None:
    body = {"error": {"message": f"slow down, {KEY}", "code": "rate_limit_exceeded"}}
    rates = ["x-ratelimit-limit-requests: 60", "X-RateLimit-Remaining-Requests: 0", "x-request-id: r-1"]
    result = await ask(answer(429, body, *headers, *rates))
    assert (result.outcome, result.status, result.retry_after_s) == (Outcome.RATE_LIMITED, 429, expected)
    assert (result.error, result.error_code) == ("HTTP 429: slow down, [key]", "rate_limit_exceeded")
    assert result.rate_headers == {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"}
    assert result.request_id == "r-1"


async def test_a_throttle_that_says_400() -> None:
    result = await ask(answer(400, {"code": "MPE-429", "message": "provider rate limit"}))
    assert (result.outcome, result.status, result.error_code) == (Outcome.RATE_LIMITED, 400, "MPE-429")


async def test_an_error_page_that_never_ends_is_cut() -> None:
    head = b"HTTP/1.1 500 X\r\nContent-Length: 1000000000\r\n\r\n"
    result = await ask(head + b"x" * 100_000)
    assert (result.outcome, result.status) == (Outcome.SERVER_ERROR, 500)


async def test_an_error_body_that_stalls_is_still_that_error() -> None:
    head = b"HTTP/1.1 429 X\r\nContent-Length: 100\r\n\r\n{"
    async with serving(plays_and_stalls(head)) as server:
        async with LlmClient(timeouts=Timeouts(connect=2, first_token=0.1, idle=0.1, total=2)) as client:
            endpoint = Endpoint(api="openai", base_url=server.url, deployment="m")
            assert (await client.complete(endpoint, ASK)).outcome is Outcome.RATE_LIMITED


async def test_the_simulator_and_the_preferred_request_id_are_recognised() -> None:
    extra = "x-ultra-console-simulated: 1\r\napim-request-id: b\r\nx-request-id: a\r\n\r\n"
    head = STREAM_HEAD[:-2] + extra.encode()
    result = await ask(head, chunked(delta(content="x", finish="stop") + DONE) + b"0\r\n\r\n")
    assert (result.simulated, result.request_id) == (True, "a")


async def test_what_is_on_the_wire() -> None:
    async with serving(plays(*stream(delta(content="x", finish="stop"), DONE))) as server:
        async with LlmClient(timeouts=TIMEOUTS) as client:
            endpoint = Endpoint(
                api="azure", base_url=server.url, deployment="d 1", secret=Secret(KEY, "env:K")
            )
            first = await client.complete(endpoint, ASK)
            second = await client.complete(endpoint, ASK)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(
            b"POST /openai/deployments/d%201/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
        )
        assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in head
        assert f"api-key: {KEY}".encode() in head
        assert json.loads(body)["stream"] is True
        assert (first.reused_connection, second.reused_connection, server.accepted) == (False, True, 1)
        assert second.stamps.connect_start_ns is None


async def test_a_message_that_json_cannot_carry_is_a_bad_request() -> None:
    result = await ask(request=ChatRequest(messages=({"role": "user", "content": "\ud800"},)))
    assert (result.outcome, result.stamps.sent_ns) == (Outcome.BAD_REQUEST, None)


async def test_models_are_listed() -> None:
    async with serving(plays(answer(200, {"data": [{"id": "b"}, {"id": "a", "x": 1}]}))) as server:
        async with LlmClient(timeouts=TIMEOUTS) as client:
            endpoint = Endpoint(api="openai", base_url=f"{server.url}/v1", deployment="m")
            assert await client.list_models(endpoint) == ("a", "b")
        assert server.requests[0].startswith(b"GET /v1/models HTTP/1.1\r\n")
