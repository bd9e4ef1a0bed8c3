"""A profile's text with some of its values changed, all else left as it stands: comments, order, blank lines.

Each change is made where its value is written, and the text is read again. What cannot be changed in place, such
as an array of tables, makes all of it written anew.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Final, NamedTuple

import tomli_w

from console.profile.inline import inline, inline_key
from console.profile.table_diff import ABSENT, Difference, differences
from console.profile.tables import Table, as_table, at_path
from console.profile.toml_lines import KeyPath, Span, TomlPlaces, toml_places

_MOST_CHANGES: Final = 500


class Rewritten(NamedTuple):
    """A text that says what was wanted, and what it cost."""

    text: str
    lost_comments: int
    """Comments of the old text that are not in it."""
    anew: bool
    """All of it was written anew: its order and its blank lines are another's."""


def rewritten(text: str, wanted: Table) -> Rewritten:
    """Return `text` with as little changed as makes it read as `wanted`."""
    made = patched(text, wanted)
    anew = made is None
    if made is None:
        made = tomli_w.dumps(wanted)
    return Rewritten(made, _lost(text, made), anew)


def patched(text: str, wanted: Table) -> str | None:
    """Return `text` with values replaced, put in and taken out in place; None where that does not do."""
    windows = "\r\n" in text
    text = text.replace("\r\n", "\n")
    try:
        for _ in range(_MOST_CHANGES):
            raw = tomllib.loads(text)
            left = differences(raw, wanted)
            if not left:
                return text.replace("\n", "\r\n") if windows else text
            changed = _changed(text, toml_places(text), wanted, left[0])
            if changed is None or changed == text:
                return None
            text = changed
    except (ValueError, RecursionError):  # what it made is no TOML: a table written in pieces, most likely
        return None
    return None


def _changed(text: str, places: TomlPlaces, wanted: Table, change: Difference) -> str | None:
    """Make one change; None where its place cannot be found."""
    path = change.path
    if path in places.values and change.after is not ABSENT:
        return _put(text, places.values[path], inline(change.after))
    for length in range(len(path) - 1, 0, -1):  # inside an inline table: the whole of it is written
        if path[:length] in places.values:
            return _put(text, places.values[path[:length]], inline(at_path(wanted, path[:length])))
    if change.after is ABSENT:
        return _without(text, places, path)
    if change.before is not ABSENT:
        return None  # a `[table]` that becomes a value
    return _with_line(text, places, path, change.after)


def _put(text: str, span: Span, value: str) -> str:
    return text[: span.start] + value + text[span.end :]


def _without(text: str, places: TomlPlaces, path: KeyPath) -> str | None:
    """Take out the line of a value, or the first of those below a table, or at last its header."""
    for spans in (places.pairs, places.headers):
        below = [(len(key), span) for key, span in spans.items() if key[: len(path)] == path]
        if below:
            span = min(below)[1]
            start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
            return text[:start] + ("" if end < 0 else text[end + 1 :])
    return None


def _with_line(text: str, places: TomlPlaces, path: KeyPath, value: object) -> str:
    """Put a new pair below the last one of its table, or make a table for it at the end of the text."""
    table, header = path[:-1], places.headers.get(path[:-1])
    if header is None and (table or as_table(value)):
        lines = "".join(f"{inline_key((key,))} = {inline(inner)}\n" for key, inner in as_table(value).items())
        gap = "" if text.endswith("\n") or not text else "\n"
        if lines:
            return f"{text}{gap}\n[{inline_key(path)}]\n{lines}"
        return f"{text}{gap}\n[{inline_key(table)}]\n{inline_key(path[-1:])} = {inline(value)}\n"
    line = f"{inline_key(path[-1:])} = {inline(value)}\n"
    ends = [span.end for key, span in places.pairs.items() if key[:-1] == table]
    if header is not None:
        ends.append(header.end)
    if not ends:
        return line + text
    end = text.find("\n", max(ends))
    return f"{text}\n{line}" if end < 0 else text[: end + 1] + line + text[end + 1 :]


def _lost(before: str, after: str) -> int:
    old, new = (Counter(toml_places(text.replace("\r\n", "\n")).comments) for text in (before, after))
    return sum((old - new).values())
