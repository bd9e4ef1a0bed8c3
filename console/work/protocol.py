"""The two ways in which a model is offered tools: native tool calling, or a JSON action in its text."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal, get_args

import msgspec

from console.work.reading import FINISH, FINISH_PARAMETERS
from console.work.registry import TOOLS

Protocol = Literal["tools", "text"]
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)
MAX_TURNS: Final = 10
MOST_CALLS: Final = 8
"""Of one reply, so many calls are made."""

_FINISH_DESCRIPTION: Final = "End the task. Call it once, when all is done; nothing can be called after it."

_COMMON_RULES: Final = (
    "You carry out tickets with tools, by yourself: nobody answers questions, and what you do not call is not done. "
    "Tools act on one shared workspace, and what a tool makes can be used by those called after it. "
    f"You have {MAX_TURNS} replies. Several calls in one reply are made in their order, {MOST_CALLS} at most. "
    "A call may fail: its answer says why. Some failures are passing ones, and the same call works when made again. "
    "When the ticket is done, call finish."
)
_TEXT_FORM: Final = (
    'To call a tool, write one JSON object: {"action": "tool_name", "arguments": {"parameter": "value"}}. '
    "Several objects in one reply are several calls. What they answer comes with the next message. "
    'To finish: {"action": "finish", "arguments": {}}.'
)


@cache
def rules(protocol: Protocol) -> str:
    """Return the rules for the system prompt; with the text protocol, they list the tools."""
    if protocol == "tools":
        return _COMMON_RULES
    return f"{_COMMON_RULES}\n{_TEXT_FORM}\n\nTools (parameters with ? may be left out):\n{tool_list()}"


@cache
def offered_tools() -> tuple[dict[str, Any], ...]:
    """Return the tools and `finish` in OpenAI's form. One and the same tuple for all requests."""
    offered = [_function(tool.name, tool.description, tool.parameters) for tool in TOOLS.values()]
    return (*offered, _function(FINISH, _FINISH_DESCRIPTION, FINISH_PARAMETERS))


@cache
def tool_list() -> str:
    """Return the tools and `finish` as text, a line each: name, parameters, what it does."""
    lines = [_line(tool.name, tool.parameters, tool.description) for tool in TOOLS.values()]
    return "\n".join([*lines, _line(FINISH, FINISH_PARAMETERS, _FINISH_DESCRIPTION)])


def _function(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


def _line(name: str, schema: dict[str, Any], description: str) -> str:
    required = schema.get("required", [])
    parameters = [
        f"{parameter}{'' if parameter in required else '?'}: {_kind(of)}"
        for parameter, of in schema["properties"].items()
    ]
    return f"- {name}({', '.join(parameters)}): {description}"


def _kind(schema: dict[str, Any]) -> str:
    """Word the schema of one parameter: its type or its options, its bounds, and what it is."""
    kind = schema.get("type", "string")
    if "enum" in schema:
        worded = "|".join(msgspec.json.encode(option).decode() for option in schema["enum"])
    else:
        worded = "|".join(kind) if isinstance(kind, list) else str(kind)  # pyright: ignore[reportUnknownArgumentType]
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        worded += f" {'' if least is None else least}..{'' if most is None else most}"
    told = schema.get("description")
    return f"{worded} ({told})" if told else worded
