"""Memory of a request in flight: resident size of a fresh client process, idle and with all of them on their way.

A process of its own for each client: one that has worked before has free memory that would hide the growth.
`python -m benchmarks.memory CLIENT BASE_URL IN_FLIGHT` prints what it came to.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from typing import Any

import anyio
import msgspec
import uvloop

from benchmarks.machine import more_open_files, resident_bytes
from benchmarks.report import Part, Target, table
from benchmarks.serving import Serving

IN_FLIGHT = 5000
CHUNKS = 16
TTFT_MS = 5000
ITL_MS = 500
SAMPLE_S = TTFT_MS / 1000 + 1.2
"""All are sent and have a few chunks."""


class Grown(msgspec.Struct):
    """What one process came to."""

    idle_bytes: int
    busy_bytes: int
    in_flight: int


def run(server: Serving, *, rounds: int, open_files: int) -> Part:
    part = Part("memory")
    if resident_bytes() is None:
        part.say("memory: skipped, the system does not tell the resident size of a process")
        return part
    if open_files < 2 * IN_FLIGHT + 100:
        part.say(f"memory: skipped, {open_files} open files are allowed")
        return part
    base_url = server.base_url(chunks=CHUNKS, ttft_ms=TTFT_MS, itl_ms=ITL_MS)
    rows: list[list[str]] = []
    for name in CLIENTS:
        found = [measured_apart(name, base_url, IN_FLIGHT) for _ in range(rounds)]
        kb = sorted((one.busy_bytes - one.idle_bytes) / one.in_flight / 1000 for one in found)
        figures = {"client": name, "in_flight": [one.in_flight for one in found], "kb_per_request": kb}
        part.figures.append(figures)
        rows.append(
            [
                name,
                f"{found[0].idle_bytes / 1e6:.0f}",
                f"{found[0].busy_bytes / 1e6:.0f}",
                f"{kb[len(kb) // 2]:.1f}",
            ]
        )
        if name == "engine":
            part.targets.append(
                Target("5,000 in flight: memory per request", kb[len(kb) // 2], 20, "less", "kB")
            )
    part.say(
        f"Memory with {IN_FLIGHT:,} in flight, user space of the client process; median of {rounds}.",
        *table(("client", "idle MB", "busy MB", "kB per request in flight"), rows),
    )
    return part


def measured_apart(name: str, base_url: str, in_flight: int) -> Grown:
    command = [sys.executable, "-m", "benchmarks.memory", name, base_url, str(in_flight)]
    ended = subprocess.run(command, capture_output=True, check=True, timeout=120)
    return msgspec.json.decode(ended.stdout, type=Grown)


async def _floor(base_url: str, in_flight: int) -> Grown:
    from benchmarks.floor import FloorClient

    client = FloorClient(base_url, chunks=CHUNKS)
    idle = settled_bytes()
    await client.connect(in_flight)
    running = asyncio.ensure_future(client.run(in_flight))
    await asyncio.sleep(SAMPLE_S)
    busy = resident_bytes() or 0
    running.cancel()
    await client.close()
    return Grown(idle, busy, in_flight)


async def _engine(base_url: str, in_flight: int) -> Grown:
    from benchmarks.engine_load import load_engine
    from console.engine.load import Level
    from console.llm.client import LlmClient
    from console.vocabulary.chat import Timeouts

    level = Level(max_concurrency=in_flight, request_rate=None)
    async with LlmClient(timeouts=Timeouts()) as client:
        with load_engine(client, base_url, level, requests=in_flight, chunks=CHUNKS) as (engine, _):
            idle = settled_bytes()
            async with anyio.create_task_group() as group:
                group.start_soon(engine.run)
                await anyio.sleep(SAMPLE_S)
                busy = resident_bytes() or 0
                flying = sum(lane.in_flight for lane in engine.look().lanes)
                group.cancel_scope.cancel()
    return Grown(idle, busy, flying)


CLIENTS: dict[str, Any] = {"floor": _floor, "engine": _engine}


def settled_bytes() -> int:
    gc.collect()
    return resident_bytes() or 0


def main() -> None:
    name, base_url, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3])
    more_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        grown: Grown = runner.run(CLIENTS[name](base_url, in_flight))
    sys.stdout.write(msgspec.json.encode(grown).decode() + "\n")


if __name__ == "__main__":
    main()
