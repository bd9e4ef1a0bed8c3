"""The columns of `requests` and `tests`: names, types, and where each comes from.

Lanes are flattened into provider, model, deployment and key; ids of tests are split into their parts, which are
null where the id is `prompt/N`; marks are flattened too, and null where a test has none. Every column is there
even in an empty table. Durations are in ns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from console.vocabulary.rows import RequestRow, TestRow
from console.vocabulary.test_id import TestId


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One row on its way into a table."""

    segment: str
    line: int
    session: int
    """Which start of the run it belongs to, from 0."""
    offset_ns: int
    """Start of that session, since the start of the first."""
    test_id: TestId | None
    row: Any
    """A RequestRow or a TestRow."""

    @property
    def since_first_ns(self) -> int:
        """When it happened, on one axis for all sessions."""
        return self.offset_ns + self.row.at_ns

    @property
    def tpot_ns(self) -> float | None:
        """Time per output token after the first, where usage says how many tokens there were."""
        row: RequestRow = self.row
        tokens = row.completion_tokens
        if not row.stream or row.latency_ns is None or row.ttft_ns is None or tokens is None or tokens <= 1:
            return None
        return (row.latency_ns - row.ttft_ns) / (tokens - 1)


Column = tuple[str, "pl.DataType | type[pl.DataType]", Callable[[Entry], Any]]


def _part(name: str) -> Callable[[Entry], Any]:
    def part(entry: Entry) -> Any:
        return None if entry.test_id is None else getattr(entry.test_id, name)

    return part


def _of(owner: str, names: Iterable[str], kind: type[pl.DataType]) -> list[Column]:
    return [(name, kind, attrgetter(f"{owner}.{name}" if owner else name)) for name in names]


def _mark(path: str) -> Callable[[Entry], Any]:
    """Return a getter of a mark such as `original.workflow`; None as soon as a step on the way is absent."""
    steps = path.split(".")

    def mark(entry: Entry) -> Any:
        value: Any = entry.row.marks
        for step in steps:
            if value is None:
                return None
            value = getattr(value, step)
        return None if value is None else value.value if isinstance(value, StrEnum) else value

    return mark


def _marks(names: Iterable[str], kind: type[pl.DataType]) -> list[Column]:
    return [(name, kind, _mark(name)) for name in names]


def _reused_from(entry: Entry) -> str | None:
    return entry.row.reused_from or None


_PLACE: Final[list[Column]] = [
    ("segment", pl.String, attrgetter("segment")),
    ("line", pl.Int64, attrgetter("line")),
    ("session", pl.Int64, attrgetter("session")),
    *_of("row.lane", ("provider", "model", "deployment", "key"), pl.String),
    ("test", pl.String, attrgetter("row.test")),
    *((name, pl.String, _part(name)) for name in ("prompt_type", "difficulty", "rate", "task_type")),
    ("instance", pl.Int64, _part("instance")),
    ("at_ns", pl.Int64, attrgetter("row.at_ns")),
    ("since_first_ns", pl.Int64, attrgetter("since_first_ns")),
]
"""In front of every table. `at_ns` counts from the start of its session, `since_first_ns` from the first's."""

REQUESTS: Final[list[Column]] = [
    *_PLACE,
    *_of("row", ("attempt", "turn", "try_no"), pl.Int64),
    ("outcome", pl.String, attrgetter("row.outcome.value")),
    *_of("row", ("status",), pl.Int64),
    *_of("row", ("error", "error_code"), pl.String),
    *_of("row", ("due_ns", "limiter_wait_ns", "held_ns", "retry_wait_ns", "connect_ns"), pl.Int64),
    *_of("row", ("ttft_ns", "ttfo_ns", "latency_ns", "total_ns"), pl.Int64),
    ("tpot_ns", pl.Float64, attrgetter("tpot_ns")),
    *_of("row", ("chunks",), pl.Int64),
    ("chunk_gap_ns", pl.List(pl.Int64), attrgetter("row.chunk_gap_ns")),
    *_of("row", ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens"), pl.Int64),
    *_of("row", ("finish_reason",), pl.String),
    *_of("row", ("retry_after_s",), pl.Float64),
    *_of("row", ("request_id",), pl.String),
    *_of("row", ("stream", "simulated"), pl.Boolean),
]

TESTS: Final[list[Column]] = [
    *_PLACE,
    *_of("row", ("attempt",), pl.Int64),
    *_of("row", ("job",), pl.String),
    ("verdict", pl.String, attrgetter("row.verdict.value")),
    *_of("row", ("score",), pl.Float64),
    *_of("row", ("turns", "requests"), pl.Int64),
    *_of("row", ("duration_ns", "service_ns", "limiter_wait_ns", "held_ns", "retry_wait_ns"), pl.Int64),
    *_of("row", ("prompt_tokens", "completion_tokens"), pl.Int64),
    *_of("row", ("detail",), pl.String),
    *_marks(("goal_reached", "finished"), pl.Boolean),
    *_marks(("conditions", "coverage"), pl.Float64),
    ("order_share", pl.Float64, _mark("order")),
    *_marks(("efficiency", "recovery"), pl.Float64),
    *_marks(("needed_calls", "calls", "failed_calls", "chance_failures", "format_errors"), pl.Int64),
    *_marks(("assisted_turns",), pl.Int64),
    *_marks(("error_class",), pl.String),
    *(
        (f"original_{name}", pl.Float64, _mark(f"original.{name}"))
        for name in ("workflow", "phase2", "quality")
    ),
    ("original_verdict", pl.String, _mark("original.verdict")),
    ("reused_from", pl.String, _reused_from),
]


def schema(columns: list[Column]) -> pl.Schema:
    """Return the types of a table."""
    return pl.Schema({name: kind for name, kind, _ in columns})


def frame(columns: list[Column], entries: list[Entry]) -> pl.DataFrame:
    """Return entries as a table, all columns with their types even if there are no rows."""
    return pl.DataFrame([pl.Series(name, list(map(get, entries)), dtype=kind) for name, kind, get in columns])


def entry_of(segment: str, line: int, session: int, offset_ns: int, row: RequestRow | TestRow) -> Entry:
    """Return a row as an entry, its test id split if it has the parts of one."""
    try:
        test_id = TestId.parse(row.test)
    except ValueError:
        test_id = None
    return Entry(segment, line, session, offset_ns, test_id, row)
