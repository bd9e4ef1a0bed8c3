"""How a lane grid scrolls after the lane that is followed."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.lane_values import GridData, GridLine


def line_of(lines: Sequence[GridLine], group: str, name: str) -> int | None:
    """Return the line of a row."""
    wanted = ("row", group, name)
    return next((n for n, line in enumerate(lines) if (line.kind, line.group, line.name) == wanted), None)


def top_for(data: GridData, lines: Sequence[GridLine], line: int, top: int, room: int, *, anew: bool) -> int:
    """Return which line is to stand first: another one only if the family is not all in sight, or `anew`."""
    first, last = family_extent(data, lines, line)
    if not anew and first >= top and last < top + room:
        return top
    return max(min(first, len(lines) - room), line - room + 1, 0)


def family_extent(data: GridData, lines: Sequence[GridLine], index: int) -> tuple[int, int]:
    """Return the first and the last line of what belongs to the row at `index`: its headings and its family."""
    row = data.rows[lines[index].row]

    def belongs(line: GridLine) -> bool:
        return line.row >= 0 and data.rows[line.row][:2] == row[:2]

    first = last = index
    while first > 0 and belongs(lines[first - 1]):
        first -= 1
    while first > 0 and lines[first - 1].row < 0:
        first -= 1
    while last + 1 < len(lines) and belongs(lines[last + 1]):
        last += 1
    return first, last
