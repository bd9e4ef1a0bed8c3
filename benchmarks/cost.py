"""What a request costs the client: the whole engine, its bare client and the floor, in turn in the same minutes."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.engine_load import through_client, through_engine
from benchmarks.floor import through_floor
from benchmarks.report import OTHERS, Part, Target, progress, spread, table
from benchmarks.sample import Sample
from benchmarks.serving import Busy, Serving, busy_between


@dataclass(frozen=True)
class Case:
    """One closed loop without delays."""

    in_flight: int
    chunks: int
    requests: int
    at_once: bool = False

    @property
    def label(self) -> str:
        return f"{self.in_flight} × {self.chunks}" + (" at once" if self.at_once else "")


CASES = (
    Case(1, 0, 300),
    Case(1, 16, 300),
    Case(50, 16, 1500),
    Case(300, 0, 3000),
    Case(300, 16, 2000),
    Case(300, 128, 600),
    Case(300, 128, 600, at_once=True),
    Case(600, 16, 2000),
    Case(1000, 16, 2000),
    Case(5000, 16, 5000),
)
QUICK = tuple(
    Case(case.in_flight, case.chunks, 1000)
    for case in CASES
    if case.in_flight in (50, 300) and not case.at_once
)

CLIENTS: dict[str, Callable[..., Sample]] = {
    "floor": through_floor,
    "client": through_client,
    "engine": through_engine,
}


@dataclass
class Found:
    """All rounds of one case, by client."""

    case: Case
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {name: [] for name in CLIENTS})
    server: dict[str, list[Busy]] = field(default_factory=lambda: {name: [] for name in CLIENTS})

    def us(self, name: str) -> list[float]:
        return [sample.us_per_request for sample in self.samples[name]]

    def median_us(self, name: str) -> float:
        return statistics.median(self.us(name))

    def median_rate(self, name: str) -> float:
        return statistics.median(sample.per_second for sample in self.samples[name])

    def server_share(self, name: str) -> float:
        return statistics.median(busy.server for busy in self.server[name])

    @property
    def others(self) -> float:
        """What others took of the client's core or of the server's, whichever was more, in the median window."""
        return max(
            statistics.median(sample.others for samples in self.samples.values() for sample in samples),
            statistics.median(busy.others for shares in self.server.values() for busy in shares),
        )

    @property
    def ratios(self) -> list[float]:
        """Floor / engine of each round: 1 would be an engine that costs nothing over the floor."""
        return [floor / engine for floor, engine in zip(self.us("floor"), self.us("engine"), strict=True)]


def measure(server: Serving, case: Case, rounds: int) -> Found:
    """Run the clients one after another, and the whole row of them again; every second round backwards."""
    found = Found(case)
    base_url = server.base_url(chunks=case.chunks, at_once=case.at_once)
    for turn in range(rounds):
        names = list(CLIENTS) if turn % 2 == 0 else list(reversed(CLIENTS))
        for name in names:
            before = server.begin()
            sample = CLIENTS[name](
                base_url, in_flight=case.in_flight, requests=case.requests, chunks=case.chunks
            )
            found.server[name].append(busy_between(before, server.stats()))
            found.samples[name].append(sample)
    return found


def run(server: Serving, *, rounds: int, quick: bool, open_files: int) -> Part:
    part = Part("cost")
    part.say(
        f"CPU µs per request of the client process, median (least–most) of {rounds} rounds; no delays, one write per chunk.",
        "engine: plan → gates → client → journal. client: without gates and journal. floor: raw protocol + httptools + uvloop.",
    )
    all_found: list[Found] = []
    rows: list[list[str]] = []
    for case in QUICK if quick else CASES:
        if 2 * case.in_flight + 100 > open_files:
            part.say(
                f"skipped {case.label}: {open_files} open files are allowed, and it needs {2 * case.in_flight + 100}"
            )
            continue
        found = measure(server, case, rounds)
        all_found.append(found)
        progress(f"{case.label}: floor/engine {spread(found.ratios, 2)}")
        rows.append(_row(found))
        part.figures.append(_figures(found))
    part.say(*table(_HEAD, rows))
    part.say(
        "floor/engine: 1.00 would cost nothing over the floor. reads: socket reads per request, of the floor; "
        "a client behind its server reads several chunks at once.",
        "srv: share of its core that the server used, the clients' start and end included; above 0.9 it is the limit, "
        "so compare CPU and not requests/s.",
        f"others %: {OTHERS}",
    )
    part.targets = _targets(all_found)
    return part


_HEAD = (
    "in flight × chunks",
    "floor µs",
    "client µs",
    "engine µs",
    "floor/engine",
    "gates+journal µs",
    "engine µs/chunk",
    "floor req/s",
    "engine req/s",
    "reads",
    "srv floor",
    "srv engine",
    "others %",
)


def _row(found: Found) -> list[str]:
    case = found.case
    reads = (
        sum(sample.reads for sample in found.samples["floor"]) / len(found.samples["floor"]) / case.requests
    )
    per_chunk = f"{found.median_us('engine') / case.chunks:.1f}" if case.chunks else "-"
    return [
        case.label,
        spread(found.us("floor")),
        spread(found.us("client")),
        spread(found.us("engine")),
        spread(found.ratios, 2),
        f"{found.median_us('engine') - found.median_us('client'):.0f}",
        per_chunk,
        f"{found.median_rate('floor'):.0f}",
        spread([sample.per_second for sample in found.samples["engine"]]),
        f"{reads:.1f}",
        f"{found.server_share('floor'):.2f}",
        f"{found.server_share('engine'):.2f}",
        f"{100 * found.others:.0f}",
    ]


def _figures(found: Found) -> dict[str, object]:
    case = found.case
    return {
        "in_flight": case.in_flight,
        "chunks": case.chunks,
        "at_once": case.at_once,
        "requests": case.requests,
        "floor_over_engine": statistics.median(found.ratios),
        "clients": {
            name: {
                "us_per_request": found.us(name),
                "per_second": [sample.per_second for sample in samples],
                "client_share": [sample.share for sample in samples],
                "reads": [sample.reads for sample in samples],
                "client_core_others": [sample.others for sample in samples],
                "server_share": [busy.server for busy in found.server[name]],
                "server_core_others": [busy.others for busy in found.server[name]],
            }
            for name, samples in found.samples.items()
        },
    }


def _targets(all_found: list[Found]) -> list[Target]:
    by_label = {found.case.label: found for found in all_found}
    targets: list[Target] = []
    if (usual := by_label.get("300 × 16")) is not None:
        targets.append(
            Target("300 × 16: floor/engine", statistics.median(usual.ratios), 0.5, "more", "", usual.others)
        )
        if (many := by_label.get("5000 × 16")) is not None:
            share = many.median_rate("engine") / usual.median_rate("engine")
            targets.append(
                Target(
                    "5,000 in flight: throughput as share of 300's",
                    share,
                    0.7,
                    "more",
                    "",
                    max(usual.others, many.others),
                )
            )
    if (long := by_label.get("300 × 128 at once")) is not None:
        targets.append(
            Target(
                "128 chunks at once: CPU per chunk",
                long.median_us("engine") / 128,
                6,
                "less",
                "µs",
                long.others,
            )
        )
    return targets
