"""The last minutes of a figure as one line of blocks, with its last value and its greatest.

Run `python -m widgets.sparkline` to see some on made-up figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events

from widgets.block_columns import columns_of
from widgets.durations import UNKNOWN
from widgets.lane_values import rate_text
from widgets.line_paint import Line, cut, fit, joined
from widgets.scales import round_up
from widgets.text_lines import TextLines

_FIGURE_WIDTH = 6
_LEAST_BARS = 8


class Spark(NamedTuple):
    """One figure over time, newest last; None where it was not known."""

    title: str
    values: tuple[float | None, ...]
    text_of: Callable[[float], str] = rate_text
    """How its values are written, in at most six characters."""


class Sparklines(TextLines):
    """Several figures under one another, their blocks and figures aligned."""

    def __init__(
        self,
        sparks: Sequence[Spark] = (),
        *,
        lines_each: int = 1,
        ascii_only: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `sparks`, each over `lines_each` lines."""
        super().__init__(id=id, classes=classes)
        self._sparks = tuple(sparks)
        self._lines_each = max(1, lines_each)
        self._ascii_only = ascii_only
        self._tops: dict[str, float] = {}
        """What the full height stands for, by title: it only grows, so that old blocks stay as they are."""
        self._lines = self._drawn()

    def show(self, sparks: Sequence[Spark]) -> None:
        """Show newer figures."""
        self._sparks = tuple(sparks)
        self.show_lines(self._drawn())

    def on_resize(self, event: events.Resize) -> None:
        """Draw as many values as there is room for."""
        self.show_lines(self._drawn())
        super().on_resize(event)

    def _drawn(self) -> tuple[Line, ...]:
        width = self.size.width or 80
        titles = max((cell_len(spark.title) for spark in self._sparks), default=0)
        titles = min(titles, max(0, width - 2 * _FIGURE_WIDTH - 7 - _LEAST_BARS))
        return tuple(line for spark in self._sparks for line in self._spark_lines(spark, titles, width))

    def _spark_lines(self, spark: Spark, titles: int, width: int) -> list[Line]:
        known = [value for value in spark.values if value is not None]
        top = max(self._tops.get(spark.title, 0.0), round_up(max(known, default=0.0)))
        self._tops[spark.title] = top
        last = spark.values[-1] if spark.values else None
        figures = f" {UNKNOWN if last is None else spark.text_of(last):>{_FIGURE_WIDTH}}"
        peak = f" max {spark.text_of(max(known)) if known else UNKNOWN:<{_FIGURE_WIDTH}}"
        if width < titles + 1 + _LEAST_BARS + len(figures) + len(peak):
            peak = ""
        room = max(0, width - titles - 1 - len(figures) - len(peak))
        shown = spark.values[-room:] if room else ()
        gap = " " * (room - len(shown))
        bars = columns_of(shown, top, self._lines_each, ascii_only=self._ascii_only)
        lines: list[Line] = []
        for number, blocks in enumerate(bars):
            first, lowest = number == 0, number == len(bars) - 1
            title = fit(cut(spark.title, titles) if first else "", titles)
            tail = (figures if lowest else " " * len(figures)) + (peak if lowest else "")
            lines.append(joined([(f"{title} ", "muted"), (gap + blocks, ""), (tail, "strong")]))
        return lines


class Sparkline(Sparklines):
    """One figure."""

    def __init__(
        self,
        values: Sequence[float | None] = (),
        title: str = "",
        *,
        text_of: Callable[[float], str] = rate_text,
        height: int = 1,
        ascii_only: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `values`, newest last."""
        self._title, self._text_of = title, text_of
        sparks = (Spark(title, tuple(values), text_of),)
        super().__init__(sparks, lines_each=height, ascii_only=ascii_only, id=id, classes=classes)

    def show_values(self, values: Sequence[float | None]) -> None:
        """Show newer values."""
        self.show((Spark(self._title, tuple(values), self._text_of),))


if __name__ == "__main__":
    import math

    from widgets.demo import ASCII_ONLY, show

    def _made_up(step: int) -> list[Spark]:
        times = range(step, step + 90)
        waves = [
            tuple(None if t % 40 < 3 else size * (1.2 + math.sin(t / 9)) for t in times)
            for size in (4, 60, 900)
        ]
        return [
            Spark(title, wave) for title, wave in zip(("req/s", "in flight", "tok/s"), waves, strict=True)
        ]

    _sparks = Sparklines(_made_up(0), lines_each=2, ascii_only=ASCII_ONLY)
    show(_sparks, lambda step: _sparks.show(_made_up(step)))
