"""Raw tables as `tomllib` gives them, read without trusting their shape."""

from __future__ import annotations

from typing import Any, cast

from console.profile.toml_lines import KeyPath

Table = dict[str, Any]


def as_table(value: object) -> Table:
    """Return `value` where it is a table, else an empty one: the type check speaks of it elsewhere."""
    return cast("Table", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """Return `value` where it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def at_path(raw: object, path: KeyPath) -> object:
    """Return what stands at `path`, None where nothing does."""
    value = raw
    for part in path:
        if isinstance(part, str):
            value = as_table(value).get(part)
        else:
            items = as_list(value)
            value = items[part] if 0 <= part < len(items) else None
    return value
