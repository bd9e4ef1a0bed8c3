"""Columns of blocks beside one another: values as heights, over one line or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS: Final = ".:-=+*#"


def columns_of(values: Sequence[float | None], top: float, height: int, *, ascii_only: bool) -> list[str]:
    """Draw each value as a column up to `height` lines high, from the topmost line down; None leaves a gap.

    Nought still has the lowest block, so that it is told from a gap; what is above the top is drawn as the top.
    """
    glyphs = ASCII_BLOCKS if ascii_only else BLOCKS
    steps = len(glyphs)
    lines = [[" "] * len(values) for _ in range(height)]
    for column, value in enumerate(values):
        if value is None:
            continue
        level = min(steps * height, max(1, round(value / top * steps * height)))
        for line in range(height - 1, -1, -1):
            lines[line][column] = glyphs[min(level, steps) - 1]
            level -= steps
            if level <= 0:
                break
    return ["".join(line) for line in lines]


def fitted(values: Sequence[float | None], width: int) -> list[float | None]:
    """Spread values over `width` columns, the greatest of those that share a column."""
    count = len(values)
    if not count or width <= 0:
        return [None] * max(0, width)
    made: list[float | None] = []
    for column in range(width):
        first = column * count // width
        last = max(first + 1, (column + 1) * count // width)
        made.append(max((value for value in values[first:last] if value is not None), default=None))
    return made
