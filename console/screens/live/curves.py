"""The last minutes as small curves, drawn in text. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from console.screens.live.recollection import KEPT_S
from console.vocabulary.inspection import Point
from widgets.block_columns import columns_of
from widgets.lane_values import rate_text
from widgets.text_lines import Line, Run, Tone

_GAP: Final = 2
Figure = Callable[[Point], float]
_CURVES: Final[tuple[tuple[str, Figure, Tone], ...]] = (
    ("req/s", lambda point: point.rate, "accent"),
    ("in flight", lambda point: point.in_flight, "accent"),
    ("tok/s", lambda point: point.tokens_per_s, "accent"),
    ("errors/s", lambda point: point.errors_per_s, "bad"),
)


def curve_lines(
    points: Sequence[Point], step_s: float, width: int, rows: int, *, ascii_only: bool = False
) -> tuple[Line, ...]:
    """Return the four curves beside one another: a line of names with the highest figure, then `rows` of curves."""
    each = max(8, width // len(_CURVES))
    room = each - _GAP
    names: list[Run] = []
    drawn: list[list[Run]] = [[] for _ in range(rows)]
    for name, figure, tone in _CURVES:
        values = binned(points, figure, room, step_s)
        top = max(values, default=0.0)
        most = f"max {rate_text(top)}" if top else ""
        names.append((f" {name:<{room - len(most)}}{most} "[:each].ljust(each), "muted"))
        for line, text in zip(drawn, curve_rows(values, room, rows, ascii_only=ascii_only), strict=True):
            line.append((f" {text} ", tone))
    return (tuple(names), *map(tuple, drawn))


def curve_line(points: Sequence[Point], step_s: float, width: int, *, ascii_only: bool = False) -> Line:
    """Return two curves in one line, for a screen that has no more room."""
    runs: list[Run] = []
    for name, figure, tone in (_CURVES[0], _CURVES[3]):
        room = width // 2 - len(name) - 4
        if room < 5:
            return ()
        values = binned(points, figure, room, step_s)
        runs.append((f" {name} ", "muted"))
        runs.append((curve_rows(values, room, 1, ascii_only=ascii_only)[0], tone))
        runs.append(("  ", ""))
    return tuple(runs)


def lane_curves(
    points: Sequence[Point], step_s: float, width: int, *, ascii_only: bool = False
) -> list[Line]:
    """Return the curves of one lane below one another, each with its highest figure."""
    lines: list[Line] = []
    for name, figure, tone in _CURVES:
        values = binned(points, figure, max(5, width - 22), step_s)
        if not any(values):
            continue
        text = curve_rows(values, max(5, width - 22), 1, ascii_only=ascii_only)[0]
        lines.append(((f" {name:<9} ", "muted"), (text, tone), (f" max {rate_text(max(values))}", "muted")))
    return lines


def binned(points: Sequence[Point], figure: Figure, width: int, step_s: float) -> list[float]:
    """Return a value for each of at most `width` places of the last minutes, the newest last.

    A place is always the same span of the run's time, so that a curve moves by whole places and none changes but
    the last. Of several points in one the highest counts; where nobody looked, nothing is taken to have changed.
    """
    if not points:
        return []
    span_s = step_s * math.ceil(KEPT_S / step_s / width)
    highest: dict[int, float] = {}
    for point in points:
        place = int(point.at_s // span_s)
        highest[place] = max(highest.get(place, 0.0), figure(point))
    newest = max(highest)
    values: list[float] = []
    for place in range(max(min(highest), newest - width + 1), newest + 1):
        values.append(highest.get(place, values[-1] if values else 0.0))
    return values


def curve_rows(values: Sequence[float], width: int, rows: int, *, ascii_only: bool = False) -> list[str]:
    """Draw values as columns of `rows` lines, the first line the highest; the newest stands at the right."""
    top = max(values, default=0.0) or 1.0
    return [line.rjust(width) for line in columns_of(values, top, rows, ascii_only=ascii_only)]
