"""What a lane grid shows: plain values, compared and summed without any screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

CellState = Literal["idle", "busy", "full", "throttled", "parked", "off", "quarantined", "leased", "sum"]
Quantity = Literal["in-flight", "qps", "tokens", "ttft", "errors"]
"""Which of its figures a grid shows."""
QUANTITIES: Final[tuple[Quantity, ...]] = ("in-flight", "qps", "tokens", "ttft", "errors")

GLYPHS: Final[dict[CellState, str]] = {
    "idle": ".",
    "busy": " ",
    "full": "^",
    "throttled": "!",
    "parked": "x",
    "off": "-",
    "quarantined": "#",
    "leased": "=",
    "sum": " ",
}
"""State without colour. Colour only repeats it."""
LEGEND: Final = ". idle  ^ at limit  ! throttled  x parked  - off  # key refused  = leased by another job"
MARKS: Final[tuple[str, str, str]] = ("*", "↑", "↓")
"""Behind a figure: its limit was changed by hand; adaptive mode has just raised it, or lowered it."""
ASCII_MARKS: Final[tuple[str, str, str]] = ("*", "/", "\\")
MARKS_LEGEND: Final = "* limit changed by hand  ↑ ↓ adaptive mode just moved it"
ASCII_MARKS_LEGEND: Final = "* limit changed by hand  / raised  \\ lowered by adaptive mode"


class GridCell(NamedTuple):
    """One lane, or a sum of lanes."""

    in_flight: int = 0
    limit: int | None = None
    """None: unlimited."""
    rate: float = 0.0
    """Requests per second."""
    state: CellState = "idle"
    tokens_per_s: float = 0.0
    ttft_p95_ms: float | None = None
    """None: not known. Of a sum: the greatest, for percentiles do not add up."""
    errors: int = 0
    qps: float | None = None
    """Requests per second that may be sent; None: unlimited."""
    moved: int = 0
    """Where adaptive mode has just moved its limits: 1 up, -1 down, 0 nowhere."""
    leased_by: str = ""
    """A short mark of the job that has its key, shown where the state is `leased`."""
    changed: bool = False
    """Its limits were changed by hand."""


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
    group: str = ""
    name: str = ""
    """Of the family or the row, without what indents its label."""


def sum_cells(cells: Iterable[GridCell | None]) -> GridCell:
    """Add lanes up. One unlimited lane makes the sum unlimited; lanes that are off lend no limit."""
    in_flight, errors = 0, 0
    limit: int | None = 0
    qps: float | None = 0
    rate = tokens = 0.0
    slowest: float | None = None
    for cell in cells:
        if cell is None:
            continue
        flying, most, sent, state, fast, ttft, failed, allowed, _, _, _ = cell
        in_flight += flying
        rate += sent
        tokens += fast
        errors += failed
        if ttft is not None and (slowest is None or ttft > slowest):
            slowest = ttft
        if state == "off" or state == "quarantined":
            continue
        if limit is not None:
            limit = None if most is None else limit + most
        if qps is not None:
            qps = None if allowed is None else qps + allowed
    return GridCell(in_flight, limit, rate, "sum", tokens, slowest, errors, qps)


def grid_lines(data: GridData, total_label: str = "total") -> tuple[tuple[GridLine, ...], GridLine]:
    """Return the lines and the grand totals: rows under a heading for each group, and one for each family of several.

    Order is that of the data and never by value: a target that moves under the cursor is worse than a
    stale order. With one group only, its heading would repeat the total, so it has none.
    """
    groups: dict[str, dict[str, list[int]]] = {}
    for index, row in enumerate(data.rows):
        groups.setdefault(row.group, {}).setdefault(row.family, []).append(index)
    lines: list[GridLine] = []
    sums: list[tuple[GridCell | None, ...]] = []
    width = len(data.columns)
    for group, families in groups.items():
        at, depth = len(lines), int(len(groups) > 1)
        group_sums: list[tuple[GridCell | None, ...]] = []
        for family, indices in families.items():
            members = [data.rows[index] for index in indices]
            cells = _column_sums([row.cells for row in members], width)
            group_sums.append(cells)
            inner = depth
            if len(indices) > 1 or members[0].name != family:
                lines.append(_heading("family", " " * depth + family, cells, group, family))
                inner += 1
            for index, row in zip(indices, members, strict=True):
                label = " " * inner + row.name
                lines.append(GridLine("row", label, index, sum_cells(row.cells), row.cells, group, row.name))
        sums.append(_column_sums(group_sums, width))
        if depth:
            lines.insert(at, _heading("group", group, sums[-1], group, ""))
    return tuple(lines), _heading("total", total_label, _column_sums(sums, width), "", "")


def _column_sums(stacks: list[tuple[GridCell | None, ...]], width: int) -> tuple[GridCell | None, ...]:
    """Add lines up, column by column; a column in which no line has a lane stays empty."""
    if len(stacks) == 1 and len(stacks[0]) == width:
        return tuple(None if cell is None else sum_cells((cell,)) for cell in stacks[0])
    made: list[GridCell | None] = []
    for column in range(width):
        cells = [cells[column] for cells in stacks if column < len(cells) and cells[column] is not None]
        made.append(sum_cells(cells) if cells else None)
    return tuple(made)


def _heading(
    kind: Literal["group", "family", "total"],
    label: str,
    cells: tuple[GridCell | None, ...],
    group: str,
    name: str,
) -> GridLine:
    return GridLine(kind, label, -1, sum_cells(cells), cells, group, name)


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
