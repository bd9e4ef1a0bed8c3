"""A tool-use test as a simulated model sees it: which task, which plan it was shown, and what came of its calls."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from console.vocabulary.chat import Message
from console.vocabulary.names import DIFFICULTIES, TASK_TYPES
from console.work.library import task_of
from console.work.prompts import PLAN_MARK, TICKET_MARK
from console.work.task import Step, Task
from console.work.wording import describe

_TICKET: Final = re.compile(rf"{TICKET_MARK}(\w+)/(\d{{1,9}})\nTask: (.*)")
_PLAN_LINE: Final = re.compile(r"^\d+\. (\w+) (\{.*\})$", re.MULTILINE)
_TOLD: Final = re.compile(r"^(\w+): (.*)$")
_WORKED: Final = '{"ok":true'
_PASSING: Final = "may work if it is made again"


class Ticket(msgspec.Struct, frozen=True):
    """What the opening of a test says."""

    task: Task
    difficulty: str
    shown: tuple[Step, ...] | None
    """The plan in the prompt, right or flawed."""
    step_by_step: bool
    """Whether it is asked to think first."""


class Made(msgspec.Struct, frozen=True):
    """One call of the conversation and its answer."""

    tool: str
    arguments: Any
    """As it wrote them; text where they are no JSON."""
    ok: bool
    by_chance: bool
    """It failed, and may work if it is made again."""


def read_ticket(seed: int, messages: Sequence[Message]) -> Ticket | None:
    """Return the test that a conversation opens with; None where it is none, or not of this seed's library."""
    if len(messages) < 2 or not isinstance(text := messages[1].get("content"), str):
        return None
    return _ticket(seed, text) if text.startswith(TICKET_MARK) else None


@lru_cache(maxsize=8192)
def _ticket(seed: int, text: str) -> Ticket | None:
    found = _TICKET.match(text)
    if found is None or found[1] not in TASK_TYPES or int(found[2]) < 1:
        return None
    task = task_of(seed, found[1], int(found[2]))
    difficulty = next((name for name in DIFFICULTIES if describe(task, name) == found[3]), None)
    if difficulty is None:
        return None
    shown = _shown(text)
    return Ticket(task, difficulty, shown, "step by step" in text)


def _shown(text: str) -> tuple[Step, ...] | None:
    _, mark, plan = text.partition(f"\n{PLAN_MARK}\n")
    if not mark:
        return None
    lines = [(tool, json.loads(arguments)) for tool, arguments in _PLAN_LINE.findall(plan)]
    return tuple(Step(tool, arguments) for tool, arguments in lines if tool != "finish")


def calls_made(messages: Sequence[Message]) -> list[Made]:
    """Return the calls that were made so far, in their order, with what came of them."""
    made: list[Made] = []
    asked: list[tuple[str, Any]] = []
    answers: dict[str, tuple[str, Any]] = {}
    for message in messages[2:]:
        content = message.get("content")
        if message.get("role") == "assistant":
            native = [_native(call) for call in cast("list[Any]", message.get("tool_calls") or [])]
            answers = {call_id: (tool, arguments) for call_id, tool, arguments in native}
            asked = [] if native else _written(str(content))
        elif message.get("role") == "tool":
            if (call := answers.get(str(message.get("tool_call_id")))) is not None:
                made.append(_made(*call, str(content)))
        else:
            told = [found for line in str(content).split("\n") if (found := _TOLD.match(line)) is not None]
            made += [
                _made(tool, arguments, answer[2])
                for (tool, arguments), answer in zip(asked, told, strict=False)
                if answer[1] == tool
            ]
    return made


def _native(call: Any) -> tuple[str, str, Any]:
    function = call["function"]
    try:
        arguments: Any = msgspec.json.decode(function["arguments"])
    except msgspec.DecodeError:
        arguments = function["arguments"]
    return str(call["id"]), str(function["name"]), arguments


def _written(content: str) -> list[tuple[str, Any]]:
    """Read the actions that a simulated model wrote itself: an object a line."""
    found: list[tuple[str, Any]] = []
    for line in content.split("\n"):
        if line.startswith('{"action"'):
            action = json.loads(line)
            found.append((action["action"], action["arguments"]))
    return found


def _made(tool: str, arguments: Any, answer: str) -> Made:
    return Made(tool, arguments, answer.startswith(_WORKED), _PASSING in answer)
