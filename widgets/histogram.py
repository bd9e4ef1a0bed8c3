"""How often what was measured: a bar for each class of values, with its figure, and where the quantiles lie.

Run `python -m widgets.histogram` to see it on made-up latencies.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from textual import events

from widgets.bars import bar_text
from widgets.lane_values import rate_text
from widgets.line_paint import Line, Run, joined
from widgets.text_lines import TextLines

_LEAST_BAR = 5


class Counted(NamedTuple):
    """Counts of classes: `counts[n]` values lie from `edges[n]` up to `edges[n + 1]`."""

    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    marks: tuple[tuple[str, float], ...] = ()
    """Such as `("p50", 212.0)`: named where they lie."""


class Histogram(TextLines):
    """Shows a bar for each class; where there are too many, neighbours share one."""

    def __init__(
        self,
        edges: Sequence[float] = (),
        counts: Sequence[int] = (),
        marks: Mapping[str, float] | None = None,
        *,
        text_of: Callable[[float], str] = rate_text,
        most_lines: int = 16,
        ascii_only: bool = False,
        empty_text: str = "nothing counted yet",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show counts between edges; `text_of` writes an edge."""
        super().__init__(id=id, classes=classes)
        self._counted = Counted(tuple(edges), tuple(counts), tuple((marks or {}).items()))
        self._text_of = text_of
        self._most_lines = max(1, most_lines)
        self._ascii_only = ascii_only
        self._empty_text = empty_text
        self._lines = self._drawn()

    def show(
        self, edges: Sequence[float], counts: Sequence[int], marks: Mapping[str, float] | None = None
    ) -> None:
        """Show other counts."""
        self._counted = Counted(tuple(edges), tuple(counts), tuple((marks or {}).items()))
        self.show_lines(self._drawn())

    def on_resize(self, event: events.Resize) -> None:
        """Draw the bars at the new width."""
        self.show_lines(self._drawn())
        super().on_resize(event)

    def _drawn(self) -> tuple[Line, ...]:
        counted = merged(trimmed(self._counted), self._most_lines)
        total = sum(counted.counts)
        if not total:
            return (((self._empty_text, "muted"),),)
        edges = [self._text_of(edge) for edge in counted.edges]
        lower, upper = max(map(len, edges[:-1])), max(map(len, edges[1:]))
        most = max(counted.counts)
        figures = len(f"{most:,}")
        notes = _notes(counted)
        longest = max(map(len, notes))
        width = self.size.width or 80
        dash = "-" if self._ascii_only else "–"
        room = width - lower - upper - figures - longest - 9
        bar = room if room >= _LEAST_BAR else 0
        lines: list[Line] = []
        for number, count in enumerate(counted.counts):
            runs: list[Run] = [
                (f"{edges[number]:>{lower}}{dash}{edges[number + 1]:<{upper}} ", "muted"),
                (bar_text(count, most, bar, self._ascii_only).replace(".", " ") if bar else "", ""),
                (f" {count:>{figures},} {100 * count / total:3.0f}%", ""),
                (f" {notes[number]}" if notes[number] else "", "strong"),
            ]
            lines.append(joined(runs))
        return tuple(lines)


def trimmed(counted: Counted) -> Counted:
    """Leave out empty classes at both ends, but for those in which a mark lies."""
    used = [n for n, count in enumerate(counted.counts) if count]
    if not used or len(counted.edges) != len(counted.counts) + 1:
        return Counted()
    kept = used + [_class_of(counted, value) for _, value in counted.marks]
    first, last = min(kept), max(kept)
    return counted._replace(edges=counted.edges[first : last + 2], counts=counted.counts[first : last + 1])


def merged(counted: Counted, most: int) -> Counted:
    """Join neighbours, as many each, so that at most `most` classes are left."""
    size = -(-len(counted.counts) // most) if counted.counts else 1
    if size == 1:
        return counted
    edges = (*counted.edges[:-1:size], counted.edges[-1])
    counts = tuple(sum(counted.counts[n : n + size]) for n in range(0, len(counted.counts), size))
    return counted._replace(edges=edges, counts=counts)


def _class_of(counted: Counted, value: float) -> int:
    return min(max(0, bisect.bisect_right(counted.edges, value) - 1), len(counted.counts) - 1)


def _notes(counted: Counted) -> list[str]:
    notes = [""] * len(counted.counts)
    for name, value in counted.marks:
        place = _class_of(counted, value)
        notes[place] = f"{notes[place]} {name}" if notes[place] else f"< {name}"
    return notes


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show
    from widgets.lane_figures import milliseconds_text

    _edges = [50 * 1.25**n for n in range(21)]
    _counts = [max(0, 400 - 9 * (n - 7) ** 2) for n in range(20)]
    _marks = {"p50": 240.0, "p95": 720.0}
    show(Histogram(_edges, _counts, _marks, text_of=milliseconds_text, ascii_only=ASCII_ONLY))
