"""What a model means by what it wrote: calls of tools, out of JSON in any text round it.

Tolerance is for the way of writing alone. Names and arguments are taken as they stand, and nothing is guessed from prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple, cast

import msgspec

from console.work.registry import TOOLS
from console.work.tolerant_json import MOST_CHARS, bounded, encodable, find_objects

FINISH: Final = "finish"
"""Name of the action that ends a test; it is offered beside the tools."""
FINISH_PARAMETERS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"summary": {"type": "string", "description": "what was done"}},
    "required": [],
    "additionalProperties": False,
}
MOST_ACTIONS: Final = 64
"""Of one reply no more are read."""

_NAMES: Final = ("action", "tool", "tool_name", "name", "function")
_TELLING: Final = frozenset({"action", "tool", "tool_name"})
"""Under these a text names a tool, known or not; the others are common in data."""
_ARGUMENTS: Final = ("arguments", "args", "parameters", "params", "input", "action_input", "tool_input")
_WRAPPED: Final = 3
"""How deep in other objects an action may stand."""
_THOUGHT_ENDS: Final = re.compile(r"</think(?:ing)?>")
_THOUGHT_BEGINS: Final = re.compile(r"<think(?:ing)?>")
_NAMED_BEFORE: Final = re.compile(r"([A-Za-z][\w-]*+)[^\w{}]{0,8}(?:json\s{0,3})?\Z")
_MOST_BEFORE: Final = 80
_MOST_NAME: Final = 100


class Action(msgspec.Struct, frozen=True):
    """One call that a reply asks for."""

    name: str
    """Of the tool: as we call it, or as the model wrote it where there is none."""
    arguments: dict[str, Any] | None
    """None: they are no JSON object."""
    written: str
    """The arguments as the model wrote them, or as JSON."""
    known: bool
    """Whether it is the name of a tool, or `finish`."""


@cache
def _folded_names() -> dict[str, str]:
    return {_folded(name): name for name in (*TOOLS, FINISH)}


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def known_name(name: str) -> str | None:
    """Return the tool that is meant, or `finish`: in any case, with any separator, with a namespace before it."""
    if name in TOOLS or name == FINISH:
        return name
    name = name[:_MOST_NAME]
    names = _folded_names()
    return names.get(_folded(name)) or names.get(_folded(re.split(r"[.:/]", name.strip(" .:/"))[-1]))


class Arguments(NamedTuple):
    """The arguments of a call as they were read."""

    value: dict[str, Any] | None
    """None: no JSON object."""
    exact: bool
    """They are written as asked: a JSON object."""


def read_arguments(text: str, *, cut: bool = False) -> Arguments:
    """Read the arguments of a native call.

    No text at all, and `null`, stand for none; JSON in a JSON text, slips of writing and an empty object beside the
    real one are understood. In a reply that was `cut` off, an object whose end is missing is not what was meant.
    """
    if len(text) > MOST_CHARS:
        return Arguments(None, exact=False)
    try:
        value: Any = bounded(msgspec.json.decode(encodable(text)))
    except (ValueError, RecursionError):  # DecodeError is the former
        value = text
    if isinstance(value, dict):
        return Arguments(cast("dict[str, Any]", value), exact=True)
    if value is None or (isinstance(value, str) and not value.strip()):
        return Arguments({}, exact=False)
    if not isinstance(value, str):
        return Arguments(None, exact=False)
    objects = [found.value for found in find_objects(value) if found.closed or not cut]
    full = [found for found in objects if found]
    if len(full) > 1 or not objects:
        return Arguments(None, exact=False)
    return Arguments(full[0] if full else {}, exact=False)


def spoken(text: str) -> str:
    """Return a reply without what stands in `<think>` tags: thoughts are no actions, and are not sent back."""
    if "<think" not in text and "</think" not in text:
        return text
    kept: list[str] = []
    for number, part in enumerate(parts := _THOUGHT_ENDS.split(text)):
        begun = _THOUGHT_BEGINS.search(part)
        if begun is not None:
            kept.append(part[: begun.start()])
        elif number == len(parts) - 1:
            kept.append(part)
        # else: a thought whose begin the server put into the prompt
    return "".join(kept).strip()


def read_actions(text: str, *, cut: bool = False, known_only: bool = False) -> list[Action]:
    """Read the actions in a text without thoughts, in their order.

    A single object that is no action, but follows the name of a tool, is its arguments: `file_reader {"path": …}`.
    Several such are none: they may be a plan that is only talked about.

    Args:
        text: what the model wrote.
        cut: the reply was cut off, so an object whose end is missing is not what was meant.
        known_only: take actions with names of tools and `finish` only.
    """
    actions: list[Action] = []
    named: list[Action] = []
    for found in find_objects(text) if (whole := _whole(text)) is None else (whole,):
        if cut and not found[3]:
            break
        actions.extend(action for action in _actions_in(found[0], 0) if action.known or not known_only)
        if not actions and (name := _name_before(text, found[1])) is not None:
            named.append(Action(name, found[0], text[found[1] : found[2]], known=True))
        if len(actions) >= MOST_ACTIONS:
            return actions[:MOST_ACTIONS]
    return actions or (named if len(named) == 1 else [])


def _whole(text: str) -> tuple[dict[str, Any], int, int, bool] | None:
    """Read a text that is one JSON object and nothing else: what most replies are, at a fraction of the work."""
    stripped = text.strip()
    if not stripped.startswith("{") or len(stripped) > MOST_CHARS:
        return None
    try:
        value: Any = bounded(msgspec.json.decode(encodable(stripped)))
    except (ValueError, RecursionError):
        return None
    return value, 0, len(text), True


def _actions_in(value: Any, depth: int) -> Iterator[Action]:
    """Yield the action that an object is, or those in the objects that it holds."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _actions_in(item, depth)
    elif isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        action = _action(members)
        if action is not None:
            yield action
        elif depth < _WRAPPED:
            for member in members.values():
                if isinstance(member, dict | list):
                    yield from _actions_in(member, depth + 1)


def _action(members: dict[str, Any]) -> Action | None:
    named = [(alias, name) for alias in _NAMES if isinstance(name := members.get(alias), str)]
    for _, name in named:
        if (tool := known_name(name)) is not None:
            return _with_arguments(tool, members, known=True)
    if len(members) == 1:
        ((key, value),) = members.items()
        if isinstance(value, dict) and (tool := known_name(key)) is not None:
            return _made(tool, cast("dict[str, Any]", value))
    for alias, name in named:
        if name.strip() and (alias in _TELLING or any(key in members for key in _ARGUMENTS)):
            return _with_arguments(name.strip()[:_MOST_NAME], members, known=False)
    return None


def _with_arguments(tool: str, members: dict[str, Any], *, known: bool) -> Action:
    """Find the arguments: under one of their names, else, where they stand beside the tool's, by the tool's parameters."""
    given = [members[alias] for alias in _ARGUMENTS if alias in members]
    for value in given:
        if value is None:
            return _made(tool, {}, known=known)
        if isinstance(value, dict):
            return _made(tool, cast("dict[str, Any]", value), known=known)
        if isinstance(value, str) and (arguments := read_arguments(value).value) is not None:
            return Action(tool, arguments, value, known)
    parameters = _parameters(tool)
    beside = {name: value for name, value in members.items() if name in parameters and value != tool}
    if given and not beside:
        written = given[0] if isinstance(given[0], str) else msgspec.json.encode(given[0]).decode()
        return Action(tool, None, written, known)
    return _made(tool, beside, known=known)


def _parameters(tool: str) -> dict[str, Any]:
    schema = FINISH_PARAMETERS if tool == FINISH else TOOLS[tool].parameters if tool in TOOLS else {}
    return schema.get("properties", {})


def _made(tool: str, arguments: dict[str, Any], *, known: bool = True) -> Action:
    return Action(tool, arguments, msgspec.json.encode(arguments).decode(), known)


def _name_before(text: str, start: int) -> str | None:
    named = _NAMED_BEFORE.search(text[max(0, start - _MOST_BEFORE) : start])
    return None if named is None else known_name(named.group(1))
