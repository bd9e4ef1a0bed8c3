"""Estimates count all that a provider counts: words of any script, calls, and the tools that are offered."""

from __future__ import annotations

import msgspec
import pytest

from console.engine.asking import estimate_tokens
from console.vocabulary.chat import ChatRequest
from console.vocabulary.tokens import message_tokens, offered_tokens, text_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a" * 35, 10), ("é" * 35, 10), ("想" * 16, 10), ("想a" * 16, 10 + 16 / 3.5)],
)
def test_wide_characters_cost_more_than_narrow_ones(text, tokens):
    assert text_tokens(text) == pytest.approx(tokens)


def test_calls_in_a_message_count_with_id_name_and_arguments():
    call = {"id": "i" * 10, "type": "function", "function": {"name": "n" * 10, "arguments": "a" * 15}}
    assert message_tokens({"role": "assistant", "content": None, "tool_calls": [call]}) == pytest.approx(10)
    assert message_tokens({"role": "user", "content": "x" * 7}) == pytest.approx(2)


def test_a_request_is_estimated_with_its_tools_and_its_answer():
    tools = ({"type": "function", "function": {"name": "f", "description": "d" * 350, "parameters": {}}},)
    asked = ChatRequest(messages=({"role": "user", "content": "x" * 35},), max_tokens=100, tools=tools)
    offered = len(msgspec.json.encode(tools)) / 3.5
    assert offered_tokens(tools) == pytest.approx(offered)
    assert estimate_tokens(asked) == pytest.approx(10 + 100 + offered)
    assert estimate_tokens(msgspec.structs.replace(asked, tools=())) == pytest.approx(110)
    assert estimate_tokens(msgspec.structs.replace(asked, max_tokens=None)) == pytest.approx(266 + offered)
