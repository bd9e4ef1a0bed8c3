"""When the requests of an open loop are due: absolute times, drawn beforehand, whose totals are exact.

Gaps of mean 1 are drawn, stretched so that they add up to their number, and carried over to the clock by the
inverse of Λ(t), the requests due until t at the rate that is asked for. So a level at a rate ends at count / rate
whatever was drawn, and a ramp sends what its rate adds up to, no more and no less; at every instant the spread of
gaps is the one asked for (time rescaling of a renewal process).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final, Literal

import msgspec

from console.engine.gates import NS_PER_S

Arrival = Literal["constant", "poisson", "gamma"]
RampStrategy = Literal["linear", "exponential"]
_STRETCH_S: Final = 5.0
_FEWEST_AT_ONCE: Final = 10
_FLAT: Final = 1e-9
"""Relative difference of the ends below which a ramp is none."""


class Ramp(msgspec.Struct, frozen=True, kw_only=True):
    """A rate that changes over the level, in requests per second.

    Linear and exponential are meant in time: of a linear ramp each second adds as much as the one before. (In
    `vllm bench serve` the rate is a function of the request's number, so that its linear ramp is exponential in
    time, and one from 0 never begins.)
    """

    strategy: RampStrategy
    start_rps: float
    """0 only where it is linear."""
    end_rps: float

    @property
    def mean_rps(self) -> float:
        """Mean rate over the level: linear the middle, exponential the logarithmic mean."""
        start, end = self.start_rps, self.end_rps
        if self.strategy == "linear" or abs(end - start) <= _FLAT * end:
            return (start + end) / 2
        return (end - start) / math.log(end / start)

    def rate_at(self, share: float) -> float:
        """Return the rate after a share of the level's time."""
        if self.strategy == "linear":
            return self.start_rps + (self.end_rps - self.start_rps) * share
        return self.start_rps * (self.end_rps / self.start_rps) ** share

    def time_of(self, due: float, count: int) -> float:
        """Return when the rate adds up to `due` of `count` requests, in seconds."""
        start, end = self.start_rps, self.end_rps
        length_s = count / self.mean_rps
        if abs(end - start) <= _FLAT * end:
            return due / self.mean_rps
        if self.strategy == "linear":
            slope = (end - start) / length_s
            return 2 * due / (start + math.sqrt(start * start + 2 * slope * due))
        growth = math.log(end / start) / length_s
        return math.log1p(due * growth / start) / growth


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One level of load."""

    max_concurrency: int | None
    """Requests in flight over all lanes together; None: as many as the lanes take."""
    request_rate: float | None
    """Requests due per second over all lanes together, of a ramp on average; None: as fast as answers come (inf)."""
    burstiness: float = 1.0
    """Shape of the gamma distribution of gaps: 1 is Poisson, towards infinity is constant."""
    arrival: Arrival = "gamma"
    """constant and poisson leave `burstiness` out of account."""
    ramp: Ramp | None = None
    warm_ups: int = 0
    """How many of the requests come first to warm up, and are not measured; at the rate the level begins with."""


def due_offsets_ns(count: int, level: Level, rng: random.Random) -> list[int]:
    """Return when each of `count` requests is due after the start, those that warm up first.

    What is measured begins when the last warm-up is due, and takes count / rate exactly.
    """
    rate = level.request_rate
    if rate is None:
        raise ValueError("a closed loop has no schedule")
    warm_ups = min(level.warm_ups, count)
    first_rate = rate if level.ramp is None else level.ramp.rate_at(0)
    warm = [due / first_rate for due in _added_up(warm_ups, level, rng)] if warm_ups else []
    begin_s = warm_ups / first_rate if warm_ups else 0.0
    measured = count - warm_ups
    to_time = _clock(level, rate, measured)
    offsets = [*warm, *(begin_s + to_time(due) for due in _added_up(measured, level, rng))]
    return [round(offset_s * NS_PER_S) for offset_s in offsets]


def endless_offsets_ns(rate: float, burstiness: float, rng: random.Random) -> Iterator[int]:
    """Yield when requests are due that come at a rate until nobody asks any more.

    They are drawn in stretches of a few seconds each of which takes count / rate exactly: the rate of any longer
    window is the one asked for, and a search need not wait until chance has evened out.
    """
    count = max(_FEWEST_AT_ONCE, round(_STRETCH_S * rate))
    level = Level(max_concurrency=None, request_rate=rate, burstiness=burstiness)
    for stretch in itertools.count():
        begin_ns = round(stretch * count / rate * NS_PER_S)
        yield from (begin_ns + offset_ns for offset_ns in due_offsets_ns(count, level, rng))


def _clock(level: Level, rate: float, count: int) -> Callable[[float], float]:
    ramp = level.ramp
    if ramp is None:
        return lambda due: due / rate
    return lambda due: ramp.time_of(due, count)


def _added_up(count: int, level: Level, rng: random.Random) -> Iterator[float]:
    """Return gaps of mean 1, added up: the last sum is `count` exactly."""
    if level.arrival == "constant":
        return iter([float(number) for number in range(1, count + 1)])
    shape = 1.0 if level.arrival == "poisson" else level.burstiness
    totals = list(accumulate(rng.gammavariate(shape, 1 / shape) for _ in range(count)))
    if totals and totals[-1] > 0:
        return (total / totals[-1] * count for total in totals)
    return iter(
        [0.0] * (count - 1) + [float(count)] * min(1, count)
    )  # so bursty that every gap but one is nothing
