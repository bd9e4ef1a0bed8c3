"""The tests of a run as a table that makes only the rows in sight; sorted and searched by Polars."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from console.records.tests_list import lane_of, score_text
from console.screens.results.places import DOWN, Place
from console.screens.results.sheet import Column, Row, Sort, SortKey
from console.vocabulary.outcome import Verdict

Test = Mapping[str, Any]
_TITLES: Final = {
    "model": "model",
    "prompt_type": "prompt",
    "difficulty": "difficulty",
    "rate": "rate",
}
TONES: Final = {str(Verdict.FAILURE): "bad", str(Verdict.INFRASTRUCTURE): "warn"}


class _Part(msgspec.Struct, frozen=True):
    column: Column
    text: Callable[[Test], str]
    sort: pl.Expr
    """What the column is sorted by."""


def _words(name: str, title: str) -> _Part:
    return _Part(Column(name, title), lambda test: test[name] or "-", pl.col(name).str.to_lowercase())


def _count(name: str, title: str) -> _Part:
    return _Part(
        Column(name, title, figures=True),
        lambda test: "-" if test[name] is None else f"{test[name]:,}",
        pl.col(name),
    )


_NAME: Final = _Part(
    Column("test", "test"),
    lambda test: test["test"] if test["task_type"] is None else f"{test['task_type']}/{test['instance']}",
    pl.struct("task_type", "instance", "test"),
)
_FIRST: Final = (
    _words("verdict", "verdict"),
    _Part(
        Column("score", "score", figures=True),
        lambda test: score_text(test["score"]) if test["score"] is not None else "-",
        pl.col("score"),
    ),
    _words("error_class", "error"),
)
_BEHIND: Final = (
    _count("turns", "turns"),
    _count("requests", "requests"),
    _Part(
        Column("seconds", "seconds", figures=True),
        lambda test: f"{test['duration_ns'] / 1e9:,.1f}",
        (pl.col("duration_ns") / 1e9),
    ),
    _count("prompt_tokens", "tok in"),
    _count("completion_tokens", "tok out"),
    _Part(
        Column("lane", "lane"),
        lambda test: lane_of(test).id,
        pl.concat_str(["provider", "deployment", "key"], separator="/"),
    ),
    _count("attempt", "attempt"),
    _words("reused_from", "reused from"),
    _Part(Column("detail", "why"), lambda test: " ".join(test["detail"].split()), pl.col("detail")),
)
_SEARCHED: Final = ("test", "verdict", "error_class", "provider", "deployment", "key", "detail")


class TestsSheet:
    """A list of tests."""

    __test__ = False
    tests = True
    noun = "tests"

    def __init__(
        self, place: Place, table: pl.DataFrame, title: str, notes: tuple[str, ...], empty: str
    ) -> None:
        """List the rows of `table`, which has the columns of the table of tests."""
        self.place, self.title, self.notes, self.empty = place, title, notes, empty
        self.table = table
        varying = [
            _words(axis, _TITLES[axis]) for axis in DOWN if axis in _TITLES and table[axis].n_unique() > 1
        ]
        self._parts = (_NAME, *_FIRST, *varying, *(part for part in _BEHIND if _is_shown(part, table)))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        return tuple(part.column for part in self._parts)

    @property
    def count(self) -> int:
        """How many tests there are."""
        return self.table.height

    def __len__(self) -> int:
        """Return how many tests there are."""
        return self.table.height

    def row(self, index: int) -> Row:
        """Return one test."""
        test = self.table.row(index, named=True)
        texts = tuple(part.text(test) for part in self._parts)
        tone = TONES.get(test["verdict"], "")
        return Row(test["test"], texts, _keys(test, self._parts, texts), tone=tone)

    def index_of(self, row_id: str) -> int | None:
        """Return which row a test is."""
        found: int | None = self.table["test"].index_of(row_id)
        return found

    def order(self, sort: Sort | None, words: tuple[str, ...]) -> Sequence[int]:
        """Return which tests have all words, sorted."""
        if sort is None and not words:
            return range(self.table.height)
        table = self.table.lazy().with_row_index("_place")
        if words:
            text = pl.concat_str([pl.col(name).fill_null("") for name in _SEARCHED], separator="\n")
            lowered = text.str.to_lowercase()
            for word in words:
                table = table.filter(lowered.str.contains(word, literal=True))
        if sort is not None and sort.column < len(self._parts):
            table = table.sort(
                self._parts[sort.column].sort,
                descending=sort.descending,
                nulls_last=True,
                maintain_order=True,
            )
        return table.select("_place").collect()["_place"].to_list()


def _is_shown(part: _Part, table: pl.DataFrame) -> bool:
    """Leave out what no test has."""
    name = part.column.name
    return name != "reused_from" or bool(table[name].count())


def _keys(test: Test, parts: Sequence[_Part], texts: Sequence[str]) -> tuple[SortKey, ...]:
    """Return what files hold: figures as they are, else the text."""
    keys: list[SortKey] = []
    for part, text in zip(parts, texts, strict=True):
        name = part.column.name
        if name == "test":
            keys.append(test["test"])
        elif name == "seconds":
            keys.append(test["duration_ns"] / 1e9)
        else:
            keys.append(test[name] if part.column.figures else text)
    return tuple(keys)
