"""Hidden limits that the adaptive controller has to find: the scenarios, and what is measured of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.adaptive_servers import (
    Bucket,
    Cap,
    Dialect,
    FixedWindow,
    Limiter,
    Server,
    SlidingWindow,
    Steps,
)
from benchmarks.adaptive_simulation import BIN_S, Bin, LaneLoad, Simulation
from console.engine.adaptive.change import Change
from console.engine.adaptive.controller import LaneController
from console.engine.gates import NS_PER_S
from console.vocabulary.lane import Limits

WORKERS = 600
WARM_S = 300
"""Measured apart: the search."""


_FREE = Limits(workers=WORKERS)


@dataclass(frozen=True)
class Scenario:
    """A hidden limit, and how to look for it."""

    name: str
    limiters: Callable[[float], list[Limiter]]
    """From the offset of the server's clock."""
    units_per_s: float
    """What is to be had: requests, tokens, or busy slots."""
    units: str = "requests"
    minutes: int = 15
    dialect: Dialect = "retry-after"
    slots: int | None = None
    faults: float = 0.0
    streams: bool = False
    slower_from_s: float | None = None
    steps: Steps = ()
    lanes: int = 1
    ceiling: Limits = _FREE
    least_use: float = 0.95
    window_s: float = 1.0


def _window(limit: float, period_s: float, steps: Steps = ()) -> Callable[[float], list[Limiter]]:
    return lambda offset: [FixedWindow(limit, period_s, offset * period_s, steps=steps)]


def _tokens(limit: float) -> Callable[[float], list[Limiter]]:
    return lambda offset: [FixedWindow(limit, 60.0, offset * 60.0, counts="tokens")]


_STEPS: Steps = ((400.0, 50.0), (700.0, 100.0))

ACCEPTANCE = (
    Scenario("10 rps, 1-s window", _window(10, 1.0), 10, minutes=20),
    Scenario("100 rps, 1-s window", _window(100, 1.0), 100, minutes=9),
    Scenario("60 RPM, 10-s window", _window(10, 10.0), 1, minutes=30, window_s=10),
    Scenario("600 RPM, 10-s window", _window(100, 10.0), 10, minutes=20, window_s=10),
    Scenario("bucket 5/s, burst 10", lambda _: [Bucket(5, 10)], 5, minutes=20),
    Scenario("600k TPM, minute reset", _tokens(6e5), 1e4, "tokens", 20, "azure", window_s=60),
    Scenario("6M TPM, minute reset", _tokens(6e6), 1e5, "tokens", 10, window_s=60),
    Scenario("10 rps, no headers", _window(10, 1.0), 10, minutes=20, dialect="none"),
    Scenario("cap of 16 in flight, untyped", lambda _: [Cap(16)], 16, "slots", 20),
    Scenario("48 slots, FIFO", lambda _: [], 48, "slots", 15, slots=48),
    Scenario("50 rps, 2 % random 5xx", _window(50, 1.0), 50, minutes=10, faults=0.02),
    Scenario("100→50→100 rps", _window(100, 1.0, _STEPS), 100, minutes=15, steps=_STEPS, least_use=0.85),
)
FURTHER = (
    Scenario("10 rps, 5 % random 5xx", _window(10, 1.0), 10, minutes=15, faults=0.05),
    Scenario("10 rps, gateway's HTTP 400", _window(10, 1.0), 10, minutes=15, dialect="gateway"),
    Scenario(
        "60 RPM, 10-s window, no headers", _window(10, 10.0), 1, minutes=30, dialect="none", window_s=10
    ),
    Scenario("600k TPM, no headers", _tokens(6e5), 1e4, "tokens", 20, "none", window_s=60),
    Scenario("600 RPM, OpenAI's headers", _window(600, 60.0), 10, minutes=15, dialect="openai", window_s=60),
    Scenario("cap of 200 in flight, untyped", lambda _: [Cap(200)], 200, "slots", 8),
    Scenario("cap of 4 in flight, untyped", lambda _: [Cap(4)], 4, "slots", 20),
    Scenario("4 slots, FIFO", lambda _: [], 4, "slots", 20, slots=4),
    Scenario("60 RPM, minute reset", _window(60, 60.0), 1, minutes=30, window_s=60),
    Scenario("48 slots, FIFO, streamed", lambda _: [], 48, "slots", 15, slots=48, streams=True),
    Scenario("10 rps, refused ones count", lambda o: [FixedWindow(10, 1.0, o, counts_refused=True)], 10),
    Scenario("10 in any second, refused ones count", lambda _: [SlidingWindow(10)], 10),
    Scenario("10 rps shared by 4 lanes", _window(10, 1.0), 10, lanes=4, minutes=20),
    Scenario("100 rps shared by 4 lanes", _window(100, 1.0), 100, lanes=4, minutes=9),
    Scenario(
        "20 rps, slower by itself", _window(20, 1.0), 20, minutes=15, slower_from_s=400.0, least_use=0.92
    ),
    Scenario(
        "100 rps, ceiling of 40", _window(100, 1.0), 40, minutes=8, ceiling=Limits(workers=WORKERS, qps=40.0)
    ),
)


@dataclass(frozen=True)
class Measured:
    """What came of one run of a scenario."""

    use: float
    """Of what was to be had after the warm-up."""
    refused_first: float
    """Part of sends, in the first five minutes."""
    refused_after: float
    refused: float
    to_90_s: float
    """End of the first half minute (of a window, if that is longer) with 90 % used."""
    latency_s: float
    fairness: float
    """Jain's index over lanes, after all: 1 is even."""
    halved_s: float | None
    doubled_s: float | None
    refused_at_halving: float | None
    changes: tuple[Change, ...]


def measure(scenario: Scenario, seed: int) -> Measured:
    """Run `scenario` once."""
    rng = Random(f"{scenario.name}/{seed}")
    server = Server(
        Random(rng.random()),
        scenario.limiters(rng.random()),
        dialect=scenario.dialect,
        slots=scenario.slots,
        faults=scenario.faults,
        streams=scenario.streams,
        slower_from_s=scenario.slower_from_s,
    )
    lanes = [
        LaneLoad(
            LaneController(scenario.ceiling, now_ns=0),
            scenario.ceiling,
            WORKERS // scenario.lanes,
            begins_ns=int(number * rng.uniform(0.0, 2.0) * NS_PER_S),
        )
        for number in range(scenario.lanes)
    ]
    simulation = Simulation(server, lanes, rng, units=scenario.units, until_s=60 * scenario.minutes)
    simulation.run()
    return _measured(scenario, simulation)


def _measured(scenario: Scenario, simulation: Simulation) -> Measured:
    bins = simulation.bins[: 60 * scenario.minutes // BIN_S]
    warm = WARM_S // BIN_S
    available = [BIN_S * _available(scenario, index * BIN_S) for index in range(len(bins))]
    late = [s for sent_ns, s in simulation.latencies if sent_ns >= WARM_S * NS_PER_S]
    admitted = [lane.admitted for lane in simulation.lanes]
    steps = [at_s for at_s, _ in scenario.steps]
    return Measured(
        use=sum(one.units for one in bins[warm:]) / sum(available[warm:]),
        refused_first=_refused(bins[:warm]),
        refused_after=_refused(bins[warm:]),
        refused=_refused(bins),
        to_90_s=_reached(bins, available, 0, max(30, int(scenario.window_s))),
        latency_s=sum(late) / len(late),
        fairness=sum(admitted) ** 2 / (len(admitted) * sum(count**2 for count in admitted)),
        halved_s=_settled(bins, int(steps[0])) if steps else None,
        doubled_s=_reached(bins, available, int(steps[1]), 10) if steps else None,
        refused_at_halving=_refused(bins[int(steps[0]) // BIN_S :][: 60 // BIN_S]) if steps else None,
        changes=tuple(change for lane in simulation.lanes for change in lane.changes),
    )


def _available(scenario: Scenario, at_s: float) -> float:
    limit = scenario.units_per_s
    for since_s, stepped in scenario.steps:
        if at_s >= since_s:
            limit = stepped
    return limit


def _refused(bins: list[Bin]) -> float:
    return sum(one.refused for one in bins) / max(1, sum(one.sends for one in bins))


def _reached(bins: list[Bin], available: list[float], since_s: int, over_s: int) -> float:
    """Return when 90 % of what was to be had in `over_s` was used, in seconds after `since_s`."""
    first, span = since_s // BIN_S, over_s // BIN_S
    for end in range(first + span, len(bins) + 1):
        used = sum(one.units for one in bins[end - span : end])
        if used >= 0.9 * sum(available[end - span : end]):
            return end * BIN_S - since_s
    return float("inf")


def _settled(bins: list[Bin], since_s: int) -> float:
    """Return the end of the last five seconds, in the two minutes after `since_s`, with over 3 % refused."""
    first = since_s // BIN_S
    last = max(
        (index for index in range(first, first + 120 // BIN_S) if _refused([bins[index]]) > 0.03),
        default=first,
    )
    return (last + 1) * BIN_S - since_s
