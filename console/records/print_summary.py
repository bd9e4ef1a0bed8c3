"""A summary as plain text: it fits 80 columns and shows more where there are more."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from console.records.percentile import FLOORS
from console.records.summary_types import Distribution, GroupSummary, Summary
from console.records.text_table import TextTable, table_lines
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line

WIDE: Final = 120
"""From this width on, tables have all columns, and lanes have a table."""
NONE: Final = "n/a"


class _Column(msgspec.Struct, frozen=True):
    head: str
    text: Callable[[GroupSummary], str]
    wide: bool = False
    """Only where there is room."""


def render_summary(summary: Summary, width: int, *, lanes: bool | None = None) -> str:
    """Return the summary as text of lines of at most `width` columns (but not fewer than 80).

    Args:
        summary: what to print.
        width: columns of the terminal.
        lanes: whether to print a table of lanes; None: where `width` is wide.
    """
    width = max(80, width)
    wide = width >= WIDE
    lines = _wrapped(_headline(summary), width)
    for table in summary_tables(summary, wide=wide, lanes=lanes):
        lines += ["", *table_lines(table, width)]
    below = [*_outcomes(summary), *_waits(summary)]
    below += [f"note: {note}" for note in summary_notes(summary, wide=wide)]
    return "\n".join([*lines, "", *_wrapped(below, width)]).rstrip()


def summary_tables(
    summary: Summary, *, wide: bool = False, lanes: bool | None = None
) -> tuple[TextTable, ...]:
    """Return the tables of a summary: verdicts and speed per model, load per key, and per lane if asked."""
    models = _with_total(summary, summary.per_model)
    tables: list[TextTable] = []
    if summary.overall.tests.tests:
        tables.append(_table(summary, "Tests per model", "model", _VERDICTS, models, wide=wide))
    tables.append(_table(summary, "Speed per model", "model", _SPEED, models, wide=wide))
    keys = _with_total(summary, summary.per_key)
    tables.append(_table(summary, "Load per key", "key", _LOAD, keys, wide=wide))
    if wide if lanes is None else lanes:
        tables.append(_table(summary, "Load per lane", "lane", _LOAD, summary.per_lane, wide=wide))
    return tuple(tables)


def summary_notes(summary: Summary, *, wide: bool = False) -> tuple[str, ...]:
    """Return what a reader must know of the figures: what is missing and why."""
    groups = [*_with_total(summary, summary.per_model), *summary.per_key]
    notes = list(summary.notes)
    for label, pick in (("TTFT", _ttft), ("e2e", _e2e)):
        for q in (50, 95, 99) if wide else (50, 95):
            short = sorted({pick(group).n for group in groups if f"p{q}" in pick(group).notes})
            if short:
                counts = f"n={short[0]}" if len(short) == 1 else f"n={short[0]} … {short[-1]}"
                notes.append(f"{label} p{q} n/a below {FLOORS[q]} samples ({counts})")
    missing = summary.overall.without_usage
    if missing:
        notes.append(
            f"c: chunks/s; {missing} of {summary.overall.ok} ok requests came without usage, so tokens/s is n/a"
        )
    if summary.overall.itl.approximate:
        notes.append("ITL percentiles are within 0.5 %")
    if any(group.tests.tests and group.tests.success_rate is None for group in summary.per_model):
        notes.append("success n/a: no test of that model has a verdict yet")
    return tuple(notes)


def _headline(summary: Summary) -> list[str]:
    simulated = " · SIMULATED" if summary.simulated else ""
    progress = f"{summary.done} of {summary.planned} {summary.unit} done"
    took = duration_text(summary.duration_s)
    lines = [
        f"Run {summary.run_id} · {summary.title} · profile {summary.profile}{simulated}",
        f"{summary.state} · {progress} · {took} · {summary.overall.requests} requests",
    ]
    if summary.partial:
        lines.append(f"PARTIAL: {summary.partial_reason}")
    if summary.infrastructure_failures:
        lines.append(
            f"tests without a complete answer: {summary.infrastructure_failures} "
            "(counted against no model, done again on resume)"
        )
    return lines


def _outcomes(summary: Summary) -> list[str]:
    if set(summary.outcomes) <= {str(Outcome.OK)}:
        return []
    shown = sorted(summary.outcomes.items(), key=lambda item: (-item[1], item[0]))
    return ["request outcomes: " + ", ".join(f"{name} {count}" for name, count in shown)]


def _waits(summary: Summary) -> list[str]:
    parts: list[str] = []
    for label, wait in (
        ("limiter", summary.overall.limiter_wait),
        ("retry", summary.overall.retry_wait),
    ):
        if (wait.max_ms or 0) >= 1:  # below is no waiting, only passing
            p95 = f"p95 {ms_text(wait.p95_ms)}, " if wait.p95_ms is not None else ""
            parts.append(
                f"{label} mean {ms_text(wait.mean_ms)}, {p95}max {ms_text(wait.max_ms)}, "
                f"total {duration_text(wait.total_s)}"
            )
    return [f"waits, in no latency: {'; '.join(parts)}"] if parts else []


def _with_total(summary: Summary, groups: Sequence[GroupSummary]) -> tuple[GroupSummary, ...]:
    return (*groups, summary.overall) if len(groups) != 1 else tuple(groups)


def _table(
    summary: Summary,
    title: str,
    first: str,
    columns: Sequence[_Column],
    groups: Sequence[GroupSummary],
    *,
    wide: bool,
) -> TextTable:
    shown = [column for column in columns if wide or not column.wide]
    return TextTable(
        title + (" (SIMULATED)" if summary.simulated else ""),
        (first, *(column.head for column in shown)),
        tuple((safe_line(group.name), *(column.text(group) for column in shown)) for group in groups),
    )


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            safe_line(line), width, subsequent_indent="  ", break_on_hyphens=False, replace_whitespace=False
        )
    ]


def ms_text(value_ms: float | None) -> str:
    """Write a duration with three figures: `8.1ms`, `812ms`, `1.23s`, `123s`."""
    if value_ms is None:
        return NONE
    if value_ms < 9.95:
        return f"{value_ms:.1f}ms"
    if value_ms < 999.5:
        return f"{value_ms:.0f}ms"
    seconds = value_ms / 1000
    return (
        f"{seconds:.2f}s" if seconds < 9.995 else f"{seconds:.1f}s" if seconds < 99.95 else f"{seconds:.0f}s"
    )


def duration_text(seconds: float) -> str:
    """Write a long duration: `8.1 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 119.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def rate_text(value: float | None) -> str:
    """Write a rate with about three figures."""
    if value is None:
        return NONE
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def share_text(share: float | None) -> str:
    """Write a share as a percentage."""
    return NONE if share is None else f"{100 * share:.1f}%"


def _tokens(group: GroupSummary) -> str:
    if group.output_tokens_per_s is not None:
        return rate_text(group.output_tokens_per_s)
    return f"{rate_text(group.chunks_per_s)}c" if group.without_usage and group.chunks_per_s else NONE


def _errors(group: GroupSummary) -> int:
    apart = (Outcome.OK, Outcome.RATE_LIMITED, Outcome.CANCELLED)
    return group.requests - sum(group.outcomes.get(str(outcome), 0) for outcome in apart)


def _ttft(group: GroupSummary) -> Distribution:
    return group.ttft


def _e2e(group: GroupSummary) -> Distribution:
    return group.e2e


_VERDICTS: Final = (
    _Column("tests", lambda group: str(group.tests.tests)),
    _Column("full", lambda group: str(group.tests.full)),
    _Column("partial", lambda group: str(group.tests.partial)),
    _Column("fail", lambda group: str(group.tests.failure)),
    _Column("infra", lambda group: str(group.tests.infrastructure)),
    _Column("cancelled", lambda group: str(group.tests.cancelled), wide=True),
    _Column("success", lambda group: share_text(group.tests.success_rate)),
    _Column(
        "score", lambda group: NONE if group.tests.mean_score is None else f"{group.tests.mean_score:.3f}"
    ),
)
_SPEED: Final = (
    _Column("requests", lambda group: str(group.requests), wide=True),
    _Column("req/s", lambda group: rate_text(group.request_throughput)),
    _Column("tok/s", _tokens),
    _Column("TTFT p50", lambda group: ms_text(group.ttft.p50_ms)),
    _Column("p95", lambda group: ms_text(group.ttft.p95_ms)),
    _Column("p99", lambda group: ms_text(group.ttft.p99_ms), wide=True),
    _Column("TPOT p50", lambda group: ms_text(group.tpot.p50_ms), wide=True),
    _Column("ITL p50", lambda group: ms_text(group.itl.p50_ms), wide=True),
    _Column("e2e p50", lambda group: ms_text(group.e2e.p50_ms)),
    _Column("p95", lambda group: ms_text(group.e2e.p95_ms)),
    _Column("p99", lambda group: ms_text(group.e2e.p99_ms), wide=True),
    _Column("in-fl", lambda group: rate_text(group.mean_in_flight)),
    _Column("peak", lambda group: str(group.peak_in_flight)),
)
_LOAD: Final = (
    _Column("requests", lambda group: str(group.requests)),
    _Column("ok", lambda group: share_text(group.success_share)),
    _Column("429", lambda group: str(group.outcomes.get(str(Outcome.RATE_LIMITED), 0))),
    _Column("err", lambda group: str(_errors(group))),
    _Column("req/s", lambda group: rate_text(group.request_throughput)),
    _Column("tok/s", _tokens),
    _Column("TTFT p50", lambda group: ms_text(group.ttft.p50_ms)),
    _Column("p95", lambda group: ms_text(group.ttft.p95_ms), wide=True),
    _Column("limiter wait", lambda group: ms_text(group.limiter_wait.mean_ms), wide=True),
    _Column("retry wait", lambda group: ms_text(group.retry_wait.mean_ms), wide=True),
    _Column("in-fl", lambda group: rate_text(group.mean_in_flight)),
    _Column("peak", lambda group: str(group.peak_in_flight)),
)
