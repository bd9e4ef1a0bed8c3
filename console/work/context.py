"""The messages of one test, which never grow past a budget.

They are only added to while they fit, so that a provider's cache knows their beginning. When they no longer fit, the oldest
results are shortened, then the oldest replies, then the oldest turns are left out; and enough of it that the next turns
fit without another cut. The opening always stays as it is, and the last two turns do as far as they fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from console.vocabulary.chat import Message
from console.vocabulary.tokens import message_tokens
from console.work.answers import shortened

CONTEXT_TOKENS: Final = 12_000
"""Estimated tokens of a request, the offered tools among them, `max_tokens` not: with 1,024 for the answer, a window of
16k bears it although the estimate may be a fifth off."""

_CUT_TO: Final = 0.75
"""Share of the budget to which old turns are shortened."""
_WHOLE_TURNS: Final = 2
_FRAME_TOKENS: Final = 4.0
"""Of each message, for its role and its edges."""
_ANSWER_CHARS: Final = 120
_REPLY_CHARS: Final = 200
_ARGUMENTS_CHARS: Final = 160


class _Turn:
    """One reply and its answers, which stay together."""

    __slots__ = ("answers", "reply", "tokens")

    def __init__(self, reply: Message, answers: Sequence[Message]) -> None:
        self.reply = reply
        self.answers = list(answers)
        self.tokens = self._count()

    def messages(self) -> Iterator[Message]:
        yield self.reply
        yield from self.answers

    def shorten_answers(self) -> None:
        self.answers = [_short_lines(message) for message in self.answers]
        self.tokens = self._count()

    def shorten_reply(self) -> None:
        self.reply = _short_reply(self.reply)
        self.tokens = self._count()

    def _count(self) -> float:
        return sum(message_tokens(message) + _FRAME_TOKENS for message in self.messages())


class Context:
    """What is sent with the next request of one test."""

    def __init__(
        self, opening: Sequence[Message], *, offered_tokens: float = 0.0, budget: float = CONTEXT_TOKENS
    ) -> None:
        """Begin with the opening.

        Args:
            opening: system and user message; never shortened.
            offered_tokens: estimate of the tools that each request offers.
            budget: estimated tokens that no request passes, if the opening leaves room for one turn.
        """
        self._opening = tuple(opening)
        self._budget = budget
        self._turns: list[_Turn] = []
        self._messages = list(self._opening)
        self._tokens = offered_tokens + sum(
            message_tokens(message) + _FRAME_TOKENS for message in self._opening
        )

    def add(self, reply: Message, answers: Sequence[Message]) -> None:
        """Add what the model said and what it is answered."""
        turn = _Turn(reply, answers)
        self._turns.append(turn)
        self._tokens += turn.tokens
        self._messages.extend(turn.messages())
        if self._tokens > self._budget:
            self._fit()
            self._messages = [
                *self._opening,
                *(message for turn in self._turns for message in turn.messages()),
            ]

    def messages(self) -> tuple[Message, ...]:
        """Return what is sent."""
        return tuple(self._messages)

    def _fit(self) -> None:
        old, recent = self._turns[:-_WHOLE_TURNS], self._turns[-_WHOLE_TURNS:]
        self._shorten(old, self._budget * _CUT_TO)
        while old and self._tokens > self._budget:
            self._tokens -= old.pop(0).tokens
            del self._turns[0]
        self._shorten(recent, self._budget)
        if self._tokens > self._budget and len(self._turns) > 1:
            self._tokens -= self._turns.pop(0).tokens

    def _shorten(self, turns: list[_Turn], target: float) -> None:
        for shorten in (_Turn.shorten_answers, _Turn.shorten_reply):
            for turn in turns:
                if self._tokens <= target:
                    return
                before = turn.tokens
                shorten(turn)
                self._tokens += turn.tokens - before


def _short_lines(message: Message) -> Message:
    lines = str(message.get("content") or "").split("\n")
    return {**message, "content": "\n".join(shortened(line, _ANSWER_CHARS) for line in lines)}


def _short_reply(message: Message) -> Message:
    short: Message = dict(message)
    if isinstance(content := message.get("content"), str):
        short["content"] = shortened(content, _REPLY_CHARS)
    if "tool_calls" in message:
        short["tool_calls"] = [_short_call(call) for call in message["tool_calls"]]
    return short


def _short_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": short_arguments(function["arguments"])}}


def short_arguments(arguments: str, limit: int = _ARGUMENTS_CHARS) -> str:
    """Return arguments as a JSON object of at most `limit` characters: long values are cut, or all are left out."""
    if len(arguments) <= limit:
        return arguments
    members: dict[str, Any] = msgspec.json.decode(arguments)
    worded = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in members.items()
    }
    share = max(2 * _ANSWER_CHARS // 3, limit // (2 * max(len(members), 1)))
    kept = {
        name: members[name] if len(text) <= share else shortened(text, share) for name, text in worded.items()
    }
    short = msgspec.json.encode(kept).decode()
    return short if len(short) <= limit else "{}"
