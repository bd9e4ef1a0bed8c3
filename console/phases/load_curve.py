"""The load on a key or deployment over time: peaks, means, and a curve of a few hundred steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    in_flight, workers, requests = [0.0] * steps, [0.0] * steps, [0.0] * steps
    seconds: dict[int, int] = {}
    for one in sent:
        _spread(in_flight, step_ns, one.sent_ns, one.end_ns)
        _spread(workers, step_ns, one.held_ns, one.end_ns)
        each_ns = (one.end_ns - one.sent_ns) / unit
        for number in range(unit):
            at_ns = int(one.sent_ns + number * each_ns)
            requests[min(steps - 1, at_ns // step_ns)] += 1
            second = at_ns // NS_PER_S
            seconds[second] = seconds.get(second, 0) + 1
    step_s = step_ns / NS_PER_S
    whole_s = max(end_ns / NS_PER_S, 1e-9)
    return LoadCurve(
        step_s=step_s,
        in_flight=tuple(round(value, 3) for value in in_flight),
        workers=tuple(round(value, 3) for value in workers),
        requests_per_s=tuple(round(count / step_s, 3) for count in requests),
        peak_in_flight=_peak((one.sent_ns, one.end_ns) for one in sent),
        peak_workers=_peak((one.held_ns, one.end_ns) for one in sent),
        peak_requests_per_s=float(max(seconds.values(), default=0)),
        mean_in_flight=sum(one.end_ns - one.sent_ns for one in sent) / NS_PER_S / whole_s,
        mean_requests_per_s=len(sent) * unit / whole_s,
    )


def _spread(steps: list[float], step_ns: int, start_ns: int, end_ns: int) -> None:
    """Add to each step the part of it that lies between two times."""
    for index in range(start_ns // step_ns, min(len(steps) - 1, end_ns // step_ns) + 1):
        begin_ns = index * step_ns
        steps[index] += (min(end_ns, begin_ns + step_ns) - max(start_ns, begin_ns)) / step_ns


def _peak(spans: Iterable[tuple[int, int]]) -> int:
    """Return the most spans at one time; one that ends makes room for one that begins then."""
    changes: list[tuple[int, int]] = []
    for start_ns, end_ns in spans:
        changes += [(start_ns, 1), (end_ns, -1)]
    now = peak = 0
    for _, change in sorted(changes):
        now += change
        peak = max(peak, now)
    return peak
