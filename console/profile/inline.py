"""One value as TOML on one line, as it stands behind `key =`, and the key."""

from __future__ import annotations

import math
import re
from typing import cast

from console.profile.tables import as_table
from console.profile.toml_lines import KeyPath

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def inline(value: object) -> str:
    """Write a value: a text, a number, true or false, a list or a table of such."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(map(_escaped, value)) + '"'
        case float() if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        case list():
            return "[" + ", ".join(map(inline, cast("list[object]", value))) + "]"
        case dict():
            table = as_table(cast("object", value))
            if not table:
                return "{}"
            return (
                "{ "
                + ", ".join(f"{inline_key((key,))} = {inline(inner)}" for key, inner in table.items())
                + " }"
            )
        case _:
            return str(value)  # numbers, dates and times are written as TOML has them


def inline_key(path: KeyPath) -> str:
    """Write a key with its dots; unlike `dotted`, which is for people, it can be read back whatever it holds."""
    return ".".join(part if _BARE.fullmatch(part) else inline(part) for part in map(str, path))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " or character == "\x7f" else character
