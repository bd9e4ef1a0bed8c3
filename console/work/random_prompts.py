"""Prompts for capacity levels: random ones of a given length, or a user's own from JSONL.

Lengths are in words, about one token each for common English words: without the model's tokenizer nothing
closer can be promised, so results report the server's own `prompt_tokens`. Every prompt of a run differs from
its first word on, so that no prefix cache answers in the model's place.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Final

import msgspec

from console.vocabulary.chat import ChatRequest, Message
from console.vocabulary.errors import Problem, Problems

_WORDS: Final = (  # noqa: SIM905 - a list of 130 literals reads worse
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work number night point home water room mother "
    "area money story fact month lot right study book eye job word business issue side kind head house service "
    "friend father power hour game line end member law car city name team minute idea body back parent face level "
    "office door health person art war history party result change morning reason research girl guy moment air "
    "teacher force order green light paper river stone table window garden music"
).split()


class Prompt(msgspec.Struct, frozen=True):
    """One prompt of a level."""

    messages: tuple[Message, ...]
    max_tokens: int | None


def random_prompts(count: int, *, input_len: int, output_len: int, seed: int) -> list[Prompt]:
    """Return `count` prompts of `input_len` words each, asking for `output_len` tokens."""
    rng = random.Random(seed)
    prompts: list[Prompt] = []
    for number in range(count):
        words = [f"{rng.getrandbits(32):08x}", *rng.choices(_WORDS, k=max(0, input_len - 1))]
        text = " ".join(words[: max(1, input_len)])
        prompts.append(
            Prompt(({"role": "user", "content": text if input_len > 0 else str(number)},), output_len)
        )
    return prompts


def _prompt_of_line(value: Any, output_len: int | None) -> Prompt | str:
    """Return the prompt of one decoded line, or what is wrong with it."""
    if not isinstance(value, dict):
        return "a line must be a JSON object with `prompt` or `messages`"
    row: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    max_tokens = row.get("max_tokens", output_len)
    if max_tokens is not None and (
        not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 1
    ):
        return "`max_tokens` must be a whole number ≥ 1"
    if isinstance(prompt := row.get("prompt"), str) and prompt:
        return Prompt(({"role": "user", "content": prompt},), max_tokens)
    messages: Any = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return "needs `prompt` (text) or `messages` (a list of objects with `role`)"
    typed: list[Any] = messages  # pyright: ignore[reportUnknownVariableType]
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in typed):  # pyright: ignore[reportUnknownMemberType]
        return "every entry of `messages` must be an object with a `role`"
    return Prompt(tuple(typed), max_tokens)


def read_prompts(path: Path, *, output_len: int | None) -> list[Prompt]:
    """Read prompts from JSON lines: `{"prompt": "…"}` or `{"messages": [...]}`, with optional `max_tokens`.

    Raises:
        Problems: unreadable, or with every bad line named.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise Problems([Problem(str(path), None, "", error.strerror or str(error))]) from error
    prompts: list[Prompt] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = _prompt_of_line(msgspec.json.decode(line), output_len)
        except msgspec.DecodeError as error:
            found = f"not JSON: {error}"
        if isinstance(found, str):
            problems.append(Problem(str(path), number, "", found))
        else:
            prompts.append(found)
    if not prompts and not problems:
        problems.append(Problem(str(path), None, "", "holds no prompt"))
    if problems:
        raise Problems(problems)
    return prompts


def as_request(prompt: Prompt, *, stream: bool, ignore_eos: bool) -> ChatRequest:
    """Return the request of one prompt; its text is not kept."""
    return ChatRequest(
        messages=prompt.messages,
        max_tokens=prompt.max_tokens,
        stream=stream,
        ignore_eos=ignore_eos,
        keep_content=False,
    )
