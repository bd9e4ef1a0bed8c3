"""Tests as a list: which are meant, which one, and how they are written."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from console.records.figures_text import NONE
from console.records.text_table import TextTable, cells, grouped_lines, table_lines
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Verdict
from console.vocabulary.safe_text import safe_line

_SHOWN: Final = 8
NOT_FULL: Final = tuple(str(verdict) for verdict in Verdict if verdict is not Verdict.FULL)

Test = Mapping[str, Any]
"""A row of the table of tests."""


class Picked(msgspec.Struct, frozen=True, kw_only=True):
    """Which tests are meant; an empty tuple: all."""

    verdicts: tuple[str, ...] = ()
    error_classes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    prompt_types: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()


def pick_tests(table: pl.DataFrame, picked: Picked) -> pl.DataFrame:
    """Return the rows of the tests that are meant."""
    wanted = {"verdict": picked.verdicts, "error_class": picked.error_classes, **_parts(picked)}
    for column, values in wanted.items():
        if values:
            table = table.filter(pl.col(column).is_in(values))
    return table


def strangers(table: pl.DataFrame, picked: Picked) -> list[str]:
    """Return a line for every value that is picked and that no test has, with those that there are."""
    lines: list[str] = []
    for column, values in _parts(picked).items():
        there = table[column].drop_nulls().unique(maintain_order=True).to_list()
        lines += [
            f"no test here has {column.replace('_', ' ')} '{safe_line(value, 80)}': there are "
            + (", ".join(safe_line(one, 80) for one in there) or "none")
            for value in values
            if value not in there
        ]
    return lines


def _parts(picked: Picked) -> dict[str, tuple[str, ...]]:
    """Return what is picked of the parts of ids, by their columns."""
    return {
        "model": picked.models,
        "prompt_type": picked.prompt_types,
        "difficulty": picked.difficulties,
        "rate": picked.rates,
        "task_type": picked.task_types,
    }


def meant_test(tests: Sequence[str], ref: str, planned: Iterable[str] = ()) -> str:
    """Return the id that `ref` means: an id, the end of exactly one, or a part of exactly one.

    Args:
        tests: ids to choose from.
        ref: what was written.
        planned: ids of tests that may not have been played yet.

    Raises:
        ConsoleError: if it means none, or several.
    """
    if ref in tests:
        return ref
    meant = [test for test in tests if test.endswith(ref)] or [test for test in tests if ref in test]
    if len(meant) == 1:
        return meant[0]
    word = safe_line(ref, 120)
    if meant:
        more = f" and {len(meant) - _SHOWN} more" if len(meant) > _SHOWN else ""
        shown = ", ".join(safe_line(test, 200) for test in meant[:_SHOWN])
        raise ConsoleError(f"'{word}' is part of {len(meant)} ids", hint=f"they are {shown}{more}")
    if any(ref in test for test in planned):
        raise ConsoleError(f"'{word}' is planned, and has no result yet")
    raise ConsoleError(f"there is no test '{word}' among these {len(tests)}")


def list_lines(table: pl.DataFrame, title: str, width: int | None) -> list[str]:
    """Return tests as lines of text, their ids never cut.

    Where whole ids have no room, their beginnings stand above the tests that share them.

    Args:
        table: tests, in the order to show.
        title: in front of them.
        width: columns to keep to, as far as ids allow; None: whole ids and all columns.
    """
    tests = table.to_dicts()
    for lanes in (True, False):
        lines = table_lines(_table(title, [test["test"] for test in tests], tests, lanes=lanes), None)
        if width is None or max(map(cells, lines)) <= width:
            return lines
    parts = [_split(test) for test in tests]
    ends = [f"  {end}" if start else end for start, end in parts]
    for lanes in (True, False):
        lines = grouped_lines(_table(title, ends, tests, lanes=lanes), [start for start, _ in parts], None)
        if max(map(cells, lines)) <= width:
            break
    return lines


def _table(title: str, names: Sequence[str], tests: Sequence[Test], *, lanes: bool) -> TextTable:
    rows = [
        (name, test["verdict"], score_text(test["score"]), str(test["turns"]), test["error_class"] or "-")
        + ((lane_of(test).id,) if lanes else ())
        for name, test in zip(names, tests, strict=True)
    ]
    columns = ("test", "verdict", "score", "turns", "error", *(("lane",) if lanes else ()))
    return TextTable(title, columns, tuple(rows), words=frozenset({0, 1, 4, 5}))


def _split(test: Test) -> tuple[str, str]:
    """Return the beginning of an id that neighbours share, and the rest; of what is no test id there is no beginning."""
    if test["task_type"] is None:
        return "", test["test"]
    start, task_type, instance = test["test"].rsplit("/", 2)
    return start, f"{task_type}/{instance}"


def lane_of(test: Test) -> Lane:
    """Return the lane on which a test was played."""
    return Lane(test["provider"], test["model"], test["deployment"], test["key"])


def score_text(score: float | None) -> str:
    """Write a score of 0 … 1."""
    return NONE if score is None else f"{score:.3f}"
