"""Prompts of a user's own: JSON lines, or conversations in the form of ShareGPT, found out by what is in the file.

JSON lines: `{"prompt": "…"}` or `{"messages": [...]}`, with optional `max_tokens`. ShareGPT: one JSON list, or a line
each, of `{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`: what was said up to
the first answer is asked, and as many tokens as that answer has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from console.vocabulary.chat import ChatRequest, Message
from console.vocabulary.errors import Problem, Problems
from console.vocabulary.tokens import text_tokens
from console.work.random_prompts import CountTokens

_ROLES: Final = {
    "human": "user",
    "user": "user",
    "system": "system",
    "gpt": "assistant",
    "chatgpt": "assistant",
}
_MOST_PROBLEMS: Final = 50


class Prompt(msgspec.Struct, frozen=True):
    """One prompt of a dataset."""

    messages: tuple[Message, ...]
    max_tokens: int | None


class DatasetPrompts:
    """The prompts of a file in their order, from the beginning again after the last one."""

    def __init__(self, prompts: Sequence[Prompt], *, left_out: int = 0, ignore_eos: bool = False) -> None:
        self._prompts = prompts
        self._ignore_eos = ignore_eos
        self.left_out = left_out
        """Conversations in which nobody asks anything."""

    @property
    def size(self) -> int:
        """How many prompts the file holds."""
        return len(self._prompts)

    def at(self, index: int) -> ChatRequest:
        """Return prompt `index`; its text is not kept."""
        prompt = self._prompts[index % len(self._prompts)]
        return ChatRequest(
            messages=prompt.messages,
            max_tokens=prompt.max_tokens,
            ignore_eos=self._ignore_eos,
            keep_content=False,
        )


def dataset_source(
    path: Path,
    *,
    output_len: int | None = None,
    tokenizer: CountTokens | None = None,
    ignore_eos: bool = False,
) -> DatasetPrompts:
    """Read a dataset.

    Args:
        path: of the file.
        output_len: tokens to ask for, whatever the file says; None: what it says.
        tokenizer: counts the tokens of answers in conversations; None: they are estimated.
        ignore_eos: ask servers that can to always write the full length.

    Raises:
        Problems: unreadable, or with every bad entry named.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Problems([Problem(str(path), None, "", error.strerror or str(error))]) from error
    reader = _Reader(path, output_len, tokenizer)
    if data.lstrip()[:1] == b"[":
        reader.read_list(data)
    else:
        reader.read_lines(data)
    return DatasetPrompts(reader.result(), left_out=reader.left_out, ignore_eos=ignore_eos)


class _Reader:
    """Gathers prompts and what is wrong with the others."""

    def __init__(self, path: Path, output_len: int | None, tokenizer: CountTokens | None) -> None:
        self._path = str(path)
        self._output_len = output_len
        self._count = tokenizer
        self._prompts: list[Prompt] = []
        self._problems: list[Problem] = []
        self.left_out = 0

    def read_lines(self, data: bytes) -> None:
        """Take an entry from every line that is not blank."""
        for number, line in enumerate(data.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                self._take(msgspec.json.decode(line), number, "")
            except msgspec.DecodeError as error:
                self._problems.append(Problem(self._path, number, "", f"not JSON: {error}"))

    def read_list(self, data: bytes) -> None:
        """Take every entry of one JSON list."""
        try:
            entries: list[Any] = msgspec.json.decode(data, type=list[Any])
        except msgspec.DecodeError as error:
            self._problems.append(Problem(self._path, None, "", f"not JSON: {error}"))
            return
        for index, entry in enumerate(entries):
            self._take(entry, None, f"[{index}]")

    def result(self) -> list[Prompt]:
        """Return what was found.

        Raises:
            Problems: if anything was wrong, or nothing was there.
        """
        problems = self._problems[:_MOST_PROBLEMS]
        if more := len(self._problems) - len(problems):
            problems.append(Problem(self._path, None, "", f"and {more} more"))
        if not self._prompts and not problems:
            problems.append(Problem(self._path, None, "", "holds no prompt"))
        if problems:
            raise Problems(problems)
        return self._prompts

    def _take(self, entry: Any, line: int | None, place: str) -> None:
        found = self._prompt_of(entry)
        if isinstance(found, str):
            self._problems.append(Problem(self._path, line, place, found))
        elif found is None:
            self.left_out += 1
        else:
            self._prompts.append(found)

    def _prompt_of(self, value: Any) -> Prompt | str | None:
        """Return the prompt of one decoded entry, or what is wrong with it; None: it asks nothing."""
        if not isinstance(value, dict):
            return "an entry must be a JSON object with `prompt`, `messages` or `conversations`"
        entry: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        if "conversations" in entry:
            return self._of_conversation(entry["conversations"])
        max_tokens = entry.get("max_tokens")
        if max_tokens is not None and (
            not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 1
        ):
            return "`max_tokens` must be a whole number ≥ 1"
        max_tokens = self._output_len or max_tokens
        if isinstance(prompt := entry.get("prompt"), str) and prompt:
            return Prompt(({"role": "user", "content": prompt},), max_tokens)
        messages: Any = entry.get("messages")
        if not isinstance(messages, list) or not messages:
            return "needs `prompt` (text) or `messages` (a list of objects with `role`)"
        typed: list[Any] = messages  # pyright: ignore[reportUnknownVariableType]
        if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in typed):  # pyright: ignore[reportUnknownMemberType]
            return "every entry of `messages` must be an object with a `role`"
        return Prompt(tuple(typed), max_tokens)

    def _of_conversation(self, turns: Any) -> Prompt | str | None:
        wrong = "`conversations` must be a list of objects with `from` and `value` (text)"
        if not isinstance(turns, list):
            return wrong
        messages: list[Message] = []
        for turn in turns:  # pyright: ignore[reportUnknownVariableType]
            said: dict[str, Any] = turn if isinstance(turn, dict) else {}  # pyright: ignore[reportUnknownVariableType]
            text: Any = said.get("value")
            if not isinstance(text, str) or not isinstance(said.get("from"), str):
                return wrong
            role = _ROLES.get(said["from"], "user")
            if role == "assistant":
                if not any(message["role"] == "user" for message in messages):
                    return None
                return Prompt(tuple(messages), self._output_len or self._tokens(text))
            messages.append({"role": role, "content": text})
        asks = any(message["role"] == "user" for message in messages)
        return Prompt(tuple(messages), self._output_len) if asks else None

    def _tokens(self, text: str) -> int:
        return max(1, math.ceil(text_tokens(text)) if self._count is None else self._count(text))
