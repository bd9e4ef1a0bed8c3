"""Tables of plain text in the columns of a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec

from console.vocabulary.safe_text import safe_line

_GAP: Final = "  "
_NARROWEST: Final = 10
"""No narrower than this does it become."""


class TextTable(msgspec.Struct, frozen=True):
    """A table with all cells written out; the first column gives way where there is no room."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    """Columns of words, set to the left; the others hold figures, set to the right."""


def table_lines(table: TextTable, width: int) -> list[str]:
    """Return title, head and rows, the first column cut where a line would be wider than `width`."""
    rows = [[safe_line(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(cells(row[index]) for row in rows) for index in range(len(table.columns))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    if over > 0:
        widths[0] = max(_NARROWEST, widths[0] - over)
    return [safe_line(table.title), *(_line(row, widths, table.words) for row in rows)]


def _line(row: Sequence[str], widths: Sequence[int], words: frozenset[int]) -> str:
    parts: list[str] = []
    for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
        text = shorten(cell, width)
        space = " " * (width - cells(text))
        parts.append(text + space if index in words else space + text)
    return _GAP.join(parts).rstrip()


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def shorten(text: str, width: int) -> str:
    """Cut the middle out of a text that is too wide: names of models differ at both ends."""
    if cells(text) <= width:
        return text
    tail = text[-((width - 1) // 3) :] if width > 3 else ""
    while cells(tail) > (width - 1) // 3:
        tail = tail[1:]
    head = text
    while head and cells(head) + cells(tail) > width - 1:
        head = head[:-1]
    return f"{head}…{tail}"
