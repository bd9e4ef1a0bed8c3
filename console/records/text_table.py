"""Tables of plain text in the columns of a terminal.

Where there is no room, columns that may go do so, then one column of names is cut: in the middle, and so that
names that differ still do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from console.vocabulary.safe_text import safe_line

_GAP: Final = "  "
_NARROWEST: Final = 10
"""No narrower than this does a column become."""


class TextTable(msgspec.Struct, frozen=True):
    """A table with all cells written out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    """Columns of words, set to the left; the others hold figures, set to the right."""
    cut: int = 0
    """The column whose cells are cut where there is no room."""
    room: int = 16
    """Columns in `gives` leave before `cut` becomes narrower than this."""
    gives: tuple[int, ...] = ()
    """Columns that leave where there is no room, in this order."""
    tail: float = 1 / 3
    """Share of a cut cell that is its end."""


def table_lines(table: TextTable, width: int | None) -> list[str]:
    """Return title, head and rows, fitted to `width` columns; None: nothing is left out or cut."""
    rows = [[safe_line(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(cells(row[index]) for row in rows) for index in range(len(table.columns))]
    shown = list(range(len(widths)))
    if width is not None:
        _leave(table, shown, widths, width)
        over = _total(shown, widths) - width
        if over > 0 and table.cut in shown:
            widths[table.cut] = min(widths[table.cut], max(_NARROWEST, widths[table.cut] - over))
            _cut(rows, table.cut, widths[table.cut], table.tail)
    return [safe_line(table.title), *(_line(row, shown, widths, table.words) for row in rows)]


def grouped_lines(table: TextTable, above: Sequence[str], width: int | None) -> list[str]:
    """Return title, head and rows as `table_lines` does, with what neighbours share on a line of its own above them.

    Args:
        table: the table.
        above: for each row what stands above it; nothing is shown where it is empty.
        width: columns; None: nothing is left out or cut.
    """
    title, head, *rows = table_lines(table, width)
    lines = [title, head]
    before = ""
    for shared, row in zip(above, rows, strict=True):
        if shared and shared != before:
            lines.append(safe_line(shared))
        before = shared
        lines.append(row)
    return lines


def _leave(table: TextTable, shown: list[int], widths: Sequence[int], width: int) -> None:
    """Take columns out of `shown` until the others have room."""
    spare = max(0, widths[table.cut] - table.room)
    for index in table.gives:
        if _total(shown, widths) - spare <= width:
            return
        shown.remove(index)


def _total(shown: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[index] for index in shown) + len(_GAP) * (len(shown) - 1)


def _cut(rows: list[list[str]], column: int, width: int, tail: float) -> None:
    short = shorten_apart((row[column] for row in rows[1:]), width, tail)
    for row in rows[1:]:
        row[column] = short[row[column]]
    rows[0][column] = shorten(rows[0][column], width)


def _line(row: Sequence[str], shown: Sequence[int], widths: Sequence[int], words: frozenset[int]) -> str:
    parts: list[str] = []
    for index in shown:
        space = " " * (widths[index] - cells(row[index]))
        parts.append(row[index] + space if index in words else space + row[index])
    return _GAP.join(parts).rstrip()


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def shorten(text: str, width: int, tail: float = 1 / 3) -> str:
    """Cut the middle out of a text that is too wide: names of models differ at both ends."""
    return _ends(text, width, int((width - 1) * tail))


def shorten_apart(texts: Iterable[str], width: int, tail: float = 1 / 3) -> dict[str, str]:
    """Return every text cut to `width`, keeping more of the ends, as far as it takes, to tell them apart."""
    wanted = list(dict.fromkeys(texts))
    for tail_cells in range(int((width - 1) * tail), width):
        short = [_ends(text, width, tail_cells) for text in wanted]
        if len(set(short)) == len(wanted):
            return dict(zip(wanted, short, strict=True))
    return _without_shared(wanted, width)


def _without_shared(texts: Sequence[str], width: int) -> dict[str, str]:
    """Drop what all texts that are too wide begin and end with: they differ in the middle alone."""
    wide = [text for text in texts if cells(text) > width]
    begin = _shared(wide)
    end = _shared([text[begin:][::-1] for text in wide])
    cores = [text[begin : len(text) - end] for text in wide]
    short = [shorten(f"{'…' if begin else ''}{core}{'…' if end else ''}", width) for core in cores]
    return {text: text for text in texts} | dict(zip(wide, short, strict=True))


def _shared(texts: Sequence[str]) -> int:
    """Return how many characters all texts begin with."""
    for index, chars in enumerate(zip(*texts, strict=False)):
        if len(set(chars)) > 1:
            return index
    return min(map(len, texts), default=0)


def _ends(text: str, width: int, tail_cells: int) -> str:
    if cells(text) <= width:
        return text
    tail = text[-tail_cells:] if tail_cells > 0 else ""
    while cells(tail) > tail_cells:
        tail = tail[1:]
    return f"{_head(text, width - 1 - cells(tail))}…{tail}"


def _head(text: str, width: int) -> str:
    while text and cells(text) > width:
        text = text[:-1]
    return text
