"""A summary as plain text: it fits 80 columns and shows more where there are more."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from console.records.figures_text import NONE, duration_text, ms_text
from console.records.percentile import FLOORS
from console.records.summary_tables import LATENCY, summary_tables
from console.records.summary_types import Summary
from console.records.text_table import cells, table_lines
from console.vocabulary.client_health import result_text
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line

__all__ = ["WIDE", "render_summary", "standing_text", "summary_notes", "summary_tables"]

WIDE: Final = 120
"""From this width on, tables have all columns, and lanes have a table."""
_BETWEEN: Final = " · "


def render_summary(summary: Summary, width: int, *, lanes: bool | None = None, whole: bool = False) -> str:
    """Return the summary as text of lines of at most `width` columns (but not fewer than 80).

    Args:
        summary: what to print.
        width: columns of the terminal.
        lanes: whether to print a table of lanes; None: where `width` is wide.
        whole: whether tables are as wide as they need to be, with nothing cut.
    """
    width = max(80, width)
    wide = whole or width >= WIDE
    lines = _headline(summary, width)
    for table in summary_tables(summary, wide=wide, lanes=lanes):
        lines += ["", *table_lines(table, None if whole else width)]
    below = [*_outcomes(summary), *_waits(summary), *_client(summary, bad=False)]
    below += [f"note: {note}" for note in summary_notes(summary, wide=wide)]
    return "\n".join([*lines, "", *_wrapped(below, width)]).rstrip()


def standing_text(summary: Summary) -> str:
    """Return how far a run has come, in one line whose counts add up to what was planned.

    `0 of 5 tests done · 3 without an answer · 2 not run`; counts of zero are left out.
    """
    rest = (
        (summary.infrastructure_failures, "without an answer"),
        (summary.cancelled, "cancelled"),
        (summary.lost, "done, but lost"),
        (summary.not_run - summary.lost, "to go" if summary.state == "live" else "not run"),
    )
    done = "done" if summary.unit == "tests" else "answered"
    first = f"{summary.done} of {summary.planned} {summary.unit} {done}"
    return _BETWEEN.join([first, *(f"{count} {what}" for count, what in rest if count)])


def summary_notes(summary: Summary, *, wide: bool = False) -> tuple[str, ...]:
    """Return what a reader must know of the figures: what they mean, what is missing and why."""
    notes = list(summary.notes)
    if summary.lost and len(summary.per_model) > 1:
        notes.append(
            f"the {summary.lost} lost are among those that are not run in the tables: whose they were is not known"
        )
    if any(group.tests.tests for group in summary.per_model):
        notes.append("success: full + partial of all with a verdict; score: mean of the tests' scores, 0 … 1")
    if any(group.tests.tests and group.tests.success_rate is None for group in summary.per_model):
        notes.append("success n/a: no test of that model has a verdict")
    if len(summary.per_model) > 1 or len(summary.per_key) > 1:
        notes.append(
            "req/s, tok/s and in-fl (mean in flight) of a model are over its own time, first sending to last end; "
            "those of keys and lanes over the whole run, so they add up; peaks do not"
        )
    for latency in summary_tables(summary, wide=wide):
        if latency.title.startswith(LATENCY) and any(NONE in row for row in latency.rows):
            floors = [f"{floor} (p{q})" for q, floor in FLOORS.items() if f"p{q}" in latency.columns]
            fewer = f", or fewer than {', '.join(floors)} samples" if floors else ""
            notes.append(f"n/a: no ok request{fewer}")
    missing = summary.overall.without_usage
    if missing:
        notes.append(
            f"c: chunks/s; {missing} of {summary.overall.ok} ok requests came without usage, so tokens/s is n/a"
        )
    if summary.overall.itl.approximate:
        notes.append("ITL percentiles are within 0.5 %")
    return tuple(notes)


def _headline(summary: Summary, width: int) -> list[str]:
    first = ["Run " + summary.run_id, " ".join(filter(None, [summary.title, summary.level]))]
    first.append(f"profile {summary.profile}")
    if summary.simulated:
        first.append("SIMULATED")
    took = f"{duration_text(summary.duration_s)}{_BETWEEN}{summary.overall.requests} requests"
    second = [summary.state, *standing_text(summary).split(_BETWEEN), *took.split(_BETWEEN)]
    lines = [*_filled(first, width), *_filled(second, width)]
    if summary.partial:
        lines += _wrapped([f"PARTIAL: {summary.partial_reason}"], width)
    return [*lines, *_wrapped([*_failures(summary), *_client(summary, bad=True)], width)]


def _client(summary: Summary, *, bad: bool) -> list[str]:
    """Return the verdict on the client: above the figures where it concerns them, else below."""
    health = summary.client
    return [f"client: {result_text(health)}"] if health is not None and health.bad is bad else []


def _failures(summary: Summary) -> list[str]:
    if not summary.infrastructure_failures:
        return []
    classes = ", ".join(f"{name} {count}" for name, count in summary.failures.items())
    never = " (never counted against any model)" if summary.unit == "tests" else ""
    return [f"without an answer: {classes}{never}"]


def _outcomes(summary: Summary) -> list[str]:
    if set(summary.outcomes) <= {str(Outcome.OK)}:
        return []
    shown = sorted(summary.outcomes.items(), key=lambda item: (-item[1], item[0]))
    return ["request outcomes: " + ", ".join(f"{name} {count}" for name, count in shown)]


def _waits(summary: Summary) -> list[str]:
    parts: list[str] = []
    for label, wait in (
        ("limiter", summary.overall.limiter_wait),
        ("held", summary.overall.held_wait),
        ("retry", summary.overall.retry_wait),
    ):
        if (wait.max_ms or 0) >= 1:  # below is no waiting, only passing
            p95 = f"p95 {ms_text(wait.p95_ms)}, " if wait.p95_ms is not None else ""
            parts.append(
                f"{label} mean {ms_text(wait.mean_ms)}, {p95}max {ms_text(wait.max_ms)}, "
                f"total {duration_text(wait.total_s)}"
            )
    return [f"waits, in no latency: {'; '.join(parts)}"] if parts else []


def _filled(parts: Sequence[str], width: int) -> list[str]:
    """Join parts on as few lines as hold them; a line is broken between parts where that is possible."""
    lines: list[str] = []
    for part in map(safe_line, parts):
        if lines and cells(lines[-1]) + cells(_BETWEEN) + cells(part) <= width:
            lines[-1] += _BETWEEN + part
        else:
            lines.append(f"  {part}" if lines else part)
    return _wrapped(lines, width)


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            safe_line(line), width, subsequent_indent="  ", break_on_hyphens=False, replace_whitespace=False
        )
    ]
