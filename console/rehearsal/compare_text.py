"""Plans side by side in tables, for terminals of 80 columns."""

from __future__ import annotations

import textwrap
from typing import Final

from console.records.text_table import TextTable, table_lines
from console.rehearsal.compare import Compared, Comparison
from console.rehearsal.report import ScopeLoad
from console.rehearsal.spans_text import span_text
from console.rehearsal.text import basis_lines, figure

_CHOSEN: Final = " *"


def comparison_lines(comparison: Comparison, width: int) -> list[str]:
    """Return a table over all, one a key, what is refused, and what to choose."""
    lines = table_lines(
        TextTable(
            title="Plans side by side (SIMULATED); peaks are those of the busiest key",
            columns=(
                "plan", "duration", "peak QPS", "in flight", "models", "429s", "remain", "warns",
            ),
            rows=tuple(_row(one, comparison.choose) for one in comparison.plans),
        ),
        width,
    )  # fmt: skip
    lines += _wrapped(_legend(comparison), width)
    names = dict.fromkeys(load.name for one in comparison.plans for load in one.rehearsal.keys)
    for name in names:
        lines += ["", *_key(comparison, name, width)]
    notes = [f"{one.name} is the same plan as {one.same_as}" for one in comparison.plans if one.same_as]
    notes += [f"refused: {one.name}: {one.reason}" for one in comparison.refused]
    if comparison.interrupted:
        last = comparison.plans[-1].name
        notes.append(f"ended while {last} was rehearsed: its figures are of the time until then")
    if notes:
        lines += ["", *_wrapped(notes, width)]
    if comparison.plans:
        lines += ["", *_wrapped(basis_lines(comparison.plans[0].rehearsal), width)]
    return [*lines, "", *_wrapped([comparison.why], width)] if comparison.why else lines


def _legend(comparison: Comparison) -> list[str]:
    chosen = " *: choose this." if comparison.choose else ""
    return [
        "Peak QPS: most begun in any second. Models: most at once on a key.",
        f"Remain: tests without an answer. Warns: findings of preflight.{chosen}",
    ]


def _key(comparison: Comparison, name: str, width: int) -> list[str]:
    rows: list[tuple[str, ...]] = []
    quota: float | None = None
    for one in comparison.plans:
        for load in one.rehearsal.keys:
            if load.name == name:
                rows.append((one.name, *_key_row(load)))
                quota = load.quota_qps
    supposed = "" if quota is None else f", refuses beyond {figure(quota)} requests/s as supposed"
    table = TextTable(
        title=f"Key {name} (SIMULATED){supposed}",
        columns=("plan", "peak QPS", "mean QPS", "in flight", "models", "429s"),
        rows=tuple(rows),
    )
    return table_lines(table, width)


def _row(one: Compared, chosen: str) -> tuple[str, ...]:
    rehearsal = one.rehearsal
    ended = "" if rehearsal.state == "finished" else " (ended)"
    return (
        f"{one.name}{_CHOSEN if one.name == chosen else ''}",
        f"{span_text(rehearsal.duration_s)}{ended}",
        str(max((load.peak_qps for load in rehearsal.keys), default=0)),
        str(max((load.peak_in_flight for load in rehearsal.keys), default=0)),
        str(max((load.models_at_once for load in rehearsal.keys), default=0)),
        str(rehearsal.rate_limited),
        str(rehearsal.unanswered),
        str(len(one.warnings)),
    )


def _key_row(load: ScopeLoad) -> tuple[str, ...]:
    return (
        str(load.peak_qps),
        f"{load.mean_qps:.2f}",
        str(load.peak_in_flight),
        str(load.models_at_once),
        str(load.rate_limited),
    )


def _wrapped(lines: list[str], width: int) -> list[str]:
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            line, max(20, width), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
        )
    ]
