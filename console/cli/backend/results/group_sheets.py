"""The top of models, keys, deployments and lanes: verdicts where there are tests, load, latencies and waits."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from console.cli.backend.results.group_columns import (
    Figure,
    latency_figures,
    latency_notes,
    load_figures,
    wait_figures,
)
from console.cli.backend.results.level_sheets import NOTES, level_groups, total_of
from console.cli.backend.results.test_figures import Group, group_rows, tests_of
from console.records.scored import FIGURES
from console.records.summary_types import GroupSummary, Summary
from console.screens.results.places import Axis, Place, Step, View
from console.screens.results.sheet import Column, Listed, Row
from console.vocabulary.client_health import CLIENT_WORDS

_LOAD_NOTE = "req/s, tok/s and in-fl (mean in flight) are over the whole run, so they add up; peaks do not"
_OWN_NOTE = (
    "req/s, tok/s and in-fl (mean in flight) of a model are over its own time, first sending to last end"
)
_NOTHING = "no request has ended yet: r reads again"


def keys(summary: Summary) -> Listed:
    """Return the load of each key."""
    return _load(summary, "keys", "key", summary.per_key, ("provider", "key"))


def deployments(summary: Summary) -> Listed:
    """Return the load of each deployment."""
    return _load(summary, "deployments", "deployment", summary.per_deployment, ("provider", "deployment"))


def lanes(summary: Summary) -> Listed:
    """Return the load of each lane."""
    return _load(summary, "lanes", "lane", summary.per_lane, ("provider", "deployment", "key"))


def models(summary: Summary, tests: pl.DataFrame, planned: tuple[str, ...]) -> Listed:
    """Return each model: what became of its tests, then its speed; of a level of load only that."""
    by_name = {group.name: group for group in summary.per_model}
    figures = (*load_figures("own"), *latency_figures(), *wait_figures())
    if summary.unit == "prompts":
        return _plain(summary, summary.per_model, figures)
    counted = dict(level_groups(tests, "model", planned))
    order = list(dict.fromkeys([*planned, *counted, *by_name]))
    groups: list[tuple[str, tuple[Step, ...], Group]] = []
    for name in order:
        group = counted.get(name) or tests_of(_nothing())
        not_run = by_name[name].tests.not_run if name in by_name else 0
        groups.append((name, (Step("model", name),), {**group, "not_run": not_run}))
    total = total_of(tests) or tests_of(_nothing())
    whole = {**total, "not_run": summary.not_run} if len(groups) != 1 else None
    columns, rows = group_rows(groups, whole)
    speeds = [by_name.get(name) for name in order] + ([summary.overall] if whole is not None else [])
    return Listed(
        Place("models"),
        _title("by model", summary, latencies=True),
        (Column("model", "model"), *columns, *(figure.column for figure in figures)),
        tuple(_beside(row, speed, figures) for row, speed in zip(rows, speeds, strict=True)),
        (*NOTES, *_reused(summary), _OWN_NOTE, *latency_notes(summary.per_model)),
        noun="models",
        empty=_NOTHING,
    )


def _beside(row: Row, group: GroupSummary | None, figures: Sequence[Figure]) -> Row:
    """Return a row with the speed of its group behind it; a group that has sent nothing has none."""
    if group is None or not group.requests:
        blanks = ("-",) * len(figures)
        return row._replace(cells=(*row.cells, *blanks), keys=(*row.keys, *(None,) * len(figures)))
    texts, sorts = [figure.text(group) for figure in figures], [figure.key(group) for figure in figures]
    return row._replace(cells=(*row.cells, *texts), keys=(*row.keys, *sorts))


def _nothing() -> dict[str, Any]:
    """Return the figures of no test."""
    counts = ("total", "success", "full_success", "partial_success", "failed", "infrastructure", "cancelled")
    return {**dict.fromkeys(FIGURES), **dict.fromkeys((*counts, "unscored", "reused"), 0)}


def _plain(summary: Summary, groups: Sequence[GroupSummary], figures: Sequence[Figure]) -> Listed:
    rows = tuple(_speed_row(group, (), figures) for group in groups)
    return Listed(
        Place("models"),
        _title("by model", summary, latencies=True),
        (Column("model", "model"), *(figure.column for figure in figures)),
        rows,
        (_OWN_NOTE, *latency_notes(groups)),
        noun="models",
        empty=_NOTHING,
    )


def _load(
    summary: Summary, view: View, noun: str, groups: Sequence[GroupSummary], axes: tuple[Axis, ...]
) -> Listed:
    figures = (*load_figures("run"), *latency_figures(), *wait_figures())
    tests = summary.unit == "tests"
    rows = [
        _speed_row(group, tuple(Step(axis, group.labels[axis]) for axis in axes) if tests else (), figures)
        for group in groups
    ]
    if len(groups) > 1:
        rows.append(_speed_row(summary.overall, (), figures)._replace(tone="strong", total=True))
    return Listed(
        Place(view),
        _title(f"load per {noun}", summary, latencies=True),
        (Column(noun, noun), *(figure.column for figure in figures)),
        tuple(rows),
        (_LOAD_NOTE, *latency_notes(groups)),
        noun=f"{noun}s",
        empty=_NOTHING,
    )


def _speed_row(group: GroupSummary, steps: tuple[Step, ...], figures: Sequence[Figure]) -> Row:
    name = group.name
    return Row(
        name,
        (name, *(figure.text(group) for figure in figures)),
        (name, *(figure.key(group) for figure in figures)),
        steps,
    )


def _title(title: str, summary: Summary, *, latencies: bool) -> str:
    """Return a title with what must be known of latencies: that they are not the server's."""
    if latencies and summary.client is not None and summary.client.verdict == "client_bound":
        return f"{title} ({CLIENT_WORDS['client_bound']})"
    return title


def _reused(summary: Summary) -> tuple[str, ...]:
    if not summary.reused:
        return ()
    runs = ", ".join(f"{count} of run {run}" for run, count in summary.reused.items())
    return (f"tests hold results that were taken over ({runs}), as in the report; speeds do not",)
