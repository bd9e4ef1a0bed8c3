"""Arguments of a call against the JSON schema of its tool."""

from __future__ import annotations

from typing import Any, Final

from console.work.world import ErrorCode, Tool, ToolError

_SHOWN: Final = 60


def check_arguments(tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with defaults filled in, numbers written as text read as numbers.

    Raises:
        ToolError: INVALID_INPUT, with everything that is wrong with them.
    """
    properties: dict[str, dict[str, Any]] = tool.parameters["properties"]
    required: list[str] = tool.parameters.get("required", [])
    wrong = [f"{name!r} is no parameter of {tool.name}" for name in arguments if name not in properties]
    wrong += [f"{name!r} is missing" for name in required if name not in arguments]
    checked: dict[str, Any] = {}
    for name, schema in properties.items():
        if name not in arguments:
            if "default" in schema:
                checked[name] = schema["default"]
            continue
        value = _read(arguments[name], schema)
        if (complaint := _complaint(value, schema)) is not None:
            wrong.append(f"{name!r} {complaint}, not {_shown(arguments[name])}")
        checked[name] = value
    if wrong:
        raise ToolError(ErrorCode.INVALID_INPUT, "; ".join(wrong))
    return checked


def _read(value: Any, schema: dict[str, Any]) -> Any:
    """Take a number written as text for the number, and 3.0 for 3 where a whole one is asked for.

    The value is right, and how it is written is no error of thought.
    """
    kind = schema.get("type")
    if isinstance(value, str) and kind in ("number", "integer"):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() else number
    if isinstance(value, float) and kind == "integer" and value.is_integer():
        return int(value)
    return value


def _complaint(value: Any, schema: dict[str, Any]) -> str | None:
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        wrong = isinstance(value, bool) or not isinstance(value, str | int | float)
        return "has to be a text or a number" if wrong else None
    if kind == "string" and (not isinstance(value, str) or not value):
        return "has to be a text"
    if kind in ("number", "integer") and (isinstance(value, bool) or not isinstance(value, int | float)):
        return "has to be a number"
    if kind == "integer" and isinstance(value, float) and not value.is_integer():
        return "has to be a whole number"
    if kind == "array" and not (isinstance(value, list) and value):
        return "has to be a list"
    if kind == "object" and not (isinstance(value, dict) and value):
        return "has to be an object"
    if "enum" in schema and value not in schema["enum"]:
        return f"has to be one of {', '.join(map(str, schema['enum']))}"
    if "minimum" in schema and value < schema["minimum"]:
        return f"has to be at least {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"has to be at most {schema['maximum']}"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
