"""How wide the parts of a lane grid are."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.cells import cell_len

from widgets.lane_figures import HEADS, RATE_WIDTH, SHORT_HEADS, Heads, figures_width, share_of_limit
from widgets.lane_values import GridData, GridLine, Quantity
from widgets.short_names import shortened

BAR_WIDTHS: Final = (16, 10, 6, 3)
"""Bars are tried from the widest to the narrowest, then left out; after them the rate; never the figures."""
_MOST_BYTES: Final = 9_500
"""What all lines in sight may take when all of them change; wider bars than that allows are not drawn."""
_LINE_BYTES: Final = 50
"""To go to a line, set its colours and unset them again."""
CORNER: Final = "deployment"
MIN_LABEL: Final = 10
USUAL_LABEL: Final = 18
"""What a label is left with where not all columns fit, if the screen is not very narrow."""
_NARROW: Final = 60


class GridLayout(NamedTuple):
    """Widths in terminal columns. A line is label, total, then as many cells as fit.

    A cell is a gap, its glyph, its figures, a mark behind them, its bar, and its second figure.
    """

    label: int
    gap: int
    """Columns before a cell's glyph, beside the one that the mark of the cell before takes."""
    figures: int
    """`in-flight/limit` of a cell."""
    total_figures: int
    bar: int
    """0: no bar."""
    rate: int
    """0: no second figure in cells."""
    total_rate: int
    cell: int
    """All of a cell with the gap before it and the mark behind its figures."""
    total: int
    visible: int
    """Cells that fit beside one another."""
    heads: Heads


def corner_text(data: GridData) -> str:
    """Return what stands above the labels: the only provider, which then has no heading of its own."""
    groups = {row.group for row in data.rows}
    return next(iter(groups)) if len(groups) == 1 else CORNER


def short_labels(lines: tuple[GridLine, ...], label: int) -> dict[str, str]:
    """Return what is written for each label in a column of `label`, the mark before it included.

    A model and its deployment of the same name are cut alike, as deep as the deeper one needs.
    """
    depth = max((len(line.label) - len(line.label.lstrip()) for line in lines), default=0)
    room = max(1, label - 1 - depth)
    short = shortened((line.label.strip() for line in lines), room)
    made: dict[str, str] = {}
    for line in lines:
        whole, indent = line.label, len(line.label) - len(line.label.lstrip())
        made[whole] = whole[:indent] + short[whole.strip()]
    return made


def lay_out(
    data: GridData,
    lines: tuple[GridLine, ...],
    total: GridLine,
    width: int,
    height: int,
    quantity: Quantity,
    *,
    at_least: GridLayout | None = None,
) -> GridLayout:
    """Choose widths for a grid of this size; figures are never narrower than in `at_least`.

    What gives way, in this order: bars, rates in cells, limits of column sums, then whole columns to the right.
    """
    heads = (HEADS if width >= _NARROW else SHORT_HEADS)[quantity]
    figures = figures_width([cell for row in data.rows for cell in row.cells], quantity)
    headings = [cell for line in (*lines, total) if line.row < 0 for cell in line.cells]
    sums = max(figures, figures_width(headings, quantity))
    total_figures = figures_width([line.total for line in (*lines, total)], quantity)
    if at_least is not None:
        figures, total_figures = max(figures, at_least.figures), max(total_figures, at_least.total_figures)
        sums = max(sums, figures)
    total_rate = RATE_WIDTH if heads.second else 0
    total_width = 1 + total_figures + (1 + total_rate if total_rate else 0)
    title = max(0, len(heads.total) - total_figures)  # it takes room from the corner
    longest = 1 + max(len(CORNER) + title, *(cell_len(line.label) for line in (*lines, total)))
    count = max(1, len(data.columns))
    enough = USUAL_LABEL if width >= _NARROW else MIN_LABEL
    spare = width - total_width - count * (3 + sums + (1 + RATE_WIDTH if heads.second else 0))
    if spare < enough:
        spare = width - total_width - count * (3 + sums)
    label = max(MIN_LABEL, min(longest, max(spare, enough)))
    room = width - label - total_width
    gap, rate, bar = 1, 0, 0
    if count * (gap + 2 + sums) <= room:
        figures = sums
        if heads.second and count * (gap + 2 + sums + 1 + RATE_WIDTH) <= room:
            rate = RATE_WIDTH
        beside = gap + 2 + sums + (1 + rate if rate else 0)
        if (rate or not heads.second) and _has_limits(data, quantity):
            afforded = (
                _MOST_BYTES // min(len(lines) + 2, height) - _LINE_BYTES - width + room - count * beside
            ) // (2 * count)
            bar = next((bar for bar in BAR_WIDTHS if count * (beside + bar) <= room and bar <= afforded), 0)
    else:
        gap, total_width = 0, total_width + 1
    cell = gap + 1 + figures + 1 + bar + (1 + rate if rate else 0)
    visible = max(1, min(count, (width - label - total_width) // cell))
    return GridLayout(
        label, gap, figures, total_figures, bar, rate, total_rate, cell, total_width, visible, heads
    )


def _has_limits(data: GridData, quantity: Quantity) -> bool:
    cells = (cell for row in data.rows for cell in row.cells if cell is not None)
    return any(share_of_limit(cell, quantity) is not None for cell in cells)
