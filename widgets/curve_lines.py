"""Curves as lines of text: points over an axis of their own kind each, a dotted line between them, and what is marked on x.

One character stands for a point, so that what it means is told by its shape; colour only repeats it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from widgets.line_paint import Line, Run, Tone, cut, joined

PointMark = Literal["pass", "almost", "fail", "open", "plain"]
GLYPHS: Final[dict[PointMark, str]] = {"pass": "●", "almost": "○", "fail": "×", "open": "?", "plain": "+"}
ASCII_GLYPHS: Final[dict[PointMark, str]] = {
    "pass": "O", "almost": "o", "fail": "x", "open": "?", "plain": "+",
}  # fmt: skip
MARK_TONES: Final[dict[PointMark, Tone]] = {
    "pass": "good", "almost": "good", "fail": "bad", "open": "warn", "plain": "accent",
}  # fmt: skip
_STRENGTH: Final[dict[PointMark, int]] = {"plain": 0, "almost": 1, "pass": 2, "open": 3, "fail": 4}
"""Of points in one cell the strongest is seen."""
_TOPS: Final = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_LEAST_HEIGHT: Final = 4
"""Lines below which nothing can be told from a curve."""
_HEADED: Final = 6
"""Lines from which there is room for a legend."""


class CurvePoint(NamedTuple):
    """One measured point."""

    x: float
    y: float
    mark: PointMark = "plain"


class Series(NamedTuple):
    """Points that belong together, in any order."""

    name: str
    """With its unit, such as `tok/s`."""
    points: tuple[CurvePoint, ...]
    axis: Literal["left", "right"] = "left"
    dotted: bool = True
    """A line is drawn from point to point, by their x."""


class CurveData(NamedTuple):
    """All that a curve shows."""

    series: tuple[Series, ...] = ()
    x_name: str = ""
    log_x: bool = True
    span: tuple[float | None, float | None] = (None, None)
    """Two ends between which something lies; they are marked on the axis. None: that end is not known."""
    now: float | None = None
    """Where something goes on, marked as well."""
    knee: float | None = None
    """A place that is the answer, drawn from top to bottom."""
    legend: tuple[tuple[PointMark, str], ...] = ()
    """What the marks mean here."""
    empty_text: str = "no points yet"


Cells = list[list[Run]]


def curve_lines(data: CurveData, width: int, height: int, *, ascii_only: bool = False) -> list[Line]:
    """Draw a curve in at most `height` lines of `width` columns."""
    points = [point for series in data.series for point in series.points]
    if not points or height < _LEAST_HEIGHT or width < 20:
        return [((cut(f" {data.empty_text if not points else ''}", width), "muted"),)]
    return _Drawing(data, width, height, ascii_only=ascii_only).lines()


def top_of(values: Sequence[float]) -> float:
    """Return a round figure that none of these is above, and not far above them."""
    most = max(values, default=0.0)
    if not math.isfinite(most) or most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in _TOPS if step * power >= most * (1 - 1e-9))


def scale_text(value: float) -> str:
    """Write a figure of a scale, short: `0`, `0.5`, `40`, `1.2k`, `3M`."""
    for least, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= least:
            return f"{value / {'G': 1e9, 'M': 1e6, 'k': 1e3}[unit]:.3g}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class _Drawing:
    """One picture while it is made."""

    def __init__(self, data: CurveData, width: int, height: int, *, ascii_only: bool) -> None:
        self._data = data
        self._ascii = ascii_only
        self._headed = height >= _HEADED
        self._rows = height - 2 - (1 if self._headed else 0)
        self._tops = {
            axis: top_of([point.y for one in data.series if one.axis == axis for point in one.points])
            for axis in ("left", "right")
        }
        self._left = self._labels("left")
        self._right = self._labels("right") if any(one.axis == "right" for one in data.series) else []
        left, right = max(map(len, self._left)), max(map(len, self._right), default=-1)
        self._lead, self._tail = left + 2, right + 1
        self._width = width
        self._columns = max(8, width - self._lead - self._tail)
        self._low, self._high = self._range()
        self._cells: Cells = [[(" ", "")] * self._columns for _ in range(self._rows)]

    def lines(self) -> list[Line]:
        """Draw it all."""
        if self._data.knee is not None:
            at = self._column(self._data.knee)
            for row in self._cells:
                row[at] = (self._glyph("┊", "|"), "accent")
        for series in self._data.series:
            if series.dotted:
                self._dot(series)
        for series in sorted(self._data.series, key=lambda one: one.axis == "left"):
            self._mark(series)
        made = [self._head()] if self._headed else []
        made += [self._row(number) for number in range(self._rows)]
        return [*made, self._axis(), self._ticks()]

    # Scales

    def _labels(self, axis: Literal["left", "right"]) -> list[str]:
        top = self._tops[axis]
        texts = [""] * self._rows
        texts[0], texts[-1] = scale_text(top), "0"
        if self._rows >= 7 and self._rows % 2:
            texts[self._rows // 2] = scale_text(top / 2)
        return texts

    def _range(self) -> tuple[float, float]:
        data = self._data
        xs = [point.x for one in data.series for point in one.points]
        xs += [x for x in (*data.span, data.now, data.knee) if x is not None]
        low, high = self._scaled(min(xs)), self._scaled(max(xs))
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def _scaled(self, x: float) -> float:
        return math.log(max(x, 1e-9)) if self._data.log_x else x

    def _column(self, x: float) -> int:
        share = (self._scaled(x) - self._low) / (self._high - self._low)
        return min(self._columns - 1, max(0, round(share * (self._columns - 1))))

    def _height(self, y: float, axis: str) -> int:
        share = min(1.0, max(0.0, y / self._tops[axis]))
        return self._rows - 1 - round(share * (self._rows - 1))

    # The field

    def _dot(self, series: Series) -> None:
        """Draw from point to point; of several at one x from their mean."""
        at: dict[float, list[float]] = {}
        for point in series.points:
            at.setdefault(point.x, []).append(point.y)
        track = [(self._column(x), sum(ys) / len(ys)) for x, ys in sorted(at.items())]
        for (before, low), (after, high) in pairwise(track):
            for column in range(before, after + 1):
                share = (column - before) / max(1, after - before)
                row = self._height(low + share * (high - low), series.axis)
                if self._cells[row][column][0] == " ":
                    self._cells[row][column] = (self._glyph("·", "."), "muted")

    def _mark(self, series: Series) -> None:
        glyphs = ASCII_GLYPHS if self._ascii else GLYPHS
        for point in sorted(series.points, key=lambda one: _STRENGTH[one.mark]):
            row = self._cells[self._height(point.y, series.axis)]
            row[self._column(point.x)] = (glyphs[point.mark], MARK_TONES[point.mark])

    def _row(self, number: int) -> Line:
        label = self._left[number]
        bar = self._glyph("┤", "+") if label else self._glyph("│", "|")
        runs: list[Run] = [(f"{label:>{self._lead - 2}} {bar}", "muted")]
        runs += self._cells[number]
        if self._right:
            runs.append((f" {self._right[number]}", "muted"))
        return joined(runs)

    # Around it

    def _head(self) -> Line:
        glyphs = ASCII_GLYPHS if self._ascii else GLYPHS
        left = [one for one in self._data.series if one.axis == "left"]
        right = [one for one in self._data.series if one.axis == "right"]
        named = ", ".join(one.name for one in left)
        runs: list[Run] = [(named, "strong")]
        runs.append((f" by {self._data.x_name}   " if self._data.x_name else "   ", "muted"))
        for mark, word in self._data.legend:
            runs.append((glyphs[mark], MARK_TONES[mark]))
            runs.append((f" {word}  ", "muted"))
        end = " ".join(f"{glyphs['plain']} {one.name}" for one in right)
        used = sum(len(text) for text, _ in runs)
        runs.append((" " * max(0, self._width - used - len(end)) + end, "accent"))
        return joined(runs)

    def _axis(self) -> Line:
        line = [self._glyph("─", "-")] * self._columns
        low, high = self._data.span
        if low is not None and high is not None:
            first, last = sorted((self._column(low), self._column(high)))
            line[first : last + 1] = [self._glyph("═", "=")] * (last + 1 - first)
        for end, glyph in ((low, "["), (high, "]")):
            if end is not None:
                line[self._column(end)] = glyph
        if self._data.now is not None:
            line[self._column(self._data.now)] = self._glyph("▲", "^")
        corner = " " * (self._lead - 1) + self._glyph("└", "+")
        tones: list[Tone] = ["muted" if one in "─-" else "accent" for one in line]
        return joined([(corner, "muted"), *zip(line, tones, strict=True)])

    def _ticks(self) -> Line:
        """Write figures below the axis where they have room: what is marked first, then round ones."""
        data = self._data
        taken = [" "] * self._columns
        marked = [x for x in (data.knee, *data.span, data.now) if x is not None]
        xs = sorted({point.x for one in data.series for point in one.points})
        for x in (*marked, *xs[:1], *xs[-1:], *(x for x in xs if _round_figure(x)), *xs):
            text = scale_text(x)
            start = min(max(0, self._column(x) - (len(text) - 1) // 2), self._columns - len(text))
            end = start + len(text)
            if not "".join(taken[max(0, start - 1) : end + 1]).strip():
                taken[start:end] = text
        return joined([(" " * self._lead, ""), ("".join(taken).rstrip(), "muted")])

    def _glyph(self, glyph: str, in_ascii: str) -> str:
        return in_ascii if self._ascii else glyph


def _round_figure(x: float) -> bool:
    """Whether a figure is 1, 2 or 5 times a power of ten."""
    if x <= 0:
        return False
    lead = x / 10.0 ** math.floor(math.log10(x))
    return any(math.isclose(lead, one) for one in (1, 2, 5))
