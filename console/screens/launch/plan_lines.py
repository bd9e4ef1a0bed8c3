"""A plan as lines of a pane of any width: all of it can be read, and a warning tells which cure Enter applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from console.records.figures_text import duration_text, rate_text
from console.records.text_table import TextTable, table_lines
from console.records.wrap import wrapped
from console.screens.counted import counted
from console.screens.launch.command_line import cured
from console.screens.launch.load_lines import Shown, load_lines
from console.screens.launch.needs import Asked, KeyLoad, Planned, Warned
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Line, Tone

_HIGH: Final = 3
_FEW: Final = 4
"""Keys up to which a chart has so many lines for each."""
_GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class DocLine:
    """One line of a document."""

    line: Line = ()
    warning: int | None = None
    """Which warning it tells of, from 0."""


def plan_document(
    planned: Planned,
    asked: Asked,
    *,
    width: int,
    now: datetime,
    notes: Sequence[str] = (),
    tall: bool = False,
    ascii_only: bool = False,
) -> list[DocLine]:
    """Return the lines of a plan.

    Args:
        planned: the plan.
        asked: what it is of: its changes of the profile are listed.
        width: columns there are.
        now: when it was made: from then on its end is told.
        notes: what is to be said of the choice.
        tall: there is room for charts of several lines a key.
        ascii_only: draw with ASCII alone.
    """
    lines = [
        *_head(planned, width, now),
        *_troubles(planned, asked, notes, width),
        *_warnings(planned, asked, width),
        *_keys(planned, width, tall=tall, ascii_only=ascii_only),
        *_phases(planned, width),
        *_totals(planned, width),
        *_rest(planned, width),
    ]
    return lines[:-1] if lines and not lines[-1].line else lines


def said(text: str, tone: Tone, width: int, hanging: str = "", warning: int | None = None) -> list[DocLine]:
    """Return a text broken into lines of one tone."""
    return [DocLine(((part, tone),), warning) for part in wrapped(text, max(8, width), hanging=hanging)]


def _head(planned: Planned, width: int, now: datetime) -> Iterator[DocLine]:
    title = f"{safe_line(planned.title, 80)} under {safe_line(planned.profile, 60)} ({safe_line(planned.rate_mode, 20)})"
    parts = wrapped(title, max(8, width))
    yield from (DocLine(((part, "strong"),)) for part in parts[:-1])
    badge: Line = ((" ", ""), (" SIMULATED ", "badge")) if planned.simulated else ()
    if badge and len(parts[-1]) + 12 > width:
        yield DocLine(((parts[-1], "strong"),))
        yield DocLine((badge[1],))
    else:
        yield DocLine(((parts[-1], "strong"), *badge))
    reused = f", {planned.reused:,} reused" if planned.reused else ""
    about = f", about {planned.requests:,} requests" if planned.requests else ""
    yield from said(f"{counted(planned.tests, 'new test')}{reused}{about}", "", width, "  ")
    yield from said(
        f"{counted(planned.jobs, 'job')}, {counted(planned.shards, 'shard')} on {counted(planned.lanes, 'lane')}, "
        f"{counted(planned.processes, 'process')}",
        "",
        width,
        "  ",
    )
    took = (
        f"expected to take {duration_text(planned.duration_s)}: to about {ends_text(now, planned.duration_s)}"
    )
    yield from said(took, "", width, "  ")
    yield from said(f"if an answer takes {planned.latency}", "muted", width, "  ")
    yield DocLine()


def ends_text(now: datetime, seconds: float) -> str:
    """Say when a run ends that is started now, with the day where that is another one."""
    end = now + timedelta(seconds=seconds)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%m-%d %H:%M}"


def _troubles(planned: Planned, asked: Asked, notes: Sequence[str], width: int) -> Iterator[DocLine]:
    """Say what keeps it from starting, and what is otherwise than it seems."""
    lines: list[DocLine] = []
    for missing in planned.missing:
        lines += said(f"x cannot start: {missing}", "bad", width, "  ")
    for change in asked.changes:
        lines += said(f"* not saved: {change}", "accent", width, "  ")
    for note in notes:
        lines += said(f"! {note}", "warn", width, "  ")
    yield from lines
    if lines:
        yield DocLine()


def _warnings(planned: Planned, asked: Asked, width: int) -> Iterator[DocLine]:
    for index, warned in enumerate(planned.warnings):
        where = f"{warned.where}: " if warned.where else ""
        yield from said(f"! {where}{warned.text}", "warn", width, "  ", index)
        if warned.cure:
            yield from said(f"  cure: {cure_text(warned, asked)}", "", width, "  ", index)
    if planned.warnings:
        yield DocLine()


def cure_text(warned: Warned, asked: Asked) -> str:
    """Say what cures a warning, and whether Enter does."""
    how = f"{warned.cure}: {' '.join(warned.change)}" if warned.change else warned.cure
    return f"{how} (Enter does it)" if cured(asked, warned.change) is not None else how


def _keys(planned: Planned, width: int, *, tall: bool, ascii_only: bool) -> Iterator[DocLine]:
    if not planned.keys:
        return
    rows = tuple(
        (
            safe_line(key.name, 60),
            str(key.workers),
            str(key.peak_in_flight),
            f"{key.nominal_per_s:g}" if key.nominal_per_s else "none",
            rate_text(key.mean_per_s),
            key.limit,
            "" if key.share is None else f"{key.share:.0%}",
        )
        for key in planned.keys
    )
    head = ("key", "workers", "peak", "QPS", "req/s", "limit", "%")
    yield from _table(TextTable("", head, rows, gives=(4, 1, 6)), width)
    yield DocLine()
    yield from _charts(planned, width, tall=tall, ascii_only=ascii_only)


def _charts(planned: Planned, width: int, *, tall: bool, ascii_only: bool) -> Iterator[DocLine]:
    """Draw requests in flight of all keys, and requests per second of those whose limit is known."""
    limited = [key for key in planned.keys if key.limit_per_s is not None]
    charts: tuple[tuple[Shown, str, Sequence[KeyLoad]], ...] = (
        ("in flight", "requests in flight per key", planned.keys),
        ("per second", "requests/s per key, full height: its limit", limited),
    )
    for shown, title, keys in charts:
        if not keys:
            continue
        height = _HIGH if tall and len(keys) <= _FEW else 1
        yield from said(title, "muted", width)
        for line in load_lines(keys, shown, planned.duration_s, width, height=height, ascii_only=ascii_only):
            yield DocLine(line)
        yield DocLine()


def _phases(planned: Planned, width: int) -> Iterator[DocLine]:
    if len(planned.phases) < 2 and not any(one.reused for one in planned.phases):
        return
    rows = tuple(
        (safe_line(one.phase, 40), str(one.jobs), f"{one.new:,}", safe_line(one.reused, 60) or "-")
        for one in planned.phases
    )
    table = TextTable("", ("phase", "jobs", "new tests", "reused (from)"), rows, frozenset({0, 3}))
    yield from _table(table, width)
    yield DocLine()


def _totals(planned: Planned, width: int) -> Iterator[DocLine]:
    if not planned.totals:
        return
    rows = tuple(
        (
            safe_line(row.model, 60),
            "none" if row.workers is None else f"{row.workers:,}",
            "none" if row.qps is None else f"{row.qps:g}",
            str(row.lanes),
        )
        for row in planned.totals
    )
    yield from _table(TextTable("", ("effective totals", "workers", "QPS", "lanes"), rows), width)
    yield DocLine()


def _rest(planned: Planned, width: int) -> Iterator[DocLine]:
    for note in planned.notes:
        yield from said(f"note: {note}", "muted", width, "  ")
    if planned.place:
        free = (
            ""
            if planned.free_bytes is None
            else f" ({planned.free_bytes / _GIB:,.0f} GiB free)"
            if planned.free_bytes >= _GIB
            else f" (only {planned.free_bytes / _GIB * 1024:,.0f} MiB free)"
        )
        yield from said(f"records go to {planned.place}{free}", "muted", width, "  ")


def _table(table: TextTable, width: int) -> Iterator[DocLine]:
    lines = table_lines(table, max(20, width))
    for number, line in enumerate(lines[1:]):  # the first one is blank
        yield DocLine(((line, "heading" if number == 0 else ""),))
