"""On which line each key of a TOML text stands, and from where to where. `tomllib` gives no positions, and errors and edits need them."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

KeyPath = tuple[str | int, ...]
"""Keys from the outside in; an element of an array is its index."""


class Span(NamedTuple):
    """From where to where something stands, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TomlPlaces:
    """Where what stands in a text; it has no carriage returns."""

    values: dict[KeyPath, Span] = field(default_factory=dict[KeyPath, Span])
    """Of everything that is written as `key = value`, inside inline tables as well."""
    pairs: dict[KeyPath, Span] = field(default_factory=dict[KeyPath, Span])
    """The same with its key."""
    headers: dict[KeyPath, Span] = field(default_factory=dict[KeyPath, Span])
    """Of every `[table]`."""
    comments: list[str] = field(default_factory=list[str])


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SPACES = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_COMMENT = re.compile(r"#[^\n]*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRINGS = (
    ('"""', re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2})', re.DOTALL)),
    ("'''", re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)),
    ('"', re.compile(r'"(?:\\.|[^"\\\n])*"')),
    ("'", re.compile(r"'[^'\n]*'")),
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of every key, table and array element in `text`.

    `text` has been read by `tomllib` before, so that only its structure is followed here and nothing is
    checked. A table without a header of its own (`[a.b]` makes `a`) gets the line that first names it.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


def toml_places(text: str) -> TomlPlaces:
    """Return where keys, values and comments stand in `text`, which has been read by `tomllib` before."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.places


def line_near(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """Return the line of `path`, or of the innermost table round it: where a missing key belongs."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def parse_dotted(text: str) -> list[str]:
    """Split a dotted key such as `models."a.b".off` into its parts.

    Raises:
        ValueError: if it is not one.
    """
    scanner = _Scanner(text)
    keys = scanner.keys()
    if not keys or scanner.at != len(text):
        raise ValueError(f"{text!r} is not a dotted key")
    return keys


def dotted(path: KeyPath) -> str:
    """Write a path as it would stand in the file: `models."qwen2.5".deployments[1]`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
            continue
        if _BARE_KEY.fullmatch(part) is None:
            part = '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
        out += f".{part}" if out else part
    return out


class _Scanner:
    """Walks a valid TOML text once and notes where keys stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.places = TomlPlaces()
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._elements: dict[KeyPath, int] = {}
        """Arrays of tables met so far, and how many elements each has."""

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.lines

    def keys(self) -> list[str]:
        """Read a key with its dots; an empty list where none stands."""
        keys: list[str] = []
        while True:
            self._skip(_SPACES)
            if self.text[self.at : self.at + 1] in ('"', "'"):
                start = self.at
                self._skip_string()
                keys.append(str(tomllib.loads(f"key = {self.text[start : self.at]}")["key"]))
            else:
                match = _BARE_KEY.match(self.text, self.at)
                if match is None:
                    return []
                keys.append(match.group())
                self.at = match.end()
            self._skip(_SPACES)
            if self.text[self.at : self.at + 1] != ".":
                return keys
            self.at += 1

    def _header(self) -> KeyPath:
        """Read `[table]` or `[[array]]` and return the path that the following pairs belong to."""
        line, start = self._line(), self.at
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        *outer, last = self.keys()
        self.at += brackets
        path: KeyPath = ()
        for key in outer:
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        path = (*path, last)
        if brackets == 1:
            self.lines[path] = line
            self.places.headers[path] = Span(start, self.at)
            return path
        self.lines.setdefault(path, line)
        element = self._elements.get(path, 0)
        self._elements[path] = element + 1
        path = (*path, element)
        self.lines[path] = line
        return path

    def _pair(self, table: KeyPath) -> None:
        line, start = self._line(), self.at
        path = table
        for key in self.keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.lines[path] = line
        self.at += 1  # the equals sign
        self._skip(_SPACES)
        value = self.at
        self._value(path)
        end = value + len(self.text[value : self.at].rstrip())
        self.places.values[path] = Span(value, end)
        self.places.pairs[path] = Span(start, end)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening in ('"', "'"):
            self._skip_string()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        self._skip(_BLANK)
        while self.text[self.at] != "]":
            self.lines[*path, index] = self._line()
            self._value((*path, index))
            index += 1
            self._skip_comma()
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_BLANK)
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip_comma()
        self.at += 1

    def _skip_comma(self) -> None:
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)

    def _skip_string(self) -> None:
        for opening, pattern in _STRINGS:
            if self.text.startswith(opening, self.at):
                match = pattern.match(self.text, self.at)
                if match is None:
                    raise ValueError(f"a string without an end: {opening}")
                self.at = match.end()
                return

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            if pattern is _BLANK and "#" in match.group():
                self.places.comments.extend(_COMMENT.findall(match.group()))

    def _line(self) -> int:
        return bisect_left(self._newlines, self.at) + 1
