"""One pair of axes and what is drawn on it: lines, bands, intervals, limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from console.charts.markup import Markup, element, figure, joined
from console.charts.scale import Scale, tick_text

_CAP: Final = 4.0
"""Half the width of the ends of an interval."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel; `y` goes from its bottom to its top."""

    x: Scale
    y: Scale
    title: str

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.y.end

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y.start

    def frame(self, *, x_ticks: Sequence[float] = (), x_words: bool = False) -> Markup:
        """Return ground, grid, the values of its y axis and its title; with `x_words` those of the x axis too."""
        left, right = self.x.start, self.x.end
        parts: list[Markup] = [
            element(
                "rect",
                class_="panel",
                x=left,
                y=self.top,
                width=right - left,
                height=self.bottom - self.top,
            ),
            element("text", self.title, class_="t", x=left, y=self.top - 8),
        ]
        for value in self.y.ticks(5):
            at = self.y.at(value)
            parts += [
                element("path", class_="l-grid", d=_segment(left, at, right, at), stroke_width=1),
                element("text", tick_text(value), class_="s", x=left - 7, y=at + 4.5, text_anchor="end"),
            ]
        for value in x_ticks:
            at = self.x.at(value)
            parts.append(
                element("path", class_="l-grid", d=_segment(at, self.top, at, self.bottom), stroke_width=1)
            )
            if x_words:
                parts.append(
                    element(
                        "text", tick_text(value), class_="s", x=at, y=self.bottom + 18, text_anchor="middle"
                    )
                )
        return joined(parts)

    def line(
        self, points: Sequence[Point], tone: str, *, width: float = 2, dashes: str | None = None
    ) -> Markup:
        """Return a line through points."""
        if len(points) < 2:
            return Markup("")
        return element(
            "path",
            class_=f"l-{tone}",
            d="M" + "L".join(self._place(point) for point in points),
            stroke_width=width,
            stroke_dasharray=dashes,
            stroke_linejoin="round",
        )

    def band(self, lows: Sequence[Point], highs: Sequence[Point], tone: str) -> Markup:
        """Return the area between two lines; of a single point a bar."""
        if not lows:
            return Markup("")
        if len(lows) == 1:
            (x, low), (_, high) = lows[0], highs[0]
            at, top, bottom = self.x.at(x), self.y.at(high), self.y.at(low)
            return element(
                "rect",
                class_=f"f-{tone}",
                x=at - _CAP,
                y=top,
                width=2 * _CAP,
                height=max(0.0, bottom - top),
                fill_opacity=0.22,
            )
        around = [*lows, *reversed(highs)]
        return element(
            "path",
            class_=f"f-{tone}",
            d="M" + "L".join(self._place(point) for point in around) + "Z",
            fill_opacity=0.22,
        )

    def interval(self, x: float, low: float, high: float, tone: str) -> Markup:
        """Return a whisker from `low` to `high`."""
        at, top, bottom = self.x.at(x), self.y.at(high), self.y.at(low)
        strokes = (
            _segment(at, top, at, bottom)
            + _segment(at - _CAP, top, at + _CAP, top)
            + _segment(at - _CAP, bottom, at + _CAP, bottom)
        )
        return element("path", class_=f"l-{tone}", d=strokes, stroke_width=1.3)

    def limit(self, value: float, words: str, tone: str) -> Markup:
        """Return a horizontal dashed line with words above it, where it lies within the panel."""
        if not self.y.low <= value <= self.y.high:
            return Markup("")
        at = self.y.at(value)
        below = at - self.top < 18
        return joined(
            [
                element(
                    "path",
                    class_=f"l-{tone}",
                    d=_segment(self.x.start, at, self.x.end, at),
                    stroke_width=1.5,
                    stroke_dasharray="7 4",
                ),
                element("text", words, class_="s", x=self.x.start + 6, y=at + (15 if below else -5)),
            ]
        )

    def upright(self, value: float, tone: str, *, width: float = 1.5, dashes: str | None = None) -> Markup:
        """Return a vertical line from top to bottom."""
        at = self.x.at(value)
        return element(
            "path",
            class_=f"l-{tone}",
            d=_segment(at, self.top, at, self.bottom),
            stroke_width=width,
            stroke_dasharray=dashes,
        )

    def zone(self, low: float, high: float, tone: str, *, opacity: float = 0.1) -> Markup:
        """Return the area between two values of x."""
        left, right = self.x.at(low), self.x.at(high)
        return element(
            "rect",
            class_=f"f-{tone}",
            x=left,
            y=self.top,
            width=max(0.0, right - left),
            height=self.bottom - self.top,
            fill_opacity=opacity,
        )

    def _place(self, point: Point) -> str:
        return f"{figure(self.x.at(point[0]))} {figure(self.y.at(point[1]))}"


def runs(points: Iterable[tuple[float, tuple[float, ...] | None]]) -> list[list[tuple[float, ...]]]:
    """Split points at those that have no values; each is x with its values behind it."""
    found: list[list[tuple[float, ...]]] = [[]]
    for x, values in points:
        if values is None:
            found.append([])
        else:
            found[-1].append((x, *values))
    return [run for run in found if run]


def _segment(x0: float, y0: float, x1: float, y1: float) -> str:
    return f"M{figure(x0)} {figure(y0)}L{figure(x1)} {figure(y1)}"
