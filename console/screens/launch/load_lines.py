"""The load on each key over the time of a plan, drawn under one another over one axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from console.records.figures_text import rate_text
from console.screens.launch.needs import KeyLoad
from console.vocabulary.safe_text import safe_line
from widgets.block_columns import columns_of, fitted
from widgets.line_paint import Line, Run, fit
from widgets.scales import axis_text, round_up

Shown = Literal["in flight", "per second"]
_NAME: Final = 22
_LEAST_CHART: Final = 8
_OVER: Final = ("▲", "!")
"""Above a limit, and the same in ASCII."""


def load_lines(
    keys: Sequence[KeyLoad], shown: Shown, span_s: float, width: int, *, height: int, ascii_only: bool
) -> Iterator[Line]:
    """Yield a chart of `height` lines a key, and the axis of time.

    Requests in flight have the workers that the key may have at once as their full height, requests per second its
    limit; without one the greatest load of all keys has it.
    """
    labels = min(_NAME, max(len(safe_line(key.name)) for key in keys))
    figures = max(len(_figures(key, shown)) for key in keys)
    chart = max(_LEAST_CHART, width - labels - 1 - figures)
    most = round_up(max((value for key in keys for value in _values(key, shown)), default=0.0))
    for key in keys:
        limit = _limit(key, shown)
        fit_to = means if shown == "in flight" else fitted
        values = [value or None for value in fit_to(_values(key, shown), chart)]
        drawn = columns_of(values, limit or most, height, ascii_only=ascii_only)
        for level, blocks in enumerate(drawn):
            runs: list[Run] = [(f"{fit(safe_line(key.name) if level == 0 else '', labels)} ", "")]
            over = limit if level == 0 and shown == "per second" else None
            runs += _marked(blocks, values, over, _OVER[ascii_only])
            runs.append((_figures(key, shown) if level == height - 1 else "", "muted"))
            yield tuple(runs)
    yield ((" " * (labels + 1) + axis_text(span_s, chart), "muted"),)


def means(values: Sequence[float], width: int) -> list[float]:
    """Spread values over `width` columns, the mean of those that share a column: pauses stay in sight."""
    made: list[float] = []
    for column in range(width):
        first = column * len(values) // width
        part = values[first : max(first + 1, (column + 1) * len(values) // width)]
        made.append(sum(part) / len(part) if part else 0.0)
    return made


def _marked(blocks: str, values: Sequence[float | None], limit: float | None, mark: str) -> Iterator[Run]:
    """Yield the blocks, those of values above the limit as marks."""
    start = 0
    for at, value in enumerate(values):
        if limit is not None and value is not None and value > limit:
            yield (blocks[start:at], "accent")
            yield (mark, "bad")
            start = at + 1
    yield (blocks[start:], "accent")


def _values(key: KeyLoad, shown: Shown) -> tuple[float, ...]:
    return key.in_flight if shown == "in flight" else key.requests_per_s


def _limit(key: KeyLoad, shown: Shown) -> float | None:
    return float(key.workers) or None if shown == "in flight" else key.limit_per_s


def _figures(key: KeyLoad, shown: Shown) -> str:
    if shown == "in flight":
        return f" peak {key.peak_in_flight}/{key.workers or '-'}"
    return f" peak {rate_text(max(key.requests_per_s, default=0.0))}/{safe_line(key.limit, 20)}"
