"""How one line of a lane grid is made of styled runs. No screen here."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from widgets.bars import bar_text
from widgets.lane_figures import figures_text, share_of_limit, without_limit
from widgets.lane_layout import GridLayout
from widgets.lane_selection import LABELS
from widgets.lane_values import (
    ASCII_MARKS,
    GLYPHS,
    MARKS,
    CellState,
    GridCell,
    GridData,
    GridLine,
    Quantity,
    rate_text,
)
from widgets.line_paint import Line, Run, Tone, fit, joined
from widgets.short_names import shortened

_TONES: Final[dict[CellState, Tone]] = {
    "idle": "muted",
    "throttled": "warn",
    "parked": "bad",
    "off": "muted",
    "quarantined": "bad",
    "leased": "muted",
}
"""Only what is out of the ordinary: a lane that works, at its limit or below, has no style of its own."""
_MOST_COLOURED: Final = 1
"""Stretches of trouble with a colour in a line; those behind are bold, which costs a quarter of the bytes.

A cell says by its glyph what is wrong, so that nothing is lost where much is; the worst has the colour first.
"""
_MOST_MUTED: Final = 3
"""Muted stretches in a line; where there were more, muting would cost more bytes than all the figures."""


def body_line(
    line: GridLine,
    label: str,
    layout: GridLayout,
    quantity: Quantity,
    first: int,
    cursor: int | None,
    *,
    ascii_only: bool,
) -> Line:
    """Return the runs of a line: mark, label, total, and its cells from column `first` on.

    The cursor is marked by `>` before the line and before the cell, so that it is seen without colours; it stands on
    the label where `cursor` is `LABELS`.
    """
    base: Tone = "" if line.kind == "row" else "strong"
    mark = ">" if cursor is not None else " "
    name = fit(label, layout.label - 1)
    total = total_text(line.total, layout, quantity)
    runs: list[Run] = [(mark + name + total, base)]
    if cursor == LABELS:
        runs = [(mark, base), (name, "cursor"), (total, base)]
    columns = range(first, first + layout.visible)
    cells = [line.cells[column] if column < len(line.cells) else None for column in columns]
    tones = spared([_TONES.get(cell.state, "") if cell is not None else "" for cell in cells])
    for column, cell, own in zip(columns, cells, tones, strict=True):
        if cell is None and column != cursor:
            runs.append((" " * layout.cell, base))
            continue
        text = cell_text(cell, layout, quantity, ascii_only)
        if column == cursor:
            before, tone = runs[-1]
            if not layout.gap and before.endswith(" "):
                runs[-1] = (f"{before[:-1]}>", tone)
            runs.append((f"{' ' * (layout.gap - 1)}>" if layout.gap else "", base))
            runs.append((text[layout.gap :], "cursor"))
            continue
        runs.append((text, base or own))
    return joined(runs)


def spared(tones: list[Tone]) -> list[Tone]:
    """Return the tones of a line's cells without those that would cost more bytes than its figures."""
    found = list(tones)
    if any(tones):
        coloured = _kept(found, tones, "bad", _MOST_COLOURED, "strong")
        _kept(found, tones, "warn", _MOST_COLOURED - coloured, "strong")
        _kept(found, tones, "muted", _MOST_MUTED, "")
    return found


def _kept(found: list[Tone], tones: list[Tone], tone: Tone, most: int, otherwise: Tone) -> int:
    """Leave a tone to its first `most` stretches in a line and give `otherwise` to those behind; return how many have it."""
    stretches = 0
    for place, own in enumerate(tones):
        if own == tone:
            stretches += place == 0 or tones[place - 1] != tone
            if stretches > most:
                found[place] = otherwise
    return min(stretches, most)


def cell_text(cell: GridCell | None, layout: GridLayout, quantity: Quantity, ascii_only: bool) -> str:
    """Write a cell, `layout.cell` wide."""
    if cell is None:
        return " " * layout.cell
    figures = figures_text(cell, quantity)
    if cell.state == "sum" and len(figures) > layout.figures:
        figures = without_limit(cell, quantity)
    elif cell.state == "leased" and cell.leased_by and not cell.in_flight:
        figures = fit(cell.leased_by, min(layout.figures, cell_len(cell.leased_by)))
    if not figures.isascii():
        figures = fit(figures, layout.figures, right=True)
    lead = f"{' ' * layout.gap}{GLYPHS[cell.state]}{figures:>{layout.figures}}"
    mark = " "
    if cell.moved or cell.changed:
        marks = ASCII_MARKS if ascii_only else MARKS
        mark = marks[1 if cell.moved > 0 else 2 if cell.moved < 0 else 0]
    text = lead + mark
    if layout.bar:
        share = share_of_limit(cell, quantity) if cell.state not in ("off", "quarantined") else None
        text += " " * layout.bar if share is None else bar_text(*share, layout.bar, ascii_only)
    if layout.rate:
        text += f" {rate_text(cell.rate):>{layout.rate}}"
    return text


def total_text(total: GridCell, layout: GridLayout, quantity: Quantity) -> str:
    """Write the total of a line, `layout.total` wide."""
    rate = f" {rate_text(total.rate):>{layout.total_rate}}" if layout.total_rate else ""
    return f" {figures_text(total, quantity):>{layout.total_figures}}{rate}{'' if layout.gap else ' '}"


def header_line(data: GridData, layout: GridLayout, first: int, corner: str, cursor: int | None) -> Line:
    """Return the heading: what is shown, and the names of the columns, with marks where there are more.

    `cursor` is the column that is selected, `LABELS` where all is, None where nothing in the heading is.
    """
    last = first + layout.visible
    scrolls = layout.visible < len(data.columns)
    short = shortened(data.columns, layout.figures + (0 if scrolls else 1))  # room for the marks
    total = f" {layout.heads.total:>{layout.total_figures}}"
    second = f" {layout.heads.second:>{layout.total_rate}}" if layout.total_rate else ""
    room = layout.label + 1 + layout.total_figures - len(total)  # a long title takes room from the corner
    label = fit(f"{'>' if cursor == LABELS else ''}{corner}", room)
    runs: list[Run] = [
        (label, "cursor" if cursor == LABELS else "heading"),
        (f"{total}{second}{'' if layout.gap else ' '}", "heading"),
    ]
    for index in range(first, min(last, len(data.columns))):
        name = short[data.columns[index]]
        if index == first and first > 0:
            name = "<" + name
        if index == last - 1 and last < len(data.columns):
            name += ">"
        text = fit(name, layout.figures + 1, right=True)
        if index == cursor:
            runs.append((" " * layout.gap, "heading"))
            runs.append((f">{text[1:]}" if text.startswith(" ") else text, "cursor"))
        else:
            runs.append((" " * layout.gap + text, "heading"))
        rest = " " * (1 + layout.bar) + (f" {layout.heads.second:>{layout.rate}}" if layout.rate else "")
        runs.append((rest, "heading"))
    return joined(runs)
