"""How many tokens a text is, about: without the model's tokenizer nothing closer can be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from console.vocabulary.chat import Message

_NARROW_CHARS: Final = 3.5
"""Characters of Latin text to a token."""
_WIDE_CHARS: Final = 1.6
"""Characters of CJK text to a token."""
_WIDE: Final = re.compile("[\u2e80-\U0010ffff]+")


def text_tokens(text: str) -> float:
    """Estimate the tokens of a text: about 3.5 characters each of Latin text, 1.6 of CJK text."""
    narrow = len(text) if text.isascii() else len(_WIDE.sub("", text))
    return narrow / _NARROW_CHARS + (len(text) - narrow) / _WIDE_CHARS


def message_tokens(message: Message) -> float:
    """Estimate the tokens of a message: what it says, and the calls that it holds."""
    tokens = text_tokens(str(message.get("content") or ""))
    calls: list[dict[str, Any]] = message.get("tool_calls") or []
    for call in calls:
        function: dict[str, Any] = call.get("function") or {}
        tokens += text_tokens(f"{call.get('id')}{function.get('name')}{function.get('arguments')}")
    return tokens


_last_offered: tuple[Sequence[dict[str, Any]], float] = ((), 0.0)


def offered_tokens(tools: Sequence[dict[str, Any]]) -> float:
    """Estimate the tokens of the tools that a request offers, which are mostly those of the request before."""
    global _last_offered
    if tools is not _last_offered[0]:
        _last_offered = (tools, text_tokens(msgspec.json.encode(tools).decode()))
    return _last_offered[1]
