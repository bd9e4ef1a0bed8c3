"""Two runs held against each other, model by model: what may be compared, and how they differ on the tests both answered."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from console.cli.backend.results.opened import Results, read_results
from console.cli.backend.runs.compared_rows import Compared, compared_sheet
from console.records.pairs import compare, compared_frame
from console.records.print_summary import standing_text
from console.records.run_file import read_run_file
from console.records.summary_types import Summary
from console.screens.runs.needs import Comparison

_ALL: Final = "all"
_APART: Final = "verdicts: no test was answered in both runs, so none can be held against the same one"
_FIRST: Final = "1"
_SECOND: Final = "2"


class _Plan(msgspec.Struct):
    library: str = ""
    protocols: dict[str, str] = {}
    max_tokens: dict[str, int] = {}
    scoring: dict[str, Any] = {}


def compare_runs(first_dir: Path, second_dir: Path, watch: Callable[[float], None]) -> Comparison:
    """Return how the second run differs from the first.

    Raises:
        ConsoleError: if one of them cannot be read.
    """
    first = read_results(first_dir, lambda share: watch(share / 2))
    second = read_results(second_dir, lambda share: watch(0.5 + share / 2))
    tasks = tuple(_other_tasks(first, second))
    marks = tuple(_other_marks(first, second))
    speeds = tuple(_other_speeds(first.summary, second.summary))
    pairs = {} if tasks or marks else _pairs(first.tests, second.tests)
    apart = () if tasks or marks or any(row["pairs"] for row in pairs.values()) else (_APART,)
    notes = tuple(_other_settings(first, second))
    return Comparison(
        heads=(_head(first.summary), _head(second.summary)),
        refused=(*tasks, *marks, *apart, *speeds),
        table=compared_sheet(
            Compared(first, pairs),
            Compared(second, pairs),
            verdicts=not (tasks or marks),
            speeds=not speeds,
            notes=notes,
        ),
    )


def _head(summary: Summary) -> str:
    title = " ".join(filter(None, [summary.title, summary.level]))
    marks = " SIMULATED" if summary.simulated else ""
    return f"{summary.run_id}{marks}  {title}, profile {summary.profile}: {summary.state}, {standing_text(summary)}"


def _other_tasks(first: Results, second: Results) -> Iterator[str]:
    """Return why the tests of two runs are not the same ones, even where their ids are."""
    seeds = [read_run_file(one.run.run_dir).seed for one in (first, second)]
    if seeds[0] != seeds[1]:
        yield f"verdicts: the seeds differ ({seeds[0]} and {seeds[1]}), so equal ids are other tasks"
    libraries = [_plan(one).library for one in (first, second)]
    if libraries[0] != libraries[1]:
        names = " and ".join(name or "unknown" for name in libraries)
        yield f"verdicts: the task libraries differ ({names}), so equal ids are other tasks"
    units = [one.summary.unit for one in (first, second)]
    if "prompts" in units:
        yield "verdicts: a level of load has none"


def _other_marks(first: Results, second: Results) -> Iterator[str]:
    if _plan(first).scoring != _plan(second).scoring:
        yield "verdicts: the scoring presets differ, so full and partial mean other things"


def _other_speeds(first: Summary, second: Summary) -> Iterator[str]:
    if first.simulated != second.simulated:
        yield "speeds: one of the two runs is simulated"
    for which, summary in (("first", first), ("second", second)):
        if summary.client is not None and summary.client.verdict == "client_bound":
            yield f"speeds: the client was the limit of the {which} run"


def _other_settings(first: Results, second: Results) -> Iterator[str]:
    """Return what else differs, and may be why results do."""
    plans = _plan(first), _plan(second)
    for name in ("protocols", "max_tokens"):
        one, other = (getattr(plan, name) for plan in plans)
        if one != other:
            yield f"{name.replace('_', ' ')} differ: {_said(one)} and {_said(other)}"
    for which, run in (("first", first), ("second", second)):
        if run.summary.partial:
            yield f"the {which} run is partial: {run.summary.partial_reason}"


def _said(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {setting}" for name, setting in value.items()) or "the usual"


def _plan(results: Results) -> _Plan:
    try:
        return msgspec.json.decode((results.run.run_dir / "plan.json").read_bytes(), type=_Plan)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return _Plan()


def _pairs(first: pl.DataFrame, second: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return of each model, and of all, how the runs differ on the tests that both answered.

    `records.pairs` holds conditions of one run against each other; here the run stands where the prompt type
    does, and everything else that tells tests of a model apart where the task type does.
    """
    whole = pl.concat([_as_condition(first, _FIRST), _as_condition(second, _SECOND)])
    by_model = compared_frame(compare(whole, "prompt_type", _FIRST))
    total = whole.with_columns(
        pl.concat_str(["model", "task_type"], separator="/").alias("task_type"), pl.lit(_ALL).alias("model")
    )
    of_all = compared_frame(compare(total, "prompt_type", _FIRST))
    rows = [*by_model.iter_rows(named=True), *of_all.iter_rows(named=True)]
    return {str(row["model"]): row for row in rows}


def _as_condition(tests: pl.DataFrame, run: str) -> pl.DataFrame:
    task = pl.concat_str(["prompt_type", "difficulty", "tool_success_rate", "task_type"], separator="/")
    return tests.select(
        "model",
        task.alias("task_type"),
        "instance",
        "judged",
        "full",
        pl.lit(run).alias("prompt_type"),
        pl.lit(_ALL).alias("difficulty"),
        pl.lit(_ALL).alias("tool_success_rate"),
    )
