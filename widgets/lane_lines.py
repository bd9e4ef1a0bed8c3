"""How one line of a lane grid is made of styled runs, and how much of it a change touches. No screen here."""

from __future__ import annotations

from typing import Final

from widgets.lane_layout import GridLayout, cell_parts, total_text
from widgets.lane_values import GridCell, GridData, GridLine

Run = tuple[str, str]
"""Name of a style and text."""
_STYLES: Final = {"group": "group", "family": "group", "total": "total", "row": ""}


def line_runs(
    line: GridLine, label: str, layout: GridLayout, first: int, cursor: int | None, *, ascii_only: bool
) -> list[Run]:
    """Return the runs of a line: mark, label, total, and its cells from column `first` on.

    The cursor is marked by `>` before the line and before the cell, so that it is seen without colours.
    """
    base = _STYLES[line.kind]
    mark = ">" if cursor is not None else " "
    room = layout.label - 1
    runs: list[Run] = [(base, f"{mark}{label[:room]:<{room}}{total_text(line.total, layout)}")]
    for column in range(first, first + layout.visible):
        cell = line.cells[column] if column < len(line.cells) else None
        head, bar, tail = cell_parts(cell, layout, ascii_only)
        if column == cursor:
            gap = f"{' ' * (layout.gap - 1)}>"
            runs += [(base, gap), ("cursor", head[layout.gap :]), ("bar", bar), ("cursor", tail)]
            continue
        name = base or _style_name(cell)
        runs.append((name, head))
        if bar:
            runs += [(name if name in ("throttled", "parked") else "bar", bar), (name, tail)]
    return _merged(runs)


def changed_extent(old: GridLine, new: GridLine, layout: GridLayout, first: int, *, ascii_only: bool) -> int:
    """Return up to which screen column a line differs; 0 where it looks the same."""
    left = layout.label + layout.total
    for slot in range(layout.visible - 1, -1, -1):
        column = first + slot
        if column >= len(new.cells) or new.cells[column] == old.cells[column]:
            continue
        before, after = (cell_parts(line.cells[column], layout, ascii_only) for line in (old, new))
        if before != after:
            return left + (slot + 1) * layout.cell
    return left if total_text(old.total, layout) != total_text(new.total, layout) else 0


def family_extent(data: GridData, lines: tuple[GridLine, ...], index: int) -> tuple[int, int]:
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


def _merged(runs: list[Run]) -> list[Run]:
    """Join neighbours of one style: each change of style costs bytes."""
    merged: list[Run] = []
    for name, text in runs:
        if (
            merged
            and (merged[-1][0] == name or text.isspace())
            and name != "cursor"
            and merged[-1][0] != "cursor"
        ):
            merged[-1] = (merged[-1][0], merged[-1][1] + text)
        elif text:
            merged.append((name, text))
    return merged


def _style_name(cell: GridCell | None) -> str:
    if cell is None or cell.state in ("busy", "sum"):
        return ""
    return cell.state
