"""A table of results as values: its columns, its rows, and in which order they stand under a sort and a filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from console.screens.results.places import Place, Step

SortKey = float | int | str | None
"""What a cell is sorted by, and exported as; None comes last in either order."""


class Column(NamedTuple):
    """One column."""

    name: str
    """Unique in its table; what the column is called in a file."""
    title: str
    figures: bool = False
    """Set to the right."""


class Row(NamedTuple):
    """One row. Its texts may come from models and servers: whoever shows them makes them safe."""

    id: str
    cells: tuple[str, ...]
    keys: tuple[SortKey, ...]
    opens: tuple[Step, ...] = ()
    """Where Enter leads, behind the steps of the table; nothing: nowhere."""
    tone: str = ""
    """`strong`, `bad`, `warn` and `muted` for what says so in words as well."""
    total: bool = False
    """Whether it sums up the others: it stays last, whatever the sort."""


class Sort(NamedTuple):
    """A column and a direction."""

    column: int
    descending: bool = False


class Sheet(Protocol):
    """A table. Rows are asked for when they come into sight, orders in a thread."""

    @property
    def place(self) -> Place:
        """Where it is, with the steps that were passed over as there was no choice."""
        ...

    @property
    def title(self) -> str:
        """What it is a table of."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns; the first one is always in sight."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What its figures mean."""
        ...

    @property
    def noun(self) -> str:
        """What rows are called in the plural."""
        ...

    @property
    def empty(self) -> str:
        """What is said where it has no row: why, and what to do."""
        ...

    @property
    def tests(self) -> bool:
        """Whether rows are tests, which Enter opens."""
        ...

    @property
    def count(self) -> int:
        """How many things it shows, without the row that sums them up."""
        ...

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def row(self, index: int) -> Row:
        """Return one row."""
        ...

    def order(self, sort: Sort | None, words: tuple[str, ...]) -> Sequence[int]:
        """Return which rows have all words, whatever their case, sorted; equal ones stay in the order they have."""
        ...

    def index_of(self, row_id: str) -> int | None:
        """Return which row it is; None: there is none any more."""
        ...


@dataclass(frozen=True)
class Listed:
    """A table whose rows are all there."""

    place: Place
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    noun: str = "rows"
    empty: str = "nothing to show"
    tests: bool = False

    @property
    def count(self) -> int:
        """How many rows there are but for totals."""
        return sum(not row.total for row in self.rows)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def row(self, index: int) -> Row:
        """Return one row."""
        return self.rows[index]

    def index_of(self, row_id: str) -> int | None:
        """Return which row it is."""
        return next((index for index, row in enumerate(self.rows) if row.id == row_id), None)

    def order(self, sort: Sort | None, words: tuple[str, ...]) -> Sequence[int]:
        """Return which rows are shown, sorted, totals behind the others."""
        shown: Sequence[int] = range(len(self.rows))
        if words:
            texts = ["\n".join(row.cells).casefold() for row in self.rows]
            shown = [index for index in shown if all(word in texts[index] for word in words)]
        if sort is None or sort.column >= len(self.columns):
            return shown
        keys = {index: self.rows[index].keys[sort.column] for index in shown}
        totals = [index for index in shown if self.rows[index].total]
        others = [index for index in shown if not self.rows[index].total]
        known = [index for index in others if not _unknown(keys[index])]
        unknown = [index for index in others if _unknown(keys[index])]
        known.sort(key=lambda index: _ranked(keys[index]), reverse=sort.descending)
        return [*known, *unknown, *totals]


def _unknown(key: SortKey) -> bool:
    return key is None or (isinstance(key, float) and math.isnan(key))


def _ranked(key: SortKey) -> tuple[int, float, str]:
    """Numbers stand before words, and words regardless of case."""
    return (1, 0.0, key.casefold()) if isinstance(key, str) else (0, float(key or 0), "")
