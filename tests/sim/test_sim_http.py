"""The HTTP server over real sockets, asked with httpx as any client would."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from console.sim.config import SimConfig
from console.sim.http_server import SimulatorServer, serve
from console.sim.provider import key_label
from console.vocabulary.errors import ConsoleError
from console.vocabulary.names import SIMULATED_HEADER
from console.vocabulary.simulated import SimBehaviour

pytestmark = pytest.mark.anyio

FAST = {"ttft_ms": 1.0, "itl_ms": 0.0, "output_tokens": 8}
HELLO = [{"role": "user", "content": "Say hello"}]
AZURE_PATH = "/openai/deployments/gpt/chat/completions"
VERSION = {"api-version": "2024-12-01-preview"}


def config(log: bool = False, **settings: Any) -> SimConfig:
    return SimConfig(providers={"lab": SimBehaviour(**(FAST | settings))}, log=log)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as made:
        yield made


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": HELLO} | fields


def events_of(text: str) -> list[dict[str, Any]]:
    blocks = text.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-2]]


async def chat(client: httpx.AsyncClient, server: SimulatorServer, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", None)
    return await client.post(server.url("lab") + "/chat/completions", json=body(**fields), headers=headers)


async def test_a_whole_answer_and_a_stream_say_the_same(client: httpx.AsyncClient):
    async with serve(config()) as server:
        whole = await chat(client, server)
        stream = await chat(client, server, stream=True, stream_options={"include_usage": True})
    answer = whole.json()
    events = events_of(stream.text)
    assert whole.headers[SIMULATED_HEADER] == stream.headers[SIMULATED_HEADER] == "1"
    assert stream.headers["content-type"] == "text/event-stream"
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    words = [event["choices"][0]["delta"].get("content", "") for event in events[1:-1]]
    assert "".join(words) == answer["choices"][0]["message"]["content"]
    assert [event["choices"][0]["finish_reason"] for event in events[-2:-1]] == ["stop"]
    assert events[-1]["choices"] == []
    assert events[-1]["usage"] == answer["usage"]
    assert answer["usage"]["completion_tokens"] == len([word for word in words if word])
    assert answer["usage"]["prompt_tokens"] == 2
    assert all(event["usage"] is None for event in events[:-1])


async def test_without_include_usage_there_is_no_usage(client: httpx.AsyncClient):
    async with serve(config()) as server:
        stream = await chat(client, server, stream=True)
    assert "usage" not in stream.text


async def test_ignore_eos_gives_exactly_max_tokens(client: httpx.AsyncClient):
    async with serve(config()) as server:
        answer = (await chat(client, server, max_tokens=33, ignore_eos=True)).json()
        other = (await chat(client, server, max_completion_tokens=3)).json()
    assert (answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]) == (33, "length")
    assert other["usage"]["completion_tokens"] == 3


async def test_tool_calls_and_reasoning_of_a_player_are_sent_in_both_forms(client: httpx.AsyncClient):
    from console.sim.answers import Answer
    from console.vocabulary.chat import ToolCall

    arguments = '{"path": "ä \\"quoted\\".txt", "lines": 12}'

    class Caller:
        def answer(self, **_: Any) -> Answer:
            calls = (ToolCall("call_1", "file_reader", arguments), ToolCall("call_2", "empty", ""))
            return Answer(reasoning="let me see", tool_calls=calls, finish_reason="tool_calls")

    async with serve(config(), player=Caller()) as server:
        whole = (await chat(client, server)).json()["choices"][0]
        events = events_of((await chat(client, server, stream=True)).text)
    assert whole["finish_reason"] == "tool_calls"
    assert whole["message"]["content"] is None
    assert whole["message"]["reasoning_content"] == "let me see"
    assert whole["message"]["tool_calls"][0] == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "file_reader", "arguments": arguments},
    }
    deltas = [event["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "let me see"
    parts = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert [part["id"] for part in parts if "id" in part] == ["call_1", "call_2"]
    first = [part["function"]["arguments"] for part in parts if part["index"] == 0]
    assert "".join(first) == arguments
    assert len(first) > 3


async def test_models_are_listed(client: httpx.AsyncClient):
    async with serve(config(models=("a", "b"), keys=("right",))) as server:
        url = server.url("lab") + "/models"
        listed = await client.get(url, headers={"authorization": "Bearer right"})
        assert (await client.get(url)).status_code == 401
    assert [model["id"] for model in listed.json()["data"]] == ["a", "b"]


async def test_azure_has_its_path_its_key_header_and_its_first_chunk(client: httpx.AsyncClient):
    both = {"azure": SimBehaviour(dialect="azure", keys=("right",), **FAST), "lab": SimBehaviour(**FAST)}
    async with serve(SimConfig(providers=both)) as server:
        assert server.url("azure") == f"http://127.0.0.1:{server.port}/azure"
        url = server.url("azure") + AZURE_PATH
        key = {"api-key": "right"}
        stream = await client.post(url, params=VERSION, headers=key, json={"messages": HELLO, "stream": True})
        whole = await client.post(url, params=VERSION, headers=key, json={"messages": HELLO})
        unversioned = await client.post(url, headers=key, json={"messages": HELLO})
        refused = await client.post(
            url, params=VERSION, headers={"api-key": "wrong"}, json={"messages": HELLO}
        )
        other = await client.post(server.url("lab") + "/chat/completions", json=body())
        rootless = await client.post(f"http://127.0.0.1:{server.port}/v1/chat/completions", json=body())
    events = events_of(stream.text)
    assert events[0]["choices"] == []
    assert "prompt_filter_results" in events[0]
    assert events[1]["choices"][0]["delta"]["role"] == "assistant"
    assert whole.json()["model"] == "gpt"
    assert "apim-request-id" in whole.headers
    assert (unversioned.status_code, unversioned.json()["error"]["code"]) == (404, "404")
    assert refused.status_code == 401
    assert (other.status_code, rootless.status_code) == (200, 404)


async def test_a_single_azure_provider_is_at_the_root_even_if_named_openai(client: httpx.AsyncClient):
    async with serve(SimConfig(providers={"openai": SimBehaviour(dialect="azure", **FAST)})) as server:
        root = f"http://127.0.0.1:{server.port}"
        for url in (root + AZURE_PATH, root + "/openai" + AZURE_PATH):
            assert (await client.post(url, params=VERSION, json={"messages": HELLO})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/v1/chat/completions", b'{"model": "m", "messages"', 400),
        ("POST", "/v1/chat/completions", b'{"model": "m", "messages": []}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "m", "messages": "hi"}', 400),
        ("POST", "/v1/chat/completions", b'{"messages": [{"role": "user", "content": "hi"}]}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "m", "max_tokens": 0, "messages": [{}]}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "m", "max_tokens": 1e12, "messages": [{}]}', 400),
        ("POST", "/v1/chat/completions", b"[" * 100_000, 400),
        ("POST", "/v1/chat/completions", b"\xff\xfe", 400),
        ("POST", "/v1/completions", b"{}", 404),
        ("GET", "/", b"", 404),
        ("GET", "/v1/chat/completions", b"", 405),
        ("DELETE", "/v1/models", b"", 405),
    ],
)
async def test_wrong_requests_get_a_json_error_and_the_connection_lives(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, status: int
):
    async with serve(config()) as server:
        answer = await client.request(method, f"http://127.0.0.1:{server.port}{path}", content=content)
        assert (await chat(client, server)).status_code == 200
        stats = server.stats()
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert answer.headers[SIMULATED_HEADER] == "1"
    assert (stats.refused, stats.connections_made) == (1, 1)


async def test_quotas_are_answered_with_status_and_headers(client: httpx.AsyncClient):
    async with serve(config(key_rpm=0.01, retry_after="ms")) as server:
        first = await chat(client, server, headers={"authorization": "Bearer k"})
        second = await chat(client, server, headers={"authorization": "Bearer k"})
        other = await chat(client, server, headers={"authorization": "Bearer j"})
        stats = server.stats().providers["lab"]
    assert (first.status_code, second.status_code, other.status_code) == (200, 429, 200)
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    assert 0 < int(second.headers["retry-after-ms"]) <= 6_000_000
    assert second.json()["error"]["code"] == "rate_limit_exceeded"
    assert set(stats.keys) == {key_label("k"), key_label("j")}
    assert stats.outcomes == {"ok": 2, "rate_limited": 1}


@pytest.mark.parametrize(
    ("settings", "admitted", "status"), [({"key_concurrency": 3}, 3, 429), ({"slots": 2, "queue": 3}, 5, 503)]
)
async def test_what_is_in_flight_never_passes_the_limit(
    client: httpx.AsyncClient, settings: dict[str, int], admitted: int, status: int
):
    statuses: list[int] = []
    async with serve(config(ttft_ms=60_000.0, log=True, **settings)) as server:
        async with anyio.create_task_group() as tasks:

            async def one() -> None:
                statuses.append((await chat(client, server)).status_code)
                if len(statuses) == 10 - admitted:
                    tasks.cancel_scope.cancel()

            for _ in range(10):
                tasks.start_soon(one)
        stats = server.stats().providers["lab"]
        arrivals = [arrival.status for arrival in server.log.arrivals]
    assert statuses == [status] * (10 - admitted)
    assert sorted(arrivals) == [200] * admitted + statuses
    assert (stats.peak, stats.keys["-"].peak) == (admitted, admitted)
    if "slots" in settings:
        assert (stats.deployments["m"].peak_serving, stats.deployments["m"].peak_waiting) == (2, 3)


async def test_errors_and_cuts_come_as_they_do_from_a_failing_server(client: httpx.AsyncClient):
    async with serve(config(error_rate=1.0)) as server:
        assert (await chat(client, server)).status_code == 500
    async with serve(config(cut_rate=1.0, log=True)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await chat(client, server, stream=True)
        assert (await chat(client, server)).status_code == 200
        assert server.stats().providers["lab"].outcomes == {"cut": 1, "ok": 1}


async def test_many_streams_at_once_all_end(client: httpx.AsyncClient):
    finished: list[int] = []
    async with serve(config(ttft_ms=20.0, itl_ms=2.0, itl_spread=0.5)) as server:

        async def one(number: int) -> None:
            text = await _raw_stream(server.port, body(stream=True, max_tokens=20, ignore_eos=True))
            finished.append(number)
            assert text.count(b'"content":"') == 21
            assert text.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")

        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(one, number)
        stats = server.stats().providers["lab"]
    assert len(finished) == 200
    assert stats.tokens_sent == 4000
    assert (stats.in_flight, stats.outcomes) == (0, {"ok": 200})


async def _raw_stream(port: int, request: dict[str, Any]) -> bytes:
    content = json.dumps(request).encode()
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (len(content), content)
        )
        parts: list[bytes] = [part async for part in stream]
    return b"".join(parts)


async def test_the_log_holds_when_each_token_was_sent(client: httpx.AsyncClient):
    behaviour = {"ttft_ms": 30.0, "ttft_spread": 0.0, "itl_ms": 5.0, "itl_spread": 0.0}
    async with serve(config(**behaviour, log=True)) as server:
        await chat(client, server, stream=True, max_tokens=6, ignore_eos=True)
        root = f"http://127.0.0.1:{server.port}"
        told = (await client.get(root + "/__log")).json()
        stats = (await client.get(root + "/__stats")).json()
    (arrival,) = told["arrivals"]
    (delivery,) = told["deliveries"]
    assert (arrival["deployment"], arrival["status"], delivery["ended"]) == ("m", 200, "ok")
    assert arrival["request_id"] == delivery["request_id"]
    assert len(delivery["sent_ns"]) == 6
    assert delivery["sent_ns"] == sorted(delivery["sent_ns"])
    # Never earlier than asked, but for the grain of the timers.
    assert delivery["sent_ns"][0] - arrival["at_ns"] >= 29_000_000
    assert delivery["sent_ns"][-1] - arrival["at_ns"] >= 54_000_000
    assert stats["providers"]["lab"]["deployments"]["m"]["requests"] == 1


async def test_a_port_in_use_is_said_in_words():
    async with serve(config()) as server:
        with pytest.raises(ConsoleError, match=f"port {server.port} is in use"):
            async with serve(config(), port=server.port):
                pass


async def test_a_host_that_is_not_ours_is_said_in_words():
    with pytest.raises(ConsoleError, match=r"cannot listen on 192\.0\.2\.1"):
        async with serve(config(), host="192.0.2.1"):
            pass


async def test_it_says_what_it_serves_and_has_waiting_as_model_servers_do(client: httpx.AsyncClient):
    async with serve(config(ttft_ms=60_000.0, slots=2)) as server:
        root = server.url("lab").removesuffix("/lab/v1").removesuffix("/v1")
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lambda: chat(client, server, stream=True, model='odd "m"'))
            with anyio.fail_after(10):
                while True:
                    page = await client.get(root + "/metrics")
                    if 'waiting{engine="lab",model_name="odd \\"m\\""} 3' in page.text:
                        break
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()
    assert page.headers["content-type"].startswith("text/plain")
    assert page.headers[SIMULATED_HEADER] == "1"
    assert 'vllm:num_requests_running{engine="lab",model_name="odd \\"m\\""} 2' in page.text
    assert page.text.startswith("# SIMULATED")
