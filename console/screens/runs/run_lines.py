"""Recent runs as lines of a list: columns aligned, and as many of them as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from console.screens.runs.needs import RunChoice
from console.vocabulary.safe_text import safe_line

_GAP = 1
_TITLE_LIMIT = 12
_FIGURES = 2
"""The column written to the right."""


def run_lines(runs: Sequence[RunChoice], width: int, now: datetime) -> list[Text]:
    """Return a line for each run, `width` columns wide; what has no room gives way from the right."""
    rows = [_cells(run, now) for run in runs]
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines: list[Text] = []
    for run, row in zip(runs, rows, strict=True):
        line = Text(no_wrap=True, overflow="ellipsis")
        used = 0
        for column, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            gap = _GAP if column else 0
            if column and used + gap + wide > width:
                break
            style = (
                ("bold" if run.kind == "live" else "")
                if column == 0
                else "dim"
                if column > _FIGURES + 1
                else ""
            )
            line.append(" " * gap)
            line.append(f"{cell:>{wide}}" if column == _FIGURES else f"{cell:<{wide}}", style)
            used += gap + wide
        lines.append(line)
    return lines


def when(started: str, now: datetime) -> str:
    """Write a start in local time: `HH:MM` today, else `MM-DD HH:MM`; as it is where it is no time."""
    try:
        local = datetime.fromisoformat(started).astimezone(now.tzinfo)
    except ValueError:
        return safe_line(started, 16)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d}"


def _cells(run: RunChoice, now: datetime) -> tuple[str, ...]:
    """Return the columns, what matters most first."""
    return (
        run.kind,
        safe_line(run.title, _TITLE_LIMIT),
        f"{run.done}/{run.planned}",
        "SIM" if run.simulated else "",
        when(run.started, now),
        safe_line(run.profile, 24),
        safe_line(run.id, 60),
    )
