"""The rows of a table without a screen: their order under a sort and a filter, and the numbers in their text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from widgets.line_paint import Tone
from widgets.word_filter import has_all, words_of

SortKey = float | int | str | None
"""What a cell is sorted by; None comes last in either order."""
_NUMBER: Final = re.compile(r"[-+]?\d[\d,_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+]?\.\d+")
_PREFIXES: Final = {"k": 1e3, "M": 1e6, "G": 1e9}


class TableColumn(NamedTuple):
    """One column."""

    title: str
    align: Literal["left", "right"] = "left"
    numeric: bool = False
    """Sorted by the number that its text begins with, where no keys are given."""
    least: int = 0
    """Never narrower than this."""
    most: int = 48
    """Longer text is cut, and marked where it is."""


class TableRow(NamedTuple):
    """One row; all text is shown as it is, without markup."""

    id: str
    """Unique: the cursor and the marks stay on it."""
    cells: tuple[str, ...]
    keys: tuple[SortKey, ...] = ()
    """What each cell is sorted by; empty: its text."""
    tone: Tone = ""
    tones: tuple[Tone, ...] = ()
    """Of each cell, where they differ from that of the row."""


class Rows(Protocol):
    """Any sequence of rows; one that makes each row when it is asked for keeps a long table cheap."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def __getitem__(self, index: int, /) -> TableRow:
        """Return one row."""
        ...


@dataclass(frozen=True)
class RowsFrom:
    """Rows made by a function when they come into sight."""

    count: int
    at: Callable[[int], TableRow]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self.count

    def __getitem__(self, index: int, /) -> TableRow:
        """Make one row."""
        return self.at(index)


class SortBy(NamedTuple):
    """A column and a direction."""

    column: int
    descending: bool = False


def order_of(
    rows: Rows,
    columns: Sequence[TableColumn],
    sort: SortBy | None,
    filter_text: str,
    keys_of: Callable[[int], Sequence[SortKey]] | None = None,
) -> Sequence[int]:
    """Return which rows are shown and in what order; rows that are equal stay in the order they were given.

    `keys_of` gives the sort keys of a whole column at once, where rows are too costly to be made for that.
    """
    words = words_of(filter_text)
    shown: Sequence[int] = range(len(rows))
    if words:
        shown = [index for index in shown if has_all(words, "\n".join(rows[index].cells))]
    if sort is None or sort.column >= len(columns):
        return shown
    if keys_of is not None:
        given = keys_of(sort.column)
        keys = {index: given[index] for index in shown}
    else:
        numeric = columns[sort.column].numeric
        keys = {index: _key(rows[index], sort.column, numeric) for index in shown}
    known = [index for index in shown if not _unknown(keys[index])]
    unknown = [index for index in shown if _unknown(keys[index])]
    known.sort(key=lambda index: _ranked(keys[index]), reverse=sort.descending)
    return known + unknown


def number_in(text: str) -> float | None:
    """Return the number that a text begins with, such as 1204 of `1,204 ms` and 12000 of `12k`; None: there is none."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    value = float(found.group().replace(",", "").replace("_", ""))
    return value * _PREFIXES.get(text[found.end() : found.end() + 1], 1.0)


def _key(row: TableRow, column: int, numeric: bool) -> SortKey:
    if column < len(row.keys):
        return row.keys[column]
    text = row.cells[column] if column < len(row.cells) else ""
    return number_in(text) if numeric else text or None


def _unknown(key: SortKey) -> bool:
    return key is None or (isinstance(key, float) and math.isnan(key))


def _ranked(key: SortKey) -> tuple[int, float, str]:
    """Numbers stand before words, and words regardless of case."""
    return (1, 0.0, key.casefold()) if isinstance(key, str) else (0, float(key or 0), "")
