"""Sending on time: an open loop at a fixed rate, by the engine's rows and by the server's log of arrivals."""

from __future__ import annotations

import statistics
from typing import Any

import anyio

from benchmarks.engine_load import LOOP, check_rows, load_engine
from benchmarks.machine import window
from benchmarks.report import Part, Target, spread, table
from benchmarks.serving import Serving
from console.engine.load import Level
from console.llm.client import LlmClient
from console.records.percentile import percentile
from console.vocabulary.chat import Timeouts

RATE = 1000
CHUNKS = 16
SHAPES = (("evenly", 1e9), ("Poisson", 1.0))
"""How arrivals are spread, as the engine's `burstiness`."""


def run(server: Serving, *, rounds: int, seconds: float) -> Part:
    part = Part("openloop")
    part.say(
        f"Open loop: {RATE:,} requests/s asked for {seconds:g} s, {CHUNKS} chunks over 130 ms; median of {rounds} rounds."
    )
    rows: list[list[str]] = []
    for shape, burstiness in SHAPES:
        found = [one_round(server, burstiness, int(RATE * seconds)) for _ in range(rounds)]
        figures = {name: [one[name] for one in found] for name in found[0]}
        others = statistics.median(figures["others"])
        rows.append(
            [
                shape,
                spread(figures["rate"], 1),
                *(
                    spread(figures[name], 2)
                    for name in ("late_p50_ms", "late_p99_ms", "arrival_p50_ms", "arrival_p99_ms")
                ),
                spread([100 * share for share in figures["client_share"]]),
                f"{100 * others:.0f}",
                f"{max(figures['skipped']):.0f}",
            ]
        )
        part.figures.append({"shape": shape, "asked": RATE, **figures})
        off = statistics.median(abs(rate / RATE - 1) for rate in figures["rate"])
        late = statistics.median(figures["late_p99_ms"])
        part.targets += [
            Target(f"open loop, {shape}: rate off", 100 * off, 0.2, "less", "%", others),
            Target(f"open loop, {shape}: send lateness p99", late, 5, "less", "ms", others),
        ]
    part.say(*table(_HEAD, rows))
    return part


_HEAD = (
    "arrivals",
    "requests/s",
    "sent late p50 ms",
    "p99 ms",
    "arrived late p50 ms",
    "p99 ms",
    "client CPU % of a core",
    "others %",
    "skipped",
)


def one_round(server: Serving, burstiness: float, requests: int) -> dict[str, Any]:
    base_url = server.base_url(chunks=CHUNKS, ttft_ms=50, itl_ms=5, log=True)
    server.take_log()
    server.begin()
    level = Level(max_concurrency=None, request_rate=RATE, burstiness=burstiness)

    async def measured() -> dict[str, Any]:
        async with LlmClient(timeouts=Timeouts()) as client:
            with load_engine(client, base_url, level, requests=requests, chunks=CHUNKS) as (engine, start_ns):
                with window() as taken:
                    await engine.run()
        check_rows(engine.rows, requests=requests, chunks=CHUNKS)
        rows = sorted(engine.rows, key=lambda row: row.due_ns or 0)
        late = [(row.at_ns - (row.due_ns or 0)) / 1e6 for row in rows]
        arrived_ns = {entry.number: entry.arrived_ns for entry in server.take_log()}
        due_ns = {int(row.request_id or 0): start_ns + (row.due_ns or 0) for row in rows}
        arrival = [(arrived_ns[number] - due) / 1e6 for number, due in due_ns.items()]
        # The schedule ends at count / rate after its start, so that is where its start is found.
        schedule_ns = (rows[-1].due_ns or 0) - int(requests / RATE * 1e9)
        span_s = (max(row.at_ns for row in rows) - schedule_ns) / 1e9
        return {
            "rate": requests / span_s,
            "late_p50_ms": percentile(late, 50),
            "late_p99_ms": percentile(late, 99),
            "arrival_p50_ms": percentile(arrival, 50),
            "arrival_p99_ms": percentile(arrival, 99),
            "client_share": taken.cpu_s / taken.seconds,
            "others": taken.others,
            "skipped": requests - len(arrival),
        }

    return anyio.run(measured, backend_options=LOOP)
