"""The report of a run: its tables, and what a reader must know of them."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
import polars as pl

from console.records.intervals import FEWEST_PAIRS, FEWEST_SCORES
from console.records.phase_members import planned_run
from console.records.phase_tables import report_tables
from console.records.report_columns import ERROR_HEADS
from console.records.report_types import ReportTable
from console.records.run_tests import RunTests
from console.records.scored import UNSCORED, Scoring, scored
from console.vocabulary.errors import ConsoleError


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `ultra-console report` has to say."""

    run_id: str
    title: str
    profile: str
    simulated: bool
    partial: bool
    partial_reason: str
    scoring: Scoring
    presets: Any
    """The scoring presets with their weights and thresholds; None: the plan does not tell."""
    tables: tuple[ReportTable, ...]
    notes: tuple[str, ...]


def make_report(run: RunTests, scoring: Scoring) -> Report:
    """Return the report of a run by one scoring preset."""
    plan = planned_run(run.run_dir)
    tests = scored(run.table, scoring)
    standing = run.standing
    tables = report_tables(tests, plan)
    return Report(
        run_id=standing.run_id,
        title=standing.title,
        profile=standing.profile,
        simulated=standing.simulated,
        partial=standing.partial,
        partial_reason=standing.partial_reason,
        scoring=scoring,
        presets=plan.scoring,
        tables=tables,
        notes=(*_notes(tests, tables, scoring), *standing.notes),
    )


def picked_tables(report: Report, names: Sequence[str]) -> tuple[ReportTable, ...]:
    """Return the tables of these names, in the order given; without names all.

    Raises:
        ConsoleError: if there is none of a name.
    """
    by_name = {table.name: table for table in report.tables}
    for name in names:
        if name not in by_name:
            raise ConsoleError(f"there is no table {name!r} of this run", hint=f"it has {', '.join(by_name)}")
    return tuple(by_name[name] for name in names) if names else report.tables


def preset_lines(presets: Any, only: str | None = None) -> list[str]:
    """Return the scoring presets, or one of them, a line each: `scoring goal: weights conditions 0.5, …; thresholds …`."""
    if not isinstance(presets, dict):
        return ["scoring: the plan does not tell weights and thresholds of its presets"]
    named = cast("dict[str, Any]", presets)
    return [f"scoring {name}: {_said(value)}" for name, value in named.items() if only in (None, name)]


def _said(preset: Any) -> str:
    if not isinstance(preset, Mapping):
        return str(preset)
    parts = cast("Mapping[str, Any]", preset)
    return "; ".join(f"{name} {_part(value)}" for name, value in parts.items() if name != "name")


def _part(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_part(part)}" for name, part in cast("Mapping[str, Any]", value).items())
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, cast("Sequence[Any]", value)))
    return str(value)


def _notes(tests: pl.DataFrame, tables: Sequence[ReportTable], scoring: Scoring) -> Iterator[str]:
    yield (
        f"n: tests that the model answered, by the preset {scoring}; infra: no complete answer came, in no rate; "
        f"95% CI of shares: Wilson, of scores: Student (n/a below {FEWEST_SCORES}, or if all are equal)"
    )
    if any(table.frame["total"].eq(0).any() for table in tables if "total" in table.frame.columns):
        yield "n/a where n is 0: the model has answered no test of that row"
    pairs = [table for table in tables if table.kind == "pairs"]
    if pairs:
        yield (
            "pairs: instances answered under both conditions; b: full under the first alone, c: under the second alone; "
            "diff: second less first, in points (Agresti and Min); p: McNemar, exact; Holm: p for all comparisons of "
            "its table"
        )
        if any(table.frame["reason"].count() for table in pairs):
            yield f"n/a in a comparison: fewer than {FEWEST_PAIRS} pairs"
    if any(table.kind == "errors" for table in tables):
        heads = ", ".join(f"{head} {kind}" for kind, head in ERROR_HEADS.items() if head != kind)
        yield f"errors: tests that are not full by the goal; {heads}"
    for table in tables:
        if "reference" in table.frame.columns and table.frame.height and not table.frame["reference"].count():
            yield f"{table.name}: the run has nothing on the same instances that its rows could be held against"
    helped = tests.filter(pl.col("judged") & (pl.col("assisted_turns") > 0)).height
    if helped:
        yield (
            f"{_tests(helped)} had help on the format: they count as they ended; unaided: full without help, of all n"
        )
    unscored = tests.filter(pl.col("outcome") == UNSCORED).height
    if unscored:
        yield f"{_tests(unscored)} are done and have no score by the preset {scoring}: they are in no rate"
    if tests.filter(pl.col("judged") & pl.col("conditions").is_null()).height:
        yield "tests without marks (not played turn by turn) have no error class, and are in no mean of marks"
    if scoring == "original":
        yield "error classes are those by the goal, whatever the preset"
    for run_id, count in tests["reused_from"].drop_nulls().value_counts(sort=True).iter_rows():
        yield f"{_tests(count)} were played in run {run_id} and taken over from it"


def _tests(count: int) -> str:
    return f"{count} test" if count == 1 else f"{count} tests"
