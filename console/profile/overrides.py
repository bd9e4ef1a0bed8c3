"""`--set limits.azure.open.fixed.workers=20`: one value of a profile replaced on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from console.profile.complaints import Complaint, known_names, meant_hint
from console.profile.tables import Table
from console.profile.toml_lines import KeyPath, dotted, parse_dotted


@dataclass(frozen=True, slots=True)
class Override:
    """A value and the path it goes to."""

    path: KeyPath
    value: object


def apply_overrides(raw: Table, overrides: Sequence[str]) -> tuple[list[Override], list[Complaint]]:
    """Write `PATH=VALUE` texts into the raw tables, in order; return those applied and what was wrong.

    The value is TOML where it reads as such, else a text. An empty one takes the key out, which is how a
    limit is lifted. A name with dots needs no quotes where it stands in the file already.
    """
    applied: list[Override] = []
    wrong: list[Complaint] = []
    for text in overrides:
        key, equals, value_text = _split(text)
        try:
            parts = parse_dotted(key.strip())
        except ValueError:
            parts = []
        if not equals or not parts:
            wrong.append(Complaint((), "is not PATH=VALUE", "limits.azure.open.fixed.workers=20"))
            continue
        path, table = _walk(raw, parts)
        if table is None:
            wrong.append(Complaint(path, "is not a table: set it as a whole"))
            continue
        value = plain_value(value_text.strip())
        if value == "":
            wrong.extend(_absent(path, table))
            table.pop(str(path[-1]), None)
        else:
            table[str(path[-1])] = value
        applied.append(Override(path, value))
    return applied, wrong


def _absent(path: KeyPath, table: Table) -> list[Complaint]:
    """Complain of a name that is to be taken out, is not there, and could not be: most likely it is misspelt."""
    name, known = str(path[-1]), known_names(path[:-1])
    if name in table or name in known:
        return []
    if known:
        return [Complaint(path, "unknown key", meant_hint(name, known))]
    return [Complaint(path, "is not there", meant_hint(name, list(table), what="there are"))]


def _split(text: str) -> tuple[str, str, str]:
    """Split at the first `=` outside quotes."""
    quote = ""
    for index, char in enumerate(text):
        if char in "\"'" and quote in ("", char):
            quote = "" if quote else char
        elif char == "=" and not quote:
            return text[:index], "=", text[index + 1 :]
    return text, "", ""


def _walk(raw: Table, parts: list[str]) -> tuple[KeyPath, Table | None]:
    """Follow `parts`, joining those that the shell split from one dotted name, and make missing tables."""
    table = raw
    path: list[str] = []
    while True:
        taken = next((n for n in range(1, len(parts) + 1) if ".".join(parts[:n]) in table), 1)
        key, parts = ".".join(parts[:taken]), parts[taken:]
        path.append(key)
        if not parts:
            return tuple(path), table
        inner: object = table.setdefault(key, cast("Table", {}))
        if not isinstance(inner, dict):
            return tuple(path), None
        table = cast("Table", inner)


def plain_value(text: str) -> Any:
    """Read one TOML value; what is none is a text."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if list(table) == ["value"] else text


def origin_of(path: KeyPath, overrides: Sequence[Override], *, in_file: bool) -> str | None:
    """Return `--set PATH` where an override has put there what stands at `path`, else None."""
    for override in overrides:
        if path[: len(override.path)] == override.path:
            return f"--set {dotted(path)}"
        if not in_file and path and override.path[: len(path)] == path:  # a table that it had to make
            return f"--set {dotted(override.path)}"
    return None
