from __future__ import annotations

import json

import pytest

from console.llm.dialects import prepare, takes_new_token_field
from console.vocabulary.chat import ChatRequest, Endpoint
from console.vocabulary.errors import ConsoleError
from console.vocabulary.secret import Secret

SECRET = Secret("sk-canary-0123456789", "env:K")
ASK = ChatRequest(messages=({"role": "user", "content": "hé"},), max_tokens=5, temperature=0.0)


def openai(base: str = "https://h.example/v1", **kw: object) -> Endpoint:
    return Endpoint(api="openai", base_url=base, deployment="m/x", secret=SECRET, **kw)  # type: ignore[arg-type]


def azure(base: str = "https://h.openai.azure.com", **kw: object) -> Endpoint:
    fields = {"deployment": "DeepSeek V3/2", "secret": SECRET, **kw}
    return Endpoint(api="azure", base_url=base, **fields)  # type: ignore[arg-type]


def test_openai_form() -> None:
    ready = prepare(openai("https://h.example/v1/"))
    assert str(ready.url) == "https://h.example/v1/chat/completions"
    assert str(ready.models_url) == "https://h.example/v1/models"
    assert (b"Authorization", b"Bearer sk-canary-0123456789") in ready.headers
    assert (b"Accept-Encoding", b"identity") in ready.headers
    assert json.loads(ready.body(ASK)) == {
        "messages": [{"role": "user", "content": "hé"}],
        "model": "m/x",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "temperature": 0.0,
    }


def test_azure_form_puts_the_deployment_into_the_path() -> None:
    ready = prepare(azure(api_version="2024-12-01-preview"))
    assert ready.url.raw_path == (
        b"/openai/deployments/DeepSeek%20V3%2F2/chat/completions?api-version=2024-12-01-preview"
    )
    assert ready.models_url.raw_path == b"/openai/models?api-version=2024-12-01-preview"
    assert (b"api-key", b"sk-canary-0123456789") in ready.headers
    assert not any(name == b"Authorization" for name, _ in ready.headers)
    assert "model" not in json.loads(ready.body(ASK))


def test_azure_without_a_version_gets_a_generally_available_one() -> None:
    assert b"api-version=2024-10-21" in prepare(azure()).url.raw_path


def test_azure_v1_path_names_the_model_in_the_body() -> None:
    ready = prepare(azure("https://h.openai.azure.com/openai/v1/"))
    assert ready.url.raw_path == b"/openai/v1/chat/completions"
    assert json.loads(ready.body(ASK))["model"] == "DeepSeek V3/2"
    assert (b"api-key", b"sk-canary-0123456789") in ready.headers


def test_old_azure_versions_are_not_asked_for_usage() -> None:
    assert "stream_options" not in json.loads(prepare(azure(api_version="2024-02-15-preview")).body(ASK))
    assert "stream_options" in json.loads(prepare(azure(api_version="2024-09-01-preview")).body(ASK))


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("o1", True), ("o3-mini", True), ("o4-mini-2025-04-16", True), ("gpt-5-mini", True), ("GPT-5", True),
        ("openai/o3", True), ("gpt-5.1", True), ("gpt-4o-mini", False), ("gpt-oss-120b", False),
        ("DeepSeek-V3-0324", False), ("olmo-2", False), ("qwen2.5-72b-instruct", False), ("mock-o1", False),
    ],
)  # fmt: skip
def test_which_names_want_max_completion_tokens(name: str, new: bool) -> None:
    assert takes_new_token_field(name) is new
    ready = prepare(Endpoint(api="openai", base_url="http://h/v1", deployment=name))
    assert ("max_completion_tokens" in json.loads(ready.body(ASK))) is new
    assert ("max_tokens" in json.loads(ready.body(ASK))) is not new


def test_only_what_is_asked_for_is_sent() -> None:
    ready = prepare(openai())
    plain = json.loads(ready.body(ChatRequest(messages=({"role": "user", "content": "x"},), stream=False)))
    assert set(plain) == {"messages", "model"}
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    asked = ChatRequest(messages=(), seed=3, tools=(tool,), ignore_eos=True, stream=False)
    assert json.loads(ready.body(asked)) == {
        "messages": [], "model": "m/x", "seed": 3, "tools": [tool], "ignore_eos": True,
    }  # fmt: skip


def test_tools_that_are_offered_again_and_others_between_are_each_sent_as_they_are() -> None:
    ready = prepare(openai())
    offers = [
        tuple({"type": "function", "function": {"name": name}} for name in names) for names in ("ab", "c", "")
    ]
    for tools in (*offers, *offers, offers[0], offers[0]):
        body = json.loads(ready.body(ChatRequest(messages=(), tools=tools)))
        assert body.get("tools", []) == list(tools)


def test_a_query_in_the_base_url_stays() -> None:
    assert prepare(openai("http://h/v1?tenant=a")).url.raw_path == b"/v1/chat/completions?tenant=a"


@pytest.mark.parametrize(
    "base", ["h.example/v1", "ftp://h/v1", "http://", "http://[::1", "http://u:hush@h/v1"]
)
def test_a_base_url_that_is_none_is_a_friendly_error(base: str) -> None:
    with pytest.raises(ConsoleError) as caught:
        prepare(openai(base))
    assert caught.value.hint
    assert "hush" not in str(caught.value)


def test_the_secret_is_in_no_repr() -> None:
    assert "canary" not in repr(prepare(openai()))


def test_what_json_cannot_carry_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        prepare(openai()).body(ChatRequest(messages=({"role": "user", "content": "\ud800"},)))
