"""Who held which key over time, a line a key: each job is a letter."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from typing import Final

from console.records.text_table import cells, shorten
from console.rehearsal.report import LeaseSpan, Rehearsal
from console.rehearsal.spans_text import span_text

_LETTERS: Final = string.ascii_lowercase + string.ascii_uppercase + string.digits
_OTHER: Final = "+"
"""Jobs beyond the last letter."""
_NOBODY: Final = "·"
_NAME: Final = 22


def job_letters(rehearsal: Rehearsal) -> dict[str, str]:
    """Return the letter of every job, in the order of the plan; none where no job leases a key."""
    if not rehearsal.leases:
        return {}
    return {
        job.job: _LETTERS[index] if index < len(_LETTERS) else _OTHER
        for index, job in enumerate(rehearsal.jobs)
    }


def holder_lines(rehearsal: Rehearsal, width: int) -> list[str]:
    """Return a line a key, more where it has several holders at once; empty where nobody leases a key."""
    if not rehearsal.leases:
        return []
    letters = job_letters(rehearsal)
    names = dict.fromkeys(load.name for load in rehearsal.keys)
    held = {name: [span for span in rehearsal.leases if span.key == name] for name in names}
    room = min(_NAME, max(cells(name) for name, spans in held.items() if spans))
    columns = max(10, width - room - 1)
    lines = [f"Holders of the keys over the {span_text(rehearsal.duration_s)} (SIMULATED); letters as below"]
    for name, spans in held.items():
        for number, side in enumerate(_side_by_side(spans)):
            title = shorten(name, room) if number == 0 else ""
            drawn = _draw(side, letters, rehearsal.duration_s, columns)
            lines.append(f"{title}{' ' * (room - cells(title))} {drawn}")
    return [*lines, ""]


def _side_by_side(spans: Iterable[LeaseSpan]) -> list[list[LeaseSpan]]:
    """Deal spans into as few rows as hold no two at the same time."""
    rows: list[list[LeaseSpan]] = []
    for span in spans:
        free = (row for row in rows if row[-1].end_s is not None and row[-1].end_s <= span.start_s)
        row = next(free, None)
        if row is None:
            rows.append([span])
        else:
            row.append(span)
    return rows


def _draw(spans: Sequence[LeaseSpan], letters: dict[str, str], whole_s: float, columns: int) -> str:
    """Draw who holds it in the middle of each column."""
    drawn: list[str] = []
    for column in range(columns):
        at_s = (column + 0.5) * whole_s / columns
        holder = next(
            (span for span in spans if span.start_s <= at_s and (span.end_s is None or at_s < span.end_s)),
            None,
        )
        drawn.append(_NOBODY if holder is None else letters[holder.job])
    return "".join(drawn)
