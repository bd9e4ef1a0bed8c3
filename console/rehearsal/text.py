"""A rehearsal in words and tables, for terminals of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from console.records.text_table import TextTable, cells, shorten, table_lines
from console.rehearsal.holders_text import holder_lines, job_letters
from console.rehearsal.report import Rehearsal, ScopeLoad
from console.rehearsal.spans_text import bar, clock_text, span_text, sparkline

_JOBS_SHOWN: Final = 40
_BAR: Final = 22
_NAME: Final = 22


def rehearsal_lines(
    rehearsal: Rehearsal, width: int, ends_at: Callable[[float], str] | None = None
) -> list[str]:
    """Return the whole report.

    Args:
        rehearsal: the report.
        width: columns there are.
        ends_at: says of a span when it would be over if it began now; None: that is left out.
    """
    return [
        *_headline(rehearsal, width, ends_at),
        "",
        *_scopes("key", rehearsal.keys, width),
        "",
        *_scopes("deployment", rehearsal.deployments, width),
        "",
        *_found(rehearsal, width),
        *_curves(rehearsal, width),
        "",
        *holder_lines(rehearsal, width),
        *_jobs(rehearsal, width),
        "",
        *_wrapped(basis_lines(rehearsal), width),
    ]


def _headline(rehearsal: Rehearsal, width: int, ends_at: Callable[[float], str] | None) -> list[str]:
    took = span_text(rehearsal.duration_s)
    if rehearsal.state == "interrupted":
        forecast = f"no forecast: the rehearsal was ended {took} into the run; all figures are of that time"
    else:
        at = f", ends about {ends_at(rehearsal.duration_s)} if started now" if ends_at is not None else ""
        forecast = f"forecast: {took}{at}"
    remain = f", {rehearsal.unanswered} remain without an answer" if rehearsal.unanswered else ""
    outcomes = ", ".join(f"{count} {name}" for name, count in rehearsal.requests.items())
    waits = (
        ("our limits", rehearsal.limiter_wait_s),
        ("servers that asked to wait", rehearsal.held_s),
        ("back-offs", rehearsal.retry_wait_s),
    )
    waited = [f"{name} {span_text(seconds)}" for name, seconds in waits if seconds >= 0.05]
    what = (
        f"{rehearsal.title} under profile {rehearsal.profile} ({rehearsal.rate_mode}), seed {rehearsal.seed}"
    )
    lines = [
        f"SIMULATED: rehearsal of {what}; nothing was sent",
        forecast,
        f"{rehearsal.planned} tests: {rehearsal.answered} answered{remain}",
        f"{sum(rehearsal.requests.values())} requests: {outcomes or 'none'}",
        f"waits, summed over requests: {', '.join(waited) or 'none'}",
    ]
    return _wrapped(lines, width)


def _scopes(what: str, loads: Sequence[ScopeLoad], width: int) -> list[str]:
    columns = [what, "in flight", "of", "peak QPS", "mean", "limit", "429s"]
    rows = [
        [
            load.name,
            str(load.peak_in_flight),
            figure(load.in_flight_limit),
            str(load.peak_qps),
            f"{load.mean_qps:.2f}",
            figure(load.qps_limit),
            str(load.rate_limited),
        ]
        for load in loads
    ]
    if any(load.quota_qps is not None for load in loads):
        columns.insert(6, "quota")
        for row, load in zip(rows, loads, strict=True):
            row.insert(6, figure(load.quota_qps))
    if what == "key":
        columns.append("models")
        for row, load in zip(rows, loads, strict=True):
            row.append(str(load.models_at_once))
    title = {
        "key": "Keys: peaks; models is how many had tests on the key at once",
        "deployment": "Deployments",
    }[what]
    return table_lines(
        TextTable(title=f"{title} (SIMULATED)", columns=tuple(columns), rows=tuple(map(tuple, rows))), width
    )


def figure(value: float | None) -> str:
    """Write a limit; `-` where there is none."""
    return "-" if value is None else f"{value:g}"


def _curves(rehearsal: Rehearsal, width: int) -> list[str]:
    name_cells = min(_NAME, max((cells(load.name) for load in rehearsal.keys), default=0))
    columns = max(10, width - name_cells - 12)
    lines = [f"Requests in flight over the {span_text(rehearsal.duration_s)} (SIMULATED), full height = max"]
    for load in rehearsal.keys:
        name = shorten(load.name, name_cells)
        top = max(load.curve.in_flight, default=0.0)
        line = sparkline(load.curve.in_flight, columns)
        lines.append(f"{name}{' ' * (name_cells - cells(name))} {line:<{columns}} max {top:.3g}")
    return lines


def _jobs(rehearsal: Rehearsal, width: int) -> list[str]:
    letters = job_letters(rehearsal)
    rows = [
        (
            letters.get(job.job, ""),
            job.job,
            str(job.tests),
            clock_text(job.start_s),
            clock_text(job.end_s),
            bar(job.start_s, job.end_s, rehearsal.duration_s, _BAR),
        )
        for job in rehearsal.jobs[:_JOBS_SHOWN]
    ]
    more = len(rehearsal.jobs) - len(rows)
    columns = ("", "job", "tests", "from", "to", "")
    table = TextTable(
        title="Jobs (SIMULATED)",
        columns=columns if letters else columns[1:],
        rows=tuple(rows if letters else [row[1:] for row in rows]),
        words=frozenset({0, 1, 5} if letters else {0, 4}),
        cut=1 if letters else 0,
        room=30,
        tail=0.6,
    )
    return [*table_lines(table, width), *([f"… and {more} more jobs"] if more > 0 else [])]


def _found(rehearsal: Rehearsal, width: int) -> list[str]:
    """Say what adaptive mode found."""
    if not rehearsal.found:
        return []
    rows = tuple(
        (
            one.lane,
            str(one.requests),
            str(one.rate_limited),
            "-" if one.per_s is None else f"{one.per_s:.3g}",
            figure(one.in_flight),
            "-" if one.met_per_s is None else f"{one.met_per_s:.3g}",
            figure(one.met_in_flight),
        )
        for one in rehearsal.found
    )
    table = TextTable(
        title="Adaptive lanes in the end (SIMULATED): limits set, and limits met",
        columns=("lane", "requests", "429s", "req/s", "at once", "met /s", "met"),
        rows=rows,
        room=20,
        tail=0.5,
    )
    return [*table_lines(table, width), ""]


def basis_lines(rehearsal: Rehearsal) -> list[str]:
    """Return what a forecast rests on."""
    return ["What this rests on:", *(f"- {text}" for text in rehearsal.assumptions)]


def _wrapped(lines: Iterable[str], width: int) -> list[str]:
    return [
        part
        for line in lines
        for part in textwrap.wrap(line, max(20, width), subsequent_indent="  ", break_long_words=False)
        or [""]
    ]
