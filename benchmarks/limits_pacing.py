"""How much of a paced rate is lost to wake-ups that come late, and what pacing costs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import anyio

from benchmarks.engine_load import LOOP, check_rows, load_engine
from benchmarks.limits_law import pace, worst_excess
from benchmarks.machine import window
from benchmarks.report import Part, Target, progress, spread, table
from benchmarks.scripts import warm_url
from benchmarks.serving import Serving
from console.engine.load import Level
from console.llm.client import LlmClient
from console.vocabulary.chat import Timeouts

RATES = (20, 100, 500, 1000)
WORKERS = 200
_WARM = 20


@dataclass(frozen=True)
class Paced:
    """One window of one paced lane."""

    reached: float
    """Of the rate."""
    excess: float
    us_per_request: float
    share: float
    """Of a core."""
    others: float


def run(server: Serving, part: Part, *, rounds: int, seconds: float) -> None:
    """Pace one lane at several rates, and say what of each was reached."""
    rows: list[list[str]] = []
    for rate in RATES:
        found = [measure(server, rate, seconds) for _ in range(rounds)]
        progress(f"{rate} QPS on one lane")
        reached = statistics.median(one.reached for one in found)
        others = statistics.median(one.others for one in found)
        excess = max(one.excess for one in found)
        rows.append(
            [
                f"{rate:,}",
                spread([100 * one.reached for one in found], 2),
                f"{excess:+.6f}",
                spread([one.us_per_request for one in found]),
                spread([100 * one.share for one in found], 1),
                f"{100 * others:.0f}",
            ]
        )
        part.figures += [{"what": "pacing", "qps": rate, **one.__dict__} for one in found]
        part.targets.append(Target(f"one lane, {rate} QPS: sends over the law", max(excess, 0), 0, "less"))
        part.targets.append(
            Target(f"one lane, {rate} QPS: reached", 100 * reached, 98, "more", "%", others),
        )
    part.say(
        "",
        f"One lane with a QPS, {seconds:g} s each, always somebody waiting; median (least–most) of {rounds} rounds.",
        *table(_HEAD, rows),
    )


_HEAD = (
    "QPS",
    "reached %",
    "worst excess over rate × w + 1",
    "CPU µs/request",
    "CPU % of a core",
    "others %",
)


def measure(server: Serving, rate: float, seconds: float) -> Paced:
    """Send at `rate` for `seconds`, answers taking 20 ms."""
    base_url = server.base_url(chunks=1, ttft_ms=20)
    requests = max(2, int(rate * seconds))
    level = Level(max_concurrency=WORKERS, request_rate=None)
    server.begin()

    async def measured() -> Paced:
        async with LlmClient(timeouts=Timeouts()) as client:
            with load_engine(client, warm_url(base_url), level, requests=_WARM, chunks=0) as (warm, _):
                await warm.run()
            with load_engine(client, base_url, level, requests=requests, chunks=1, qps=rate) as (engine, _):
                with window() as taken:
                    await engine.run()
        check_rows(engine.rows, requests=requests, chunks=1)
        sent_ns = [row.at_ns for row in engine.rows]
        return Paced(
            reached=pace(sent_ns) / rate,
            excess=worst_excess(sent_ns, rate),
            us_per_request=taken.cpu_s / requests * 1e6,
            share=taken.cpu_s / taken.seconds,
            others=taken.others,
        )

    return anyio.run(measured, backend_options=LOOP)
