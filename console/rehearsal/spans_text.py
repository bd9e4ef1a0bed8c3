"""Spans of time, and load over time, in characters of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def span_text(seconds: float) -> str:
    """Write a span in words: `12.7 s`, `41 min 20 s`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def clock_text(seconds: float | None) -> str:
    """Write a moment since the start as `0:07`, `12:31` or `3:05:09`; `-` where there is none."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def sparkline(values: Sequence[float], columns: int) -> str:
    """Draw values in blocks as high as the greatest is full; nothing at all is left blank."""
    top = max(values, default=0.0)
    drawn: list[str] = []
    for column in range(columns):
        first = column * len(values) // columns
        part = values[first : max(first + 1, (column + 1) * len(values) // columns)]
        level = sum(part) / len(part) if part else 0.0
        drawn.append(_BLOCKS[max(1, round(level / top * (len(_BLOCKS) - 1)))] if level > 0 else _BLOCKS[0])
    return "".join(drawn).rstrip()


def bar(start_s: float | None, end_s: float | None, whole_s: float, columns: int) -> str:
    """Draw when something ran, within the whole."""
    if start_s is None or whole_s <= 0:
        return ""
    first = min(columns - 1, int(start_s / whole_s * columns))
    last = columns if end_s is None else max(first + 1, round(end_s / whole_s * columns))
    return " " * first + "█" * (min(columns, last) - first)
