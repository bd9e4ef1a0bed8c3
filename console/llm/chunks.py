"""What servers send, as typed JSON: stream chunks, whole answers, usage.

Decoding into structs checks and picks in one pass. Servers that bend the form (content as a list of parts, a
number with a fraction where a count belongs) are read a second time, leniently.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

MAX_COUNT: Final = 1 << 53
"""Largest count of tokens that is believed; JSON readers everywhere hold whole numbers up to here."""
_MAX_NESTING: Final = 8
"""Lists and objects within one another that content may be made of."""


class MalformedError(ValueError):
    """The answer came, but is not what it should be."""


class FunctionDelta(msgspec.Struct, gc=False):
    """Name and arguments of a tool call, or a piece of them."""

    name: str | None = None
    arguments: str | None = None


class ToolDelta(msgspec.Struct, gc=False):
    """A tool call, or a piece of one."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None


class Delta(msgspec.Struct, gc=False):
    """What one chunk adds; the `message` of a whole answer has the same form."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolDelta] | None = None


class Choice(msgspec.Struct, gc=False):
    """One alternative answer; only the first is asked for."""

    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class CompletionDetails(msgspec.Struct, gc=False):
    """Part of usage."""

    reasoning_tokens: int | None = None


class PromptDetails(msgspec.Struct, gc=False):
    """Part of usage."""

    cached_tokens: int | None = None


class Usage(msgspec.Struct, gc=False):
    """Token counts as the server has them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_tokens_details: PromptDetails | None = None


class Chunk(msgspec.Struct, gc=False):
    """One event of a stream, or a whole answer."""

    choices: list[Choice] | None = None
    usage: Usage | None = None
    model: str | None = None
    error: Any = None


_decode = msgspec.json.Decoder(Chunk).decode


def decode_chunk(data: bytes) -> Chunk:
    """Read one chunk.

    Raises:
        ValueError: if it is not JSON, or bears no likeness to a chunk.
    """
    try:
        return _decode(data)
    except msgspec.ValidationError:
        return _lenient(data)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def chunk_of(payload: bytes) -> Chunk:
    """Read one chunk of an answer.

    Raises:
        MalformedError: if it is none; it quotes all of it.
    """
    try:
        return decode_chunk(payload)
    except ValueError as problem:
        # Not cut here: that would leave half a key at the edge. It is cut when secrets are blotted out.
        whole = payload.decode("utf-8", "replace")
        raise MalformedError(f"not a chunk of an answer ({problem}): {whole}") from None


def json_text(value: Any) -> str:
    """Write a decoded value as JSON again; what JSON readers take and its writer does not is named instead."""
    try:
        return msgspec.json.encode(value).decode("utf-8", "replace")
    except RecursionError:
        return "(JSON nested too deep)"
    except OverflowError:
        return "(JSON with a number too large)"


def is_count(value: object) -> bool:
    """Whether `value` is a whole number that may count tokens."""
    return isinstance(value, int) and 0 <= value <= MAX_COUNT


def _lenient(data: bytes) -> Chunk:
    try:
        return _bent(data)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    except OverflowError:
        raise ValueError("a number too large") from None


def _bent(data: bytes) -> Chunk:
    raw: Any = msgspec.json.decode(data)
    if not isinstance(raw, dict):
        raise ValueError("a chunk is not a JSON object")
    chunk = cast("dict[str, Any]", raw)
    if chunk.get("error") is not None:
        return Chunk(error=chunk["error"])
    choices = chunk.get("choices")
    if isinstance(choices, list):
        for choice in cast("list[Any]", choices):
            if isinstance(choice, dict):
                _mend_choice(cast("dict[str, Any]", choice))
    if not isinstance(chunk.get("model"), str):
        chunk.pop("model", None)
    try:
        chunk["usage"] = msgspec.convert(_whole_numbers(chunk.get("usage")), Usage | None, strict=False)
    except msgspec.ValidationError:
        chunk["usage"] = None  # counts that cannot be read are counts that were not sent
    usage = chunk.pop("usage")
    result = msgspec.convert(chunk, Chunk, strict=False)
    result.usage = usage
    return result


def _mend_choice(choice: dict[str, Any]) -> None:
    for name in ("delta", "message"):
        part = choice.get(name)
        if isinstance(part, dict):
            delta = cast("dict[str, Any]", part)
            for field in ("content", "reasoning_content", "reasoning", "refusal"):
                if not isinstance(delta.get(field), str | None):
                    delta[field] = _text_of(delta[field])
            calls = delta.get("tool_calls")
            if isinstance(calls, list):
                for call in cast("list[Any]", calls):
                    if isinstance(call, dict):
                        _mend_call(cast("dict[str, Any]", call))
    if choice.get("index") is None:
        choice["index"] = 0


def _mend_call(call: dict[str, Any]) -> None:
    """Turn arguments that were sent as an object into the JSON text that they should be."""
    function = call.get("function")
    if isinstance(function, dict):
        fields = cast("dict[str, Any]", function)
        if not isinstance(fields.get("arguments"), str | None):
            fields["arguments"] = json_text(fields["arguments"])
    if not isinstance(call.get("id"), str | None):
        call["id"] = str(call["id"])


def _text_of(value: Any, depth: int = 0) -> str:
    """Join the text parts of content that came as a list of parts.

    Raises:
        ValueError: if they lie too deep: text that is left out would be held against the model.
    """
    if depth > _MAX_NESTING:
        raise ValueError("content nested too deep")
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_text_of(part, depth + 1) for part in cast("list[Any]", value))
    if isinstance(value, dict):
        return _text_of(cast("dict[str, Any]", value).get("text"), depth + 1)
    return ""


def _whole_numbers(value: Any, depth: int = 0) -> Any:
    """Cut fractions off; what is no count, or lies deeper than usage has parts, was not sent."""
    if isinstance(value, float):
        value = int(value) if 0 <= value <= MAX_COUNT else None
    if isinstance(value, dict):
        if depth > 1:
            return None
        return {key: _whole_numbers(item, depth + 1) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, int) and not is_count(value):
        return None
    return value
