"""The results of one run as they were when it was read, and the tables made of them."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from threading import RLock

import polars as pl

from console.cli.backend.results.exporting import write_export
from console.cli.backend.results.group_sheets import deployments, keys, lanes, models
from console.cli.backend.results.level_sheets import level_sheet, next_axis, total_of
from console.cli.backend.results.making import make_summary, read_summary
from console.cli.backend.results.overview import overview_facts, verdicts_by
from console.cli.backend.results.report_sheets import error_classes, report_index, report_sheet
from console.cli.backend.results.tests_sheet import TestsSheet
from console.cli.backend.results.whole_test import WholeTest
from console.records.phase_members import PlannedRun, planned_run
from console.records.report import Report, make_report
from console.records.run_list import SEARCH
from console.records.run_tests import RunTests, load_tests
from console.records.scored import Scoring, judged_by, scored
from console.records.summary import Summary
from console.records.trace_index import TraceIndex
from console.screens.results.needs import Export, Fact, RunHead, TestText, Watch
from console.screens.results.places import Place
from console.screens.results.sheet import Sheet
from console.vocabulary.client_health import advice_text

_NO_TESTS = "a level of load has no tests: its requests are under models, keys and lanes"
_BEHIND_MODEL = r"(?:/[^/]*){5}$"


def read_results(run_dir: Path, watch: Watch) -> Results:
    """Read a run.

    Raises:
        ConsoleError: if it cannot be read.
    """
    make = partial(make_summary, watch=watch)
    run = load_tests(run_dir, make)
    return Results(run, read_summary(run_dir) or make(run_dir))


class Results:
    """Tables of one run; what is costly is made when it is first asked for."""

    def __init__(self, run: RunTests, summary: Summary, scoring: Scoring = "goal") -> None:
        """Show these tests and this summary, judged by a scoring preset."""
        self.run = run
        self.summary = summary
        self.scoring: Scoring = scoring
        self._lock = RLock()
        self._traces = TraceIndex(run.run_dir)
        verdict, score = judged_by(scoring)
        self._listed = run.table.with_columns(
            pl.when(pl.col("task_type").is_null())
            .then(pl.col("model"))
            .otherwise(pl.col("test").str.replace(_BEHIND_MODEL, ""))
            .alias("model"),  # of the id, as in the report: the plan knows no other
            verdict.alias("verdict"),
            score.alias("score"),
        )

    def by(self, scoring: Scoring) -> Results:
        """Return the same run judged by a preset."""
        return self if scoring == self.scoring else Results(self.run, self.summary, scoring)

    @property
    def head(self) -> RunHead:
        """What must be known of the run."""
        summary = self.summary
        health = summary.client
        return RunHead(
            run_id=summary.run_id,
            run_dir=self.run.run_dir,
            title=" ".join(filter(None, [summary.title, summary.level])),
            profile=summary.profile,
            kind=summary.state,
            simulated=summary.simulated,
            done=summary.done,
            planned=summary.planned,
            unit=summary.unit,
            is_search=summary.title == SEARCH,
            partial_reason=summary.partial_reason,
            alarm=advice_text(health) if health is not None and health.bad else "",
        )

    def overview(self) -> Sequence[Fact]:
        """Return the run in a screenful."""
        if self.scoring == "goal" or self.summary.unit == "prompts":
            return overview_facts(self.run, self.summary)
        return overview_facts(self.run, self.summary, verdicts_by(self.scoring, total_of(self.tests)))

    def sheet(self, place: Place) -> Sheet:
        """Return the table of a place."""
        if not place.as_tests and not place.steps:
            match place.view:
                case "models":
                    return models(self.summary, self.tests, self._plan.models)
                case "keys":
                    return keys(self.summary)
                case "deployments":
                    return deployments(self.summary)
                case "lanes":
                    return lanes(self.summary)
                case "phases":
                    return report_index(self._report, self._empty)
                case "errors":
                    return error_classes(
                        self.tests, self.summary, self._plan.models, self._empty, self.scoring
                    )
                case _:
                    return self._tests(place)
        table = place.value("table")
        if table is not None and len(place.steps) == 1 and not place.as_tests:
            return report_sheet(self._report, table, place)
        return self._below(place)

    def test(self, test: str) -> TestText:
        """Return one test with what was said in it."""
        with self._lock:  # the index is made once
            found = self._traces.find(test)
        (row,) = self.run.table.filter(pl.col("test") == test).to_dicts()
        return WholeTest(row, found, self.run.run_file.traces, simulated=self.summary.simulated)

    def export(self, wanted: Export, sheet: Sheet | None, order: Sequence[int]) -> Path:
        """Write a file."""
        tests = self._tests(sheet.place) if sheet is not None else self._tests(Place("tests"))
        rows = self.run.table.filter(pl.col("test").is_in(tests.table["test"].to_list()))
        return write_export(wanted, self.summary, sheet, order, rows)

    def _below(self, place: Place) -> Sheet:
        """Return the next level at which there is a choice, or the tests."""
        if place.view not in ("models", "phases") or place.as_tests:
            return self._tests(place)
        members = self._members(self.tests, place)
        place, axis = next_axis(place, members)
        return self._tests(place) if axis is None else level_sheet(place, axis, members)

    def _tests(self, place: Place) -> TestsSheet:
        partial = f"PARTIAL: {self.summary.partial_reason}" if self.summary.partial else ""
        return TestsSheet(
            place,
            self._members(self._listed, place),
            "tests",
            (partial,) if partial else (),
            self._empty or "no such test here: f shows others",
        )

    @property
    def _empty(self) -> str:
        return _NO_TESTS if self.summary.unit == "prompts" else ""

    def _members(self, table: pl.DataFrame, place: Place) -> pl.DataFrame:
        """Return the tests that are below a place."""
        for step in place.steps:
            if step.axis == "table":
                table = self._of_phase(table, step.value)
            elif step.axis == "verdict" and step.value == "not full":
                table = table.filter(pl.col("verdict") != "full")
            else:
                table = table.filter(pl.col(step.axis) == step.value)
        return table

    def _of_phase(self, table: pl.DataFrame, name: str) -> pl.DataFrame:
        for phase in self._plan.phases:
            if name in (phase.id, f"{phase.id}-errors", f"{phase.id}-pairs"):
                return table.filter(pl.col("test").is_in(list(phase.tests)))
        return table

    @cached_property
    def _plan(self) -> PlannedRun:
        return planned_run(self.run.run_dir)

    @cached_property
    def tests(self) -> pl.DataFrame:
        """The tests as the preset judges them, for tables of figures."""
        return scored(self.run.table, self.scoring)

    @property
    def _report(self) -> Report:
        with self._lock:  # it takes long enough that two might make it
            return self._made_report

    @cached_property
    def _made_report(self) -> Report:
        return make_report(self.run, self.scoring)
