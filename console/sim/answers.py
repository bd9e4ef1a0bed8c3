"""What a simulated model says: drawn from (seed, model, messages), never from the order of arrival."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from typing import Literal, Protocol, cast

import msgspec

from console.vocabulary.chat import Message, ToolCall

PieceKind = Literal["reasoning", "text", "call", "arguments"]

_VOCABULARY = """
the of a in to and is that for it on as with was by from at this are be or which one can has more all an not
they when there each time model data value step result plan tool input output order file check first next then
after before while until both few many most other some such only own same so than too very state open close read
write parse send keep hold start end small large fast slow high low new old left right up down light water stone
river road house field tree wind north south east west morning evening number letter word page line point part
whole half side form rule case place name hand work day year week hour minute second measure count rate limit
queue token key lane gate load test run
"""
WORDS: tuple[str, ...] = tuple(_VOCABULARY.split())
_TOKEN = re.compile(r"\s*\S+(?:\s+$)?")
_ARGUMENT_LENGTH = 6
_ARGUMENT_TOKEN = re.compile(rf".{{1,{_ARGUMENT_LENGTH}}}", re.DOTALL)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the model wants to say, before any limit cuts it."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"


class Player(Protocol):
    """A simulated mind: it may answer a conversation it understands."""

    def answer(
        self,
        *,
        seed: int,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, object]],
        max_tokens: int | None,
        skill: float,
    ) -> Answer | None:
        """Return the answer, or None to leave it to plain words. Must depend on the arguments only."""
        ...


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One token's worth of an answer; a stream sends one a chunk."""

    kind: PieceKind
    text: str
    """The words. For `call`: the name of the tool."""
    call: int = 0
    """Index of the tool call."""
    call_id: str = ""


def answer_digest(seed: int, model: str, messages: Sequence[Message]) -> bytes:
    """Return 16 bytes that stand for this conversation under this seed: the source of all its draws."""
    canonical = msgspec.json.encode([seed, model, messages], order="deterministic")
    return hashlib.blake2b(canonical, digest_size=16).digest()


def count_tokens(messages: Sequence[Message]) -> int:
    """Return the words in `messages`: the simulated provider's tokens."""
    return sum(_message_tokens(message) for message in messages)


def _message_tokens(message: Message) -> int:
    content = message.get("content")
    count = len(content.split()) if isinstance(content, str) else 0
    count += sum(len(str(_fields(part).get("text", "")).split()) for part in _items(content))
    for call in _items(message.get("tool_calls")):
        function = _fields(_fields(call).get("function"))
        count += 1 + len(str(function.get("arguments", "")).split())
    return count


def _items(value: object) -> list[object]:
    """Return a JSON array, or nothing where the client sent something else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def _fields(value: object) -> dict[str, object]:
    """Return a JSON object, or an empty one where the client sent something else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def plain_answer(digest: bytes, *, mean_tokens: int, max_tokens: int | None, ignore_eos: bool) -> Answer:
    """Return plain words: exactly `max_tokens` with `ignore_eos`, else about `mean_tokens` (± 20 %)."""
    draw = random.Random(digest)
    if ignore_eos and max_tokens is not None:
        return Answer(text=" ".join(draw.choices(WORDS, k=max_tokens)), finish_reason="length")
    length = max(1, round(draw.gauss(mean_tokens, mean_tokens / 5)))
    return Answer(text=" ".join(draw.choices(WORDS, k=length)))


def split_answer(answer: Answer) -> list[Piece]:
    """Cut `answer` into tokens: reasoning, then text, then the tool calls."""
    pieces = [Piece("reasoning", word) for word in _words(answer.reasoning)]
    pieces += [Piece("text", word) for word in _words(answer.text)]
    for index, call in enumerate(answer.tool_calls):
        pieces.append(Piece("call", call.name, index, call.id))
        pieces += [Piece("arguments", part, index) for part in _ARGUMENT_TOKEN.findall(call.arguments)]
    return pieces


def count_pieces(answer: Answer) -> tuple[int, int]:
    """Return how many tokens of reasoning, and how many in all, `split_answer` cuts `answer` into."""
    reasoning = _count_words(answer.reasoning)
    arguments = sum(1 - (-len(call.arguments) // _ARGUMENT_LENGTH) for call in answer.tool_calls)
    return reasoning, reasoning + _count_words(answer.text) + arguments


def _count_words(text: str) -> int:
    return len(text.split()) or (1 if text else 0)


def _words(text: str) -> list[str]:
    found: list[str] = _TOKEN.findall(text)
    return found or ([text] if text else [])


def join_pieces(pieces: Sequence[Piece]) -> tuple[str, str, tuple[ToolCall, ...]]:
    """Return text, reasoning and tool calls of `pieces`: what an answer that is not streamed says."""
    text = "".join(piece.text for piece in pieces if piece.kind == "text")
    reasoning = "".join(piece.text for piece in pieces if piece.kind == "reasoning")
    calls: list[ToolCall] = []
    arguments: list[str] = []
    for piece in pieces:
        if piece.kind == "call":
            calls.append(ToolCall(piece.call_id, piece.text, ""))
            arguments.append("")
        elif piece.kind == "arguments":
            arguments[-1] += piece.text
    made = tuple(ToolCall(call.id, call.name, text) for call, text in zip(calls, arguments, strict=True))
    return text, reasoning, made
