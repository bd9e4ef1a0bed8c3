"""Load over time, a line for each row: how much of a limit is used when, and where more is asked for than there is.

Run `python -m widgets.load_chart` to see it on a made-up plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from widgets.block_columns import columns_of, fitted
from widgets.lane_values import rate_text
from widgets.line_list import LineList
from widgets.line_paint import Line, Run, cut, fit, joined
from widgets.scales import axis_text, round_up

_LEAST_CHART = 10


class LoadRow(NamedTuple):
    """One row: load at equal distances in time, from the beginning to the end of the chart."""

    label: str
    values: tuple[float | None, ...]
    limit: float | None = None
    """What the full height stands for; None: the greatest load of all rows without a limit does, rounded up."""


class LoadChart(LineList):
    """Shows rows under one another over one axis of time."""

    DEFAULT_CSS = "LoadChart { height: 1fr; }"

    def __init__(
        self,
        rows: Sequence[LoadRow] = (),
        span_s: float = 0.0,
        *,
        row_height: int = 1,
        ascii_only: bool = False,
        empty_text: str = "no load to show",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show `rows` over `span_s` seconds, each `row_height` lines high."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._rows = tuple(rows)
        self._span_s = span_s
        self._row_height = max(1, row_height)

    def show(self, rows: Sequence[LoadRow], span_s: float) -> None:
        """Show another load."""
        self._rows, self._span_s = tuple(rows), span_s
        self.take_count()
        self.show_cursor()
        self.redraw()

    def line_count(self) -> int:
        """Return the lines of all rows."""
        return len(self._rows) * self._row_height

    def line_at(self, index: int, width: int) -> Line:
        """Make one line of a row: what is above the limit has a glyph of its own, and a style."""
        row, level = self._rows[index // self._row_height], index % self._row_height
        labels, figures, chart = self._widths(width)
        values = fitted(row.values, chart)
        blocks = columns_of(values, self._top(row), self._row_height, ascii_only=self._ascii_only)[level]
        lowest = level == self._row_height - 1
        mark = ">" if index == self._cursor and self.has_focus else " "
        runs: list[Run] = [(f"{mark}{fit(row.label if level == 0 else '', labels)} ", "")]
        over = "!" if self._ascii_only else "▲"
        for block, value in zip(blocks, values, strict=True):
            too_much = level == 0 and value is not None and row.limit is not None and value > row.limit
            runs.append((over, "bad") if too_much else (block, ""))
        runs.append(_figures(row, figures) if lowest else (" " * figures, ""))
        return joined(runs)

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Make the axis."""
        if not self._rows or self._span_s <= 0:
            return ()
        labels, _, chart = self._widths(width)
        return ((((" " * (labels + 2)) + axis_text(self._span_s, chart), "muted"),),)

    def _widths(self, width: int) -> tuple[int, int, int]:
        """Return the columns of labels, of figures, and of what is between them."""
        figures = max(len(_figures(row, 0)[0]) for row in self._rows)
        labels = max(cell_len(row.label) for row in self._rows)
        labels = min(labels, max(4, width - 2 - figures - _LEAST_CHART))
        chart = width - 2 - labels - figures
        return (labels, figures, chart) if chart >= 4 else (labels, 0, max(0, width - 2 - labels))

    def _top(self, row: LoadRow) -> float:
        if row.limit:
            return row.limit
        loads = (
            value for other in self._rows if not other.limit for value in other.values if value is not None
        )
        return round_up(max(loads, default=0.0))


def _figures(row: LoadRow, width: int) -> Run:
    """Write the peak against the limit, marked where it is above."""
    peak = max((value for value in row.values if value is not None), default=None)
    limit = "" if row.limit is None else f"/{rate_text(row.limit)}"
    over = peak is not None and row.limit is not None and peak > row.limit
    text = f"{'!' if over else ' '}peak {'?' if peak is None else rate_text(peak)}{limit}"
    return (fit(cut(text, width), width) if width else text, "bad" if over else "")


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show

    _rows = [
        LoadRow(
            f"azure/key{n}",
            tuple(float((t * (n + 3)) % 61 if 20 * n < t < 90 + 20 * n else 0) for t in range(200)),
            50.0,
        )
        for n in range(4)
    ]
    show(
        LoadChart(
            [*_rows, LoadRow("gateway/key0", tuple(t / 9 for t in range(200)))],
            5400.0,
            row_height=2,
            ascii_only=ASCII_ONLY,
        )
    )
