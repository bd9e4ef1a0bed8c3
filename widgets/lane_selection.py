"""Where the cursor of a lane grid stands and what it selects: a lane, a line of them, a column, or everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from widgets.lane_values import GridLine

SelectionKind = Literal["cell", "row", "family", "group", "column", "all"]
HEADING: Final = -1
"""The line of a cursor that stands on the names of columns."""
LABELS: Final = -1
"""The column of a cursor that stands on the label of a line."""


class Selection(NamedTuple):
    """What the cursor selects; a name that says nothing about it is empty."""

    kind: SelectionKind
    group: str = ""
    """Of a cell, row, family or group."""
    name: str = ""
    """Of the row of a cell or of the row itself, or of the family."""
    column: str = ""
    """Of a cell or of the column itself."""


class Spot(NamedTuple):
    """Where the cursor stands."""

    line: int = 0
    """Index among the lines of the body, or `HEADING`."""
    column: int = 0
    """Index among the columns, or `LABELS`."""


def selected(spot: Spot, lines: Sequence[GridLine], columns: Sequence[str]) -> Selection | None:
    """Return what is selected at a spot; None where there is nothing."""
    if not lines:
        return None
    column = columns[spot.column] if 0 <= spot.column < len(columns) else ""
    if spot.line == HEADING:
        return Selection("column", column=column) if column else Selection("all")
    if spot.line >= len(lines):
        return None
    line = lines[spot.line]
    if spot.column == LABELS and line.kind != "total":
        return Selection(line.kind, line.group, line.name)
    return Selection("cell", line.group, line.name, column) if column and line.row >= 0 else None


def moved(spot: Spot, lines: Sequence[GridLine], columns: int, down: int, right: int) -> Spot:
    """Return where the cursor comes to: to the left of the first column are the labels, above the first row the names.

    Among cells it passes over headings; among labels it stops at them. Only a single step leaves the body upward.
    """
    if right:
        spot = Spot(_nearest_row(lines, spot) if spot.line >= 0 > spot.column and right > 0 else spot.line,
                    min(max(spot.column + right, LABELS), columns - 1))  # fmt: skip
    if down:
        among_labels = spot.column == LABELS
        stops = [HEADING, *(n for n, line in enumerate(lines) if among_labels or line.row >= 0)]
        at = stops.index(spot.line) if spot.line in stops else 1
        least = 0 if down == -1 else 1
        spot = spot._replace(line=stops[min(max(at + down, least), len(stops) - 1)])
    return spot


def found_again(spot: Spot, before: Selection, lines: Sequence[GridLine], columns: Sequence[str]) -> Spot:
    """Return where to find what was selected before rows or columns came or went; the same spot if it is gone."""
    line, column = spot
    if before.group or before.name:
        kind = "row" if before.kind == "cell" else before.kind
        wanted = (kind, before.group, before.name)
        line = next(
            (n for n, other in enumerate(lines) if (other.kind, other.group, other.name) == wanted), line
        )
    if before.column in columns:
        column = columns.index(before.column)
    line, column = min(line, len(lines) - 1), min(column, len(columns) - 1)
    if line >= 0 and column >= 0:
        line = _nearest_row(lines, Spot(line, column))
    return Spot(line, column)


def first_cell(lines: Sequence[GridLine]) -> Spot:
    """Return the spot of the first lane."""
    return Spot(next((n for n, line in enumerate(lines) if line.row >= 0), 0), 0)


def _nearest_row(lines: Sequence[GridLine], spot: Spot) -> int:
    """Return the line of the row at a spot, or of the next one below it."""
    below = (n for n in range(max(spot.line, 0), len(lines)) if lines[n].row >= 0)
    return next(below, next((n for n in range(len(lines) - 1, -1, -1) if lines[n].row >= 0), 0))
