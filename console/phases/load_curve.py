"""The load on a key or deployment over time: peaks, means, and a curve of a few hundred steps."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from console.phases.lookahead import Sent
from console.phases.order import NS_PER_S

STEPS: Final = 240
"""Steps of a curve at most."""


class LoadCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Load over time; a step is at least one second. Means of a step, but for the peaks."""

    step_s: float
    in_flight: tuple[float, ...]
    workers: tuple[float, ...]
    requests_per_s: tuple[float, ...]
    peak_in_flight: int
    peak_workers: int
    peak_requests_per_s: float
    """In the busiest step of the curve, or second where steps are longer and tests are looked at one by one."""
    mean_in_flight: float
    """Over the whole run."""
    mean_requests_per_s: float


def load_curve(sent: Sequence[Sent], end_ns: int, unit: int) -> LoadCurve:
    """Return the load that requests make.

    Args:
        sent: the requests.
        end_ns: the end of the run.
        unit: requests, one after another, that each of them stands for.
    """
    step_ns = max(NS_PER_S, -(-end_ns // STEPS))
    steps = max(1, -(-end_ns // step_ns))
    begins = _each([one.sent_ns for one in sent], [one.end_ns for one in sent], unit)
    requests = Counter(min(steps - 1, at_ns // step_ns) for at_ns in begins)
    seconds = Counter(at_ns // NS_PER_S for at_ns in begins)
    in_flight = _Spans([one.sent_ns for one in sent], [one.end_ns for one in sent])
    workers = _Spans([one.held_ns for one in sent], [one.end_ns for one in sent])
    step_s = step_ns / NS_PER_S
    whole_s = max(end_ns / NS_PER_S, 1e-9)
    return LoadCurve(
        step_s=step_s,
        in_flight=in_flight.means(steps, step_ns),
        workers=workers.means(steps, step_ns),
        requests_per_s=tuple(round(requests[step] / step_s, 3) for step in range(steps)),
        peak_in_flight=in_flight.peak(),
        peak_workers=workers.peak(),
        peak_requests_per_s=float(max(seconds.values(), default=0)),
        mean_in_flight=in_flight.total_ns / NS_PER_S / whole_s,
        mean_requests_per_s=len(sent) * unit / whole_s,
    )


def _each(starts: list[int], ends: list[int], unit: int) -> list[int]:
    """Return when each request begins, where one stands for several that follow one another."""
    if unit == 1:
        return starts
    return [
        int(start + number * (end - start) / unit)
        for start, end in zip(starts, ends, strict=True)
        for number in range(unit)
    ]


class _Spans:
    """Spans of time, as their starts and ends in order: what is asked of many thousands needs no look at each."""

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self._starts, self._ends = sorted(starts), sorted(ends)
        self._started = list(accumulate(self._starts, initial=0))
        self._ended = list(accumulate(self._ends, initial=0))

    @property
    def total_ns(self) -> int:
        """Their lengths together."""
        return self._ended[-1] - self._started[-1]

    def means(self, steps: int, step_ns: int) -> tuple[float, ...]:
        """Return how many there are on average in each step."""
        until = [self._until(step * step_ns) for step in range(steps + 1)]
        return tuple(round((later - earlier) / step_ns, 3) for earlier, later in pairwise(until))

    def _until(self, at_ns: int) -> int:
        """Return how much of them lies before a time."""
        started, ended = bisect_right(self._starts, at_ns), bisect_right(self._ends, at_ns)
        return (started - ended) * at_ns - self._started[started] + self._ended[ended]

    def peak(self) -> int:
        """Return the most at one time; one that ends makes room for one that begins then."""
        ends = self._ends
        return max((at + 1 - bisect_right(ends, start) for at, start in enumerate(self._starts)), default=0)
