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
    in_flight, workers, requests = _Mean(steps, step_ns), _Mean(steps, step_ns), [0.0] * steps
    seconds: dict[int, int] = {}
    for one in sent:
        in_flight.add(one.sent_ns, one.end_ns)
        workers.add(one.held_ns, one.end_ns)
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
        in_flight=in_flight.values(),
        workers=workers.values(),
        requests_per_s=tuple(round(count / step_s, 3) for count in requests),
        peak_in_flight=_peak((one.sent_ns, one.end_ns) for one in sent),
        peak_workers=_peak((one.held_ns, one.end_ns) for one in sent),
        peak_requests_per_s=float(max(seconds.values(), default=0)),
        mean_in_flight=sum(one.end_ns - one.sent_ns for one in sent) / NS_PER_S / whole_s,
        mean_requests_per_s=len(sent) * unit / whole_s,
    )


class _Mean:
    """How many spans there are, as the mean of each step; a span costs the same however many steps it covers."""

    def __init__(self, steps: int, step_ns: int) -> None:
        self._last = steps - 1
        self._step_ns = step_ns
        self._parts = [0] * steps
        """Nanoseconds of steps that a span covers in part."""
        self._whole = [0] * (steps + 1)
        """Spans that begin to cover steps wholly with this one, less those that end to."""

    def add(self, start_ns: int, end_ns: int) -> None:
        first, last = start_ns // self._step_ns, min(self._last, end_ns // self._step_ns)
        if first > self._last:
            return
        if first == last:
            self._parts[first] += min(end_ns, (first + 1) * self._step_ns) - start_ns
            return
        self._parts[first] += (first + 1) * self._step_ns - start_ns
        self._parts[last] += min(end_ns, (last + 1) * self._step_ns) - last * self._step_ns
        self._whole[first + 1] += 1
        self._whole[last] -= 1

    def values(self) -> tuple[float, ...]:
        whole, means = 0, list[float]()
        for part_ns, change in zip(self._parts, self._whole, strict=False):
            whole += change
            means.append(round(whole + part_ns / self._step_ns, 3))
        return tuple(means)


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
