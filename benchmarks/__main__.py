"""Two questions, answered side by side in one run: what does a request cost, and is our clock right?

The server is the simulator in a process of its own. Figures of one machine drift; read the ratios.
"""

from __future__ import annotations

import json
import statistics
import sys
import urllib.request
from collections.abc import Sequence
from itertools import pairwise

import anyio
import anyio.to_thread

from benchmarks.load import Measured, through_client, through_engine
from console.records.percentile import percentile
from console.sim.config import SimConfig
from console.sim.process import simulator_process
from console.vocabulary.simulated import SimBehaviour

ROUNDS = 5
LEVELS = ((1, 300, 16), (50, 3000, 16), (300, 3000, 16), (300, 1500, 128))
"""In flight, requests, chunks."""


def spread(values: Sequence[float], digits: int = 0) -> str:
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # our own loopback server
        return answer.read()


async def cost() -> list[dict[str, object]]:
    """CPU of this process per request: the whole engine against the bare client, interleaved."""
    print("CPU µs per request of the client process, median (min–max) of", ROUNDS)
    print(
        f"{'in flight':>9} {'chunks':>6} {'engine':>18} {'bare client':>18} {'engine/client':>14} {'engine req/s':>16}"
    )
    found: list[dict[str, object]] = []
    quick = SimBehaviour(ttft_ms=0, ttft_spread=0, itl_ms=0, itl_spread=0)
    async with simulator_process(SimConfig(providers={"p": quick})) as urls:
        for in_flight, requests, chunks in LEVELS:
            engine: list[Measured] = []
            client: list[Measured] = []
            for _ in range(ROUNDS):
                engine.append(
                    await through_engine(urls["p"], in_flight=in_flight, requests=requests, chunks=chunks)
                )
                client.append(
                    await through_client(urls["p"], in_flight=in_flight, requests=requests, chunks=chunks)
                )
            ours = [one.cpu_us_per_request for one in engine]
            bare = [one.cpu_us_per_request for one in client]
            rates = [one.per_second for one in engine]
            ratio = statistics.median(ours) / statistics.median(bare)
            print(
                f"{in_flight:>9} {chunks:>6} {spread(ours):>18} {spread(bare):>18} {ratio:>14.2f} {spread(rates):>16}"
            )
            found.append(
                {
                    "in_flight": in_flight,
                    "chunks": chunks,
                    "engine_us": ours,
                    "client_us": bare,
                    "engine_rps": rates,
                }
            )
    return found


async def truth(streams: int, itl_ms: float) -> dict[str, object]:
    """What we call TTFT against when the server says it sent the first token."""
    paced = SimBehaviour(ttft_ms=200, ttft_spread=0, itl_ms=itl_ms, itl_spread=0)
    async with simulator_process(SimConfig(providers={"p": paced}, log=True)) as urls:
        measured = await through_engine(urls["p"], in_flight=streams, requests=2 * streams, chunks=50)
        log_url = urls["p"].rsplit("/", 2)[0] + "/__log"
        log = json.loads(await anyio.to_thread.run_sync(fetch, log_url))
    sent = {one["request_id"]: one["sent_ns"] for one in log["deliveries"]}
    first_ms: list[float] = []
    gaps_ms: list[float] = []
    for row in measured.rows:
        times = sent.get(row.request_id)
        if times is None or row.ttft_ns is None or len(times) != row.chunks:
            continue
        first_ms.append((measured.start_ns + row.at_ns + row.ttft_ns - times[0]) / 1e6)
        real = [later - earlier for earlier, later in pairwise(times)]
        gaps_ms += [abs(ours - theirs) / 1e6 for ours, theirs in zip(row.chunk_gap_ns, real, strict=True)]
    text = (
        f"{streams} streams × {1000 / itl_ms:.0f} tokens/s, {len(first_ms)} of {len(measured.rows)} compared: "
        f"TTFT late by p50 {percentile(first_ms, 50):.2f} ms, p99 {percentile(first_ms, 99):.2f} ms; "
        f"gap error p50 {percentile(gaps_ms, 50):.2f} ms, p99 {percentile(gaps_ms, 99):.2f} ms; "
        f"client CPU {measured.cpu_us_per_request * measured.per_second / 1e6:.0%} of a core"
    )
    print(text)
    return {"streams": streams, "itl_ms": itl_ms, "ttft_late_ms": first_ms and percentile(first_ms, 50)}


async def main() -> None:
    results: dict[str, object] = {"cost": await cost()}
    print(
        "\nOur clock against the server's own log (one machine, one clock; scheduling delay of both included)"
    )
    results["truth"] = [await truth(50, 20), await truth(300, 20)]
    if "--json" in sys.argv:
        print(json.dumps(results))


if __name__ == "__main__":
    anyio.run(main, backend_options={"use_uvloop": True})
