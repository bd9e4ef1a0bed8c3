"""JSON schemas of tools, in the few forms that they use."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

OUTPUT: Final[Schema] = {"type": "string", "description": "name for the result, to refer to it later"}


def text(description: str) -> Schema:
    """Return a parameter that is a text, never empty."""
    return {"type": "string", "description": description}


def choice(description: str, *options: str) -> Schema:
    """Return a parameter that is one of a few words."""
    return {"type": "string", "enum": list(options), "description": description}


def number(description: str) -> Schema:
    """Return a parameter that is any number."""
    return {"type": "number", "description": description}


def whole(description: str, least: int, most: int) -> Schema:
    """Return a parameter that is a whole number within bounds."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def scalar(description: str) -> Schema:
    """Return a parameter that is a text or a number."""
    return {"type": ["string", "number"], "description": description}


def takes(*optional: str, **parameters: Schema) -> Schema:
    """Return the schema of a tool's arguments; all are required but those named in `optional`."""
    return {
        "type": "object",
        "properties": parameters,
        "required": [name for name in parameters if name not in optional],
        "additionalProperties": False,
    }
