"""The steady window of a level: without its first wave, its ramp-in, its drain, and whatever still drifts after them.

A level starts with all its prompts arriving at once, so the first answers say how the server digests a wave. From
there on the start is moved until neither requests in flight nor TTFT nor, in a closed loop, throughput have a trend.

A trend counts only where it is certain *and* large: with many answers a drift of a thousandth is certain, and with few
a slope of half the mean is chance. Certain is what t-tests at 1 % say of the means of slices: of their slope, and of
their first quarter against the last half. In-flight may change by 5 % over the window, as much as Little's law is held
to; TTFT and throughput by 10 %, the precision that a search asks of a level at its best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Final

import msgspec

from console.capacity.bounds import effective, student_quantile
from console.capacity.gathered import Column, Gathered
from console.vocabulary.rows import RequestRow

IN_FLIGHT_MAY_CHANGE: Final = 0.05
TTFT_MAY_CHANGE: Final = 0.10
WORK_MAY_CHANGE: Final = 0.10
_CERTAIN: Final = 0.995
"""Quantile of Student's t for a test at 1 % on both sides."""
_FINE: Final = 200
"""Slices of a level; the start is moved by whole ones."""
_SLICES: Final = 20
"""Slices whose means a slope is laid through: few enough that their neighbours are about independent."""
_STEP: Final = 10
_LEAST_KEPT: Final = 0.5
"""A window keeps at least half of what came after the first wave, or a trend is not over but hidden."""
_FEWEST_TTFT: Final = 30
"""From fewer no slope is told."""
_FEWEST_SLICES: Final = 6
_ANSWERED: Final = 0.98
_WAVE: Final = 0.95
"""Share of the first wave that must have ended: one request that hangs does not hold up the window."""
_HANGS: Final = 5
"""Nor do many: what stays so many times as long as half of the wave is no longer waited for."""
_RECENT: Final = 1000


class Window(msgspec.Struct, frozen=True):
    """The part of a level that is measured; times since the run's start."""

    from_ns: int
    to_ns: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.to_ns - self.from_ns) / 1e9


class NotSteady(msgspec.Struct, frozen=True):
    """There is no steady window, or none yet."""

    reason: str
    whole: Window
    """What may be measured all the same, to be shown as INVALID."""


class Trend(msgspec.Struct, frozen=True):
    """What a test says of the means of slices."""

    change: float
    """From the window's start, or its first quarter, to its end, as a share of the mean."""
    certain: bool

    def counts(self, may_change: float) -> bool:
        """Whether it is certain and larger than it may be."""
        return self.certain and abs(self.change) > may_change


def steady_window(
    rows: Sequence[RequestRow] | Gathered,
    begun_ns: int,
    until_ns: int,
    *,
    concurrency: int | None,
    settled_after_ns: int = 0,
) -> Window | NotSteady:
    """Return the steady part of a level.

    While a level goes on, what is in flight has no row yet. So where no row ends at `until_ns` or later, the window
    ends earlier, by as long as nearly all requests stay: up to there the rows tell all.

    Args:
        rows: of the whole level; gathered, where they are looked at again and again.
        begun_ns: when it began to send.
        until_ns: when it ceased to send; while it goes on, now.
        concurrency: loops of a closed loop; None: open loop, whose first wave is as many as are in flight on average.
        settled_after_ns: the window begins no sooner than so long after `begun_ns` (the ramp-in).
    """
    settled_ns = min(begun_ns + settled_after_ns, until_ns)
    whole = Window(settled_ns, until_ns)
    level = rows if isinstance(rows, Gathered) else Gathered(begun_ns, rows)
    if not len(level):
        return NotSteady("nothing has ended yet", whole)
    to_ns = _known_until(level.stays, until_ns)
    wave = concurrency if concurrency is not None else _mean_in_flight(level.stays, begun_ns)
    if len(level) < wave:
        return NotSteady(f"first wave: {len(level)} of {wave} ended", whole)
    from_ns = max(settled_ns, _wave_end(level, wave))
    if from_ns >= to_ns:
        return NotSteady("no request after the first wave has been followed to its end yet", whole)
    return _without_trend(level, Window(from_ns, to_ns), closed=concurrency is not None)


def _known_until(stays: Column, until_ns: int) -> int:
    if stays.at[-1] >= until_ns:
        return until_ns
    recent = sorted(stays.values[-_RECENT:])
    return until_ns - round(recent[int(0.99 * len(recent))])


def _mean_in_flight(stays: Column, begun_ns: int) -> int:
    return max(1, round(sum(stays.values) / max(1, stays.at[-1] - begun_ns)))


def _wave_end(level: Gathered, wave: int) -> int:
    """Return when the `wave` requests that were sent first had ended, all but those that hang."""
    last_ns = level.sent.at[wave - 1]
    most = math.ceil(_WAVE * wave)
    gone, latest_ns = 0, math.inf
    for end_ns, stay_ns in zip(level.stays.at, level.stays.values, strict=True):
        if end_ns >= latest_ns:
            return round(latest_ns)
        if end_ns - stay_ns > last_ns:
            continue
        gone += 1
        if gone == most:
            return end_ns
        if gone == (wave + 1) // 2:
            latest_ns = last_ns + _HANGS * stay_ns
    return level.stays.at[-1]


class _Course(msgspec.Struct, frozen=True):
    """What is looked at, by fine slices."""

    busy: list[float]
    """Mean in flight."""
    work: list[float]
    """Work done; empty: not looked at."""
    ttft_ms: list[list[float]]
    """Of the answers that ended in each."""


def _without_trend(level: Gathered, most: Window, *, closed: bool) -> Window | NotSteady:
    """Move the start on until nothing drifts.

    Throughput is looked at in a closed loop alone, as in an open one it is the rate that was asked for, and its
    chance; and only where nearly all is answered. Where it is not, the rules have a better word for what is wrong.
    """
    answered = sum(len(part.answered) for part in level.parts.values())
    width_ns = (most.to_ns - most.from_ns) / _FINE
    edges = [most.from_ns + width_ns * edge for edge in range(_FINE + 1)]
    course = _Course(
        busy=[busy_ns / width_ns for busy_ns in level.busy(edges)],
        work=level.work(edges) if closed and answered >= _ANSWERED * len(level) else [],
        ttft_ms=[level.samples["ttft"].inside(*pair) for pair in pairwise(edges)],
    )
    found = ""
    for start in range(0, int(_FINE * (1 - _LEAST_KEPT)) + 1, _STEP):
        trend = _trend_from(start, course)
        if not trend:
            return Window(most.from_ns + round(start * width_ns), most.to_ns)
        found = f"{trend} in the last {(_FINE - start) * width_ns / 1e9:.0f} s"
    return NotSteady(found, most)


def _trend_from(start: int, course: _Course) -> str:
    """Say what drifts from a fine slice on; empty: nothing."""
    edges = [start + (_FINE - start) * coarse // _SLICES for coarse in range(_SLICES + 1)]
    slices = list(pairwise(edges))
    places = [(low + high) / 2 for low, high in slices]
    found = _drift(places, [fmean(course.busy[low:high]) for low, high in slices], IN_FLIGHT_MAY_CHANGE)
    if found is not None:
        return f"in flight {_way(found)}"
    told = [[ms for fine in course.ttft_ms[low:high] for ms in fine] for low, high in slices]
    if sum(map(len, told)) < _FEWEST_TTFT:
        return ""
    means = [(place, sum(ms) / len(ms)) for place, ms in zip(places, told, strict=True) if ms]
    found = _drift([place for place, _ in means], [mean for _, mean in means], TTFT_MAY_CHANGE)
    if found is not None:
        return f"TTFT {_way(found)}"
    if not course.work:
        return ""
    found = _drift(places, [fmean(course.work[low:high]) for low, high in slices], WORK_MAY_CHANGE)
    return "" if found is None else f"throughput {_way(found)}"


def _drift(places: Sequence[float], values: Sequence[float], may_change: float) -> Trend | None:
    tests = (trend_of(places, values), settling_of(values))
    return next((found for found in tests if found.counts(may_change)), None)


def _way(trend: Trend) -> str:
    return f"{'grows' if trend.change > 0 else 'falls'} by {100 * abs(trend.change):.0f} %"


def trend_of(places: Sequence[float], values: Sequence[float]) -> Trend:
    """Lay a line through values by least squares and test its slope (Draper and Smith, Applied Regression, 1.4).

    The error of the slope grows where the residuals of neighbours are alike, as `bounds.effective` says.
    """
    n = len(values)
    if n < _FEWEST_SLICES:
        return Trend(0.0, certain=False)
    middle, mean = sum(places) / n, sum(values) / n
    squares = sum((place - middle) ** 2 for place in places)
    slope = sum((place - middle) * value for place, value in zip(places, values, strict=True)) / squares
    change = slope * (places[-1] - places[0]) * n / (n - 1) / mean if mean else 0.0
    rest = [value - mean - slope * (place - middle) for place, value in zip(places, values, strict=True)]
    off = sum(residual * residual for residual in rest)
    if off <= (1e-9 * mean) ** 2 * n:
        return Trend(change, certain=slope != 0)
    worth = effective(n, sum(one * other for one, other in pairwise(rest)) / off)
    freedom = max(1.0, worth - 2)
    error = math.sqrt(off / freedom / squares)
    return Trend(change, certain=abs(slope) > student_quantile(freedom, _CERTAIN) * error)


def settling_of(values: Sequence[float]) -> Trend:
    """Hold the mean of the first quarter of a series against its last half (after Geweke 1992), by a t-test.

    A line does not fit what falls fast and then stays, so its slope is never certain there. What is chance is told by
    the last half alone, as the first quarter varies by what it is asked about.
    """
    n = len(values)
    if n < 2 * _FEWEST_SLICES:
        return Trend(0.0, certain=False)
    first, last = values[: n // 4], values[n // 2 :]
    before, after, mean = sum(first) / len(first), sum(last) / len(last), sum(values) / n
    change = (after - before) / mean if mean else 0.0
    freedom = len(last) - 1
    error = math.sqrt(
        sum((value - after) ** 2 for value in last) / freedom * (1 / len(first) + 1 / len(last))
    )
    if error <= 1e-9 * mean:
        return Trend(change, certain=abs(change) > 1e-9)
    return Trend(change, certain=abs(after - before) > student_quantile(freedom, _CERTAIN) * error)
