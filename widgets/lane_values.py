"""What a lane grid shows: plain values, compared and summed without any screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

CellState = Literal["idle", "busy", "full", "throttled", "parked", "off", "sum"]

GLYPHS: Final[dict[CellState, str]] = {
    "idle": ".",
    "busy": " ",
    "full": "^",
    "throttled": "!",
    "parked": "x",
    "off": "-",
    "sum": " ",
}
"""State without colour. Colour only repeats it."""
LEGEND: Final = ". idle  ^ at limit  ! throttled  x parked  - off"


class GridCell(NamedTuple):
    """One lane, or a sum of lanes."""

    in_flight: int = 0
    limit: int | None = None
    """None: unlimited."""
    rate: float = 0.0
    """Requests per second."""
    state: CellState = "idle"


class GridRow(NamedTuple):
    """One deployment; a cell for each column, None where there is no lane."""

    group: str
    """The provider."""
    family: str
    """The model."""
    name: str
    """The deployment: unique in its group."""
    cells: tuple[GridCell | None, ...]


class GridData(NamedTuple):
    """All rows and the names of the columns."""

    columns: tuple[str, ...] = ()
    rows: tuple[GridRow, ...] = ()


class GridLine(NamedTuple):
    """One line of the grid's body as it is shown."""

    kind: Literal["group", "family", "row", "total"]
    label: str
    row: int
    """Index of its row in the data; -1 for headings."""
    total: GridCell
    cells: tuple[GridCell | None, ...]


def sum_cells(cells: Iterable[GridCell | None]) -> GridCell:
    """Add lanes up. One unlimited lane makes the sum unlimited; lanes that are off lend no limit."""
    in_flight = 0
    limit: int | None = 0
    rate = 0.0
    for cell in cells:
        if cell is None:
            continue
        in_flight += cell.in_flight
        rate += cell.rate
        if cell.state == "off" or limit is None:
            continue
        limit = None if cell.limit is None else limit + cell.limit
    return GridCell(in_flight, limit, rate, "sum")


def sum_rows(rows: Iterable[GridRow], columns: int) -> tuple[GridCell | None, ...]:
    """Add rows up, column by column; a column in which no row has a lane stays empty."""
    stacks: list[list[GridCell]] = [[] for _ in range(columns)]
    for row in rows:
        for column, cell in enumerate(row.cells[:columns]):
            if cell is not None:
                stacks[column].append(cell)
    return tuple(sum_cells(stack) if stack else None for stack in stacks)


def body_lines(data: GridData) -> tuple[GridLine, ...]:
    """Return the lines: rows under a heading for each group, and one for each family of several rows.

    Order is that of the data and never by value: a target that moves under the cursor is worse than a
    stale order. With one group only, its heading would repeat the total, so it has none.
    """
    groups: dict[str, dict[str, list[int]]] = {}
    for index, row in enumerate(data.rows):
        groups.setdefault(row.group, {}).setdefault(row.family, []).append(index)
    lines: list[GridLine] = []
    for group, families in groups.items():
        depth = 0
        if len(groups) > 1:
            members = [data.rows[index] for indices in families.values() for index in indices]
            lines.append(_heading("group", group, members, len(data.columns)))
            depth = 1
        for family, indices in families.items():
            inner = depth
            if len(indices) > 1 or data.rows[indices[0]].name != family:
                members = [data.rows[index] for index in indices]
                lines.append(_heading("family", " " * depth + family, members, len(data.columns)))
                inner = depth + 1
            for index in indices:
                row = data.rows[index]
                lines.append(GridLine("row", " " * inner + row.name, index, sum_cells(row.cells), row.cells))
    return tuple(lines)


def total_line(data: GridData) -> GridLine:
    """Return the grand totals."""
    cells = sum_rows(data.rows, len(data.columns))
    return GridLine("total", "total", -1, sum_cells(cells), cells)


def _heading(kind: Literal["group", "family"], label: str, rows: list[GridRow], columns: int) -> GridLine:
    cells = sum_rows(rows, columns)
    return GridLine(kind, label, -1, sum_cells(cells), cells)


def rate_text(rate: float) -> str:
    """Write a rate in at most four characters."""
    if rate < 0.005:
        return "0"
    if rate < 9.95:
        return f"{rate:.1f}" if rate >= 0.95 else f"{rate:.2f}"
    if rate < 9_999.5:
        return f"{rate:.0f}"
    if rate < 999_500:
        return f"{rate / 1000:.0f}k"
    return f"{rate / 1_000_000:.0f}M"
