"""JSON objects in a text that was meant for people: read with the slips that models make, in bounded work.

Understood besides JSON: single quotes and Python's literals, bare words, missing and trailing commas, line breaks in
texts, and closing brackets that are missing at the very end. Numbers that JSON cannot carry are no values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final, NamedTuple

MOST_CHARS: Final = 32_768
"""Of a text no more is read: several times what a reply may be long."""
MOST_NESTING: Final = 32
_PASSES: Final = 2
"""How often, at most, all of the text is gone over, whatever brackets it holds."""

_OPENED: Final = re.compile(r"""\{(?=[\s\ufeff,]*+(?:["'}A-Za-z_$]|\Z))""")
"""Braces in which an object may begin: what follows is a name, or its end."""
_SPACE: Final = re.compile(r"[\s\ufeff]*+")
_GAP: Final = re.compile(r"[\s\ufeff,]*+")
_COLON: Final = re.compile(r"[\s\ufeff]*+:")
_STRINGS: Final = {
    '"': re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL),
}
_NUMBER: Final = re.compile(r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?+(?![\w.])")
_WORD: Final = re.compile(r"[A-Za-z_$][\w$.-]*+")
_ESCAPE: Final = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U(0010[0-9a-fA-F]{4}|000[0-9a-fA-F]{5})|(.))", re.DOTALL
)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_LITERALS: Final[dict[str, bool | None]] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
}
_NO_VALUES: Final = frozenset({"NaN", "Infinity", "undefined"})
_EXACT: Final = 2**53


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


_DECODER: Final = json.JSONDecoder(strict=False, parse_constant=_no_number)
_STRICT_TRIES: Final = 16
"""So many objects of a text are tried as plain JSON: what that takes is not counted."""


class Found(NamedTuple):
    """One object in a text."""

    value: dict[str, Any]
    start: int
    end: int
    closed: bool
    """False: its last brackets are missing, as the text ends."""


class _NoValueError(ValueError):
    """What stands here is no value."""


class _SpentError(Exception):
    """The text takes more work than it is worth."""


def find_objects(text: str) -> Iterator[Found]:
    """Yield the objects in `text` that stand in no other one, in their order."""
    reader = _Reader(encodable(text[: MOST_CHARS + 1]))
    place = tried = 0
    while (opened := _OPENED.search(reader.text, place)) is not None:
        start = opened.start()
        tried += 1
        if tried <= _STRICT_TRIES and (plain := reader.plain_object_at(start)) is not None:
            yield plain
            place = plain.end
            continue
        try:
            value, end = reader.object_at(start, 1)
        except ValueError:
            place = start + 1
            continue
        except _SpentError:
            return
        yield Found(value, start, end, not reader.left_open)
        place = end


class _Reader:
    """Reads values at places of one text, and counts how much it has gone over."""

    def __init__(self, text: str) -> None:
        self.text = text[:MOST_CHARS]
        self.left_open = False
        self._has_codes = "\\u" in self.text
        ended = self.text.rstrip("\ufeff \t\r\n")[-1:]
        self._may_end = len(text) <= MOST_CHARS and ended not in (",", "{", "[", ":")
        self._left = _PASSES * len(self.text) + 100

    def plain_object_at(self, start: int) -> Found | None:
        """Read the object whose brace is at `start` if it is plain JSON: as `object_at` does, at a fraction of the work."""
        if self._has_codes:  # halves of surrogate pairs need a look of their own
            return None
        try:
            value, end = _DECODER.raw_decode(self.text, start)
            return Found(bounded(value), start, end, closed=True)
        except (ValueError, RecursionError):
            return None

    def object_at(self, start: int, depth: int) -> tuple[dict[str, Any], int]:
        """Read the object whose brace is at `start`."""
        self.left_open = False
        self._spend(1)
        if depth > MOST_NESTING:
            raise _NoValueError
        members: dict[str, Any] = {}
        place = start + 1
        while True:
            place = self._skip(_GAP, place)
            if self._ends(place, "}"):
                return members, min(place + 1, len(self.text))
            name, place = self._name(place)
            colon = _COLON.match(self.text, place)
            if colon is None:
                raise _NoValueError
            members[name], place = self._value(self._skip(_SPACE, colon.end()), depth)

    def _list_at(self, start: int, depth: int) -> tuple[list[Any], int]:
        self._spend(1)
        if depth > MOST_NESTING:
            raise _NoValueError
        items: list[Any] = []
        place = start + 1
        while True:
            place = self._skip(_GAP, place)
            if self._ends(place, "]"):
                return items, min(place + 1, len(self.text))
            value, place = self._value(place, depth)
            items.append(value)

    def _ends(self, place: int, bracket: str) -> bool:
        """Say whether an object or list ends here: by its bracket, or as the text does after a whole value."""
        if place < len(self.text):
            return self.text[place] == bracket
        if not self._may_end:
            raise _NoValueError
        self.left_open = True
        return True

    def _name(self, place: int) -> tuple[str, int]:
        if self.text[place] in _STRINGS:
            return self._string(place)
        word = _WORD.match(self.text, place)
        if word is None:
            raise _NoValueError
        self._spend(word.end() - place)
        return word.group(), word.end()

    def _value(self, place: int, depth: int) -> tuple[Any, int]:
        if place >= len(self.text):
            raise _NoValueError
        first = self.text[place]
        if first in _STRINGS:
            return self._string(place)
        if first == "{":
            return self.object_at(place, depth + 1)
        if first == "[":
            return self._list_at(place, depth + 1)
        if (number := _NUMBER.match(self.text, place)) is not None:
            self._spend(number.end() - place)
            return _number(number.group()), number.end()
        word = _WORD.match(self.text, place)
        if word is None or word.group() in _NO_VALUES:
            raise _NoValueError
        self._spend(word.end() - place)
        return _LITERALS.get(word.group(), word.group()), word.end()

    def _string(self, place: int) -> tuple[str, int]:
        found = _STRINGS[self.text[place]].match(self.text, place)
        if found is None:
            self._spend(len(self.text) - place)
            raise _NoValueError
        self._spend(found.end() - place)
        return unescaped(found.group(1)), found.end()

    def _skip(self, pattern: re.Pattern[str], place: int) -> int:
        found = pattern.match(self.text, place)
        end = place if found is None else found.end()
        self._spend(end - place)
        return end

    def _spend(self, chars: int) -> None:
        self._left -= chars + 1
        if self._left < 0:
            raise _SpentError


def unescaped(text: str) -> str:
    """Return what a text of JSON stands for; halves of surrogate pairs become U+FFFD, as nothing can carry them."""
    if "\\" in text:
        text = _ESCAPE.sub(_meant, text)
    return encodable(text)


def encodable(text: str) -> str:
    """Return `text` with whole surrogate pairs joined and halves of them replaced."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _meant(escape: re.Match[str]) -> str:
    *codes, character = escape.groups()
    code = codes[0] or codes[1] or codes[2]
    return chr(int(code, 16)) if code else _ESCAPED.get(character, character)


def _number(text: str) -> int | float:
    if text.lstrip("+-").isdecimal() and len(text) <= 20:
        return bounded_number(int(text))
    return bounded_number(float(text))


def bounded(value: Any, depth: int = 1) -> Any:
    """Return a decoded JSON value with its numbers as `find_objects` gives them.

    Raises:
        ValueError: it is nested too deep, or holds a number that no calculation bears.
    """
    if depth > MOST_NESTING:
        raise ValueError(f"nested deeper than {MOST_NESTING}")
    if isinstance(value, dict):
        members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return {name: bounded(member, depth + 1) for name, member in members.items()}
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [bounded(item, depth + 1) for item in items]
    return bounded_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def bounded_number(number: float) -> int | float:
    """Return a number that any calculation bears: whole ones that are not exact as floats become floats.

    Raises:
        ValueError: it is not finite.
    """
    if isinstance(number, int) and -_EXACT <= number <= _EXACT:
        return number
    try:
        as_float = float(number)
    except OverflowError:
        raise ValueError("a number is too large") from None
    if not isfinite(as_float):
        raise ValueError("a number is too large")
    return as_float
