"""The figures of a lane under each shown quantity: as text of a bounded width, and as a share of their limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from widgets.durations import UNKNOWN
from widgets.lane_values import GridCell, Quantity, rate_text

RATE_WIDTH: Final = 4


class Heads(NamedTuple):
    """What stands above the totals."""

    total: str
    """The quantity and its unit."""
    second: str = ""
    """Above the second figure of a total, and of cells where there is room; empty: there is none."""


HEADS: Final[dict[Quantity, Heads]] = {
    "in-flight": Heads("in flight", "r/s"),
    "qps": Heads("req/s"),
    "tokens": Heads("tok/s"),
    "ttft": Heads("TTFT p95 max"),
    "errors": Heads("errors"),
}
SHORT_HEADS: Final[dict[Quantity, Heads]] = {**HEADS, "ttft": Heads("p95 max")}
"""For narrow screens."""


def figures_text(cell: GridCell, quantity: Quantity) -> str:
    """Write the quantity, with its limit where it has one; without a limit the figure stands alone."""
    if quantity == "in-flight":
        return str(cell.in_flight) if cell.limit is None else f"{cell.in_flight}/{cell.limit}"
    if quantity == "qps":
        return rate_text(cell.rate) if cell.qps is None else f"{rate_text(cell.rate)}/{rate_text(cell.qps)}"
    if quantity == "tokens":
        return rate_text(cell.tokens_per_s)
    if quantity == "ttft":
        return milliseconds_text(cell.ttft_p95_ms)
    return str(cell.errors)


def without_limit(cell: GridCell, quantity: Quantity) -> str:
    """Write the quantity alone, for sums that have no room for their limit."""
    return figures_text(cell, quantity).partition("/")[0]


def share_of_limit(cell: GridCell, quantity: Quantity) -> tuple[float, float] | None:
    """Return figure and limit; None where there is nothing to draw a bar of."""
    if quantity == "in-flight" and cell.limit:
        return cell.in_flight, cell.limit
    if quantity == "qps" and cell.qps:
        return cell.rate, cell.qps
    return None


def figures_width(cells: Iterable[GridCell | None], quantity: Quantity) -> int:
    """Return a width that holds these figures and does not change while they stay within their limits."""
    if quantity == "tokens":
        return RATE_WIDTH
    if quantity == "ttft":
        return 5
    if quantity == "qps":
        limits = [len(rate_text(cell.qps)) for cell in cells if cell is not None and cell.qps is not None]
        return RATE_WIDTH + (1 + max(limits) if limits else 0)
    if quantity == "errors":
        return max(3, len(str(max((cell.errors for cell in cells if cell is not None), default=0))))
    most, limit = 1, 0
    for cell in cells:
        if cell is not None:
            if cell.in_flight > most:
                most = cell.in_flight
            if cell.limit is not None and cell.limit > limit:
                limit = cell.limit
    most = max(most, limit)
    return max(3, len(str(most)) + (1 + len(str(limit)) if limit else 0))


def milliseconds_text(value: float | None) -> str:
    """Write a latency in at most five characters: `240ms`, `1.42s`; `?` where it is not known."""
    if value is None:
        return UNKNOWN
    if value < 999.5:
        return f"{value:.0f}ms"
    return f"{value / 1000:.2f}s" if value < 9_995 else f"{value / 1000:.0f}s"
