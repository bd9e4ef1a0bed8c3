"""How wide the parts of a lane grid are, and how a cell is written into its width."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from widgets.lane_values import GLYPHS, GridCell, GridData, GridLine, rate_text
from widgets.short_names import clip, shortened

RATE_WIDTH: Final = 4
BAR_WIDTHS: Final = (16, 10, 6, 3)
"""Bars are tried from the widest to the narrowest, then left out; after them the rate; never the figures."""
CORNER: Final = "deployment"
MIN_LABEL: Final = 10
USUAL_LABEL: Final = 18
"""What a label is left with where not all columns fit, if the screen is not very narrow."""
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


class GridLayout(NamedTuple):
    """Widths in terminal columns. A line is label, total, then as many cells as fit."""

    label: int
    gap: int
    """Columns before a cell's glyph."""
    figures: int
    """`in-flight/limit` of a cell."""
    total_figures: int
    bar: int
    """0: no bar."""
    rate: int
    """0: no rate in cells (the total still has one)."""
    cell: int
    """All of a cell with the gap before it."""
    total: int
    visible: int
    """Cells that fit beside one another."""


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


def figures_text(cell: GridCell) -> str:
    """Write `in-flight/limit`; without a limit the figure stands alone, for absent means unlimited."""
    return str(cell.in_flight) if cell.limit is None else f"{cell.in_flight}/{cell.limit}"


def figures_width(cells: Iterable[GridCell | None]) -> int:
    """Return a width that holds these figures and does not change while in-flight stays within the limit."""
    most, limit = 1, 0
    for cell in cells:
        if cell is not None:
            most = max(most, cell.in_flight, cell.limit or 0)
            limit = max(limit, cell.limit or 0)
    return max(3, len(str(most)) + (1 + len(str(limit)) if limit else 0))


def lay_out(
    data: GridData, lines: tuple[GridLine, ...], total: GridLine, width: int, *, at_least: GridLayout | None
) -> GridLayout:
    """Choose widths for a grid of `width` columns; figures are never narrower than in `at_least`.

    What gives way, in this order: bars, rates in cells, limits of column sums, then whole columns to the right.
    """
    figures = figures_width(cell for row in data.rows for cell in row.cells)
    sums = max(
        figures, figures_width(total.cells), *(figures_width(line.cells) for line in lines if line.row < 0)
    )
    total_figures = max(figures_width((line.total,)) for line in (*lines, total))
    if at_least is not None:
        figures, total_figures = max(figures, at_least.figures), max(total_figures, at_least.total_figures)
    total_width = 1 + total_figures + 1 + RATE_WIDTH
    longest = 1 + max(len(CORNER), *(len(line.label) for line in (*lines, total)))
    count = max(1, len(data.columns))
    enough = USUAL_LABEL if width >= 60 else MIN_LABEL
    spare = width - total_width - count * (3 + sums + 1 + RATE_WIDTH)
    if spare < enough:
        spare = width - total_width - count * (3 + sums)
    label = max(MIN_LABEL, min(longest, max(spare, enough)))
    room = width - label - total_width
    gap, rate, bar = 2, 0, 0
    if count * (gap + 1 + sums) <= room:
        figures = sums
        if count * (gap + 1 + sums + 1 + RATE_WIDTH) <= room:
            rate = RATE_WIDTH
            beside = gap + 1 + sums + 2 + RATE_WIDTH
            bar = next((bar for bar in BAR_WIDTHS if count * (beside + bar) <= room), 0)
    else:
        gap = 1
    cell = gap + 1 + figures + (1 + bar if bar else 0) + (1 + rate if rate else 0)
    visible = max(1, min(count, room // cell))
    return GridLayout(label, gap, figures, total_figures, bar, rate, cell, total_width, visible)


def cell_parts(cell: GridCell | None, layout: GridLayout, ascii_only: bool) -> tuple[str, str, str]:
    """Return the text of a cell before its bar, its bar, and what stands behind; together `layout.cell` wide."""
    if cell is None:
        return " " * layout.cell, "", ""
    figures = figures_text(cell)
    if cell.state == "sum" and len(figures) > layout.figures:
        figures = str(cell.in_flight)
    head = f"{' ' * layout.gap}{GLYPHS[cell.state]}{figures:>{layout.figures}}"
    rate = f" {rate_text(cell.rate):>{layout.rate}}" if layout.rate else ""
    if not layout.bar:
        return head + rate, "", ""
    bar = (
        bar_text(cell.in_flight, cell.limit, layout.bar, ascii_only)
        if cell.state != "off"
        else " " * layout.bar
    )
    return head + " ", bar, rate


def total_text(total: GridCell, layout: GridLayout) -> str:
    """Write the total of a line, `layout.total` wide."""
    return f" {figures_text(total):>{layout.total_figures}} {rate_text(total.rate):>{RATE_WIDTH}}"


def header_text(data: GridData, layout: GridLayout, first: int, corner: str) -> str:
    """Write the heading: what is shown, and the names of the columns, with marks where there are more."""
    last = first + layout.visible
    label = clip(corner, layout.label - 1)
    scrolls = layout.visible < len(data.columns)
    short = shortened(data.columns, layout.figures + (0 if scrolls else 1))  # room for the marks
    parts = [f"{label:<{layout.label}}", f" {'total':>{layout.total_figures}} {'r/s':>{RATE_WIDTH}}"]
    for index in range(first, min(last, len(data.columns))):
        name = short[data.columns[index]]
        if index == first and first > 0:
            name = "<" + name
        if index == last - 1 and last < len(data.columns):
            name += ">"
        name = clip(name, layout.figures + 1)
        text = f"{' ' * layout.gap}{name:>{layout.figures + 1}}"
        if layout.bar:
            text += " " * (1 + layout.bar)
        if layout.rate:
            text += f" {'r/s':>{layout.rate}}"
        parts.append(text)
    return "".join(parts)


def bar_text(value: int, limit: int | None, width: int, ascii_only: bool) -> str:
    """Draw how much of the limit is used; nothing where there is no limit."""
    if not limit:
        return " " * width
    share = min(1.0, max(0.0, value / limit))
    if ascii_only:
        return ("#" * max(round(share * width), 1 if value else 0)).ljust(width, ".")
    eighths = max(round(share * width * 8), 1 if value else 0)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)
