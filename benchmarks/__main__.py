"""`python -m benchmarks [PART …]`: what a request costs, whether our clock is right, how fast it starts."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    adaptive,
    capacity,
    cost,
    grid,
    limits,
    memory,
    openloop,
    peers,
    policies,
    rehearsal,
    startup,
    truth,
    watched,
)
from benchmarks.machine import cores, more_open_files, pin
from benchmarks.report import Part, as_json, summary
from benchmarks.serving import Serving, serving

PARTS = (
    "adaptive",
    "limits",
    "start",
    "cost",
    "truth",
    "openloop",
    "memory",
    "peers",
    "rehearsal",
    "policies",
    "watched",
    "grid",
    "capacity",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them by default"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer cases and rounds: a look, not a measurement"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each case")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        metavar="S",
        help="wait up to S seconds for idle cores before each window, on a machine that others use too",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    options = parser.parse_args()
    wanted: list[str] = options.parts or list(PARTS)
    for name in wanted:
        if name not in PARTS:
            parser.error(f"{name!r} is none of {', '.join(PARTS)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")

    open_files = more_open_files()
    ours, servers = cores()
    pin(ours)
    quick: bool = options.quick
    rounds: int = options.rounds or (2 if quick else 5)
    started = time.perf_counter()
    load_before = os.getloadavg()[0]
    with serving(servers, patience_s=options.patience) as server:
        work = _work(server, rounds=rounds, quick=quick, open_files=open_files)
        parts: list[Part] = []
        for name in wanted:
            print(f"\n== {name}", flush=True)
            parts.append(work[name]())
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "client_core": ours,
        "server_core": servers,
        "load_before": load_before,
        "rounds": rounds,
        "quick": quick,
        "took_s": round(time.perf_counter() - started, 1),
    }
    for line in summary(parts):
        print(line)
    print(
        f"\nPython {machine['python']}, client on core {ours}, server on core {servers}, load before {load_before:.2f}, "
        f"took {machine['took_s']} s. Figures of one machine drift; read the ratios."
    )
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(parts, machine), indent=1) + "\n", encoding="utf-8")


def _work(server: Serving, *, rounds: int, quick: bool, open_files: int) -> dict[str, Callable[[], Part]]:
    few = 1 if quick else 3
    return {
        "adaptive": lambda: adaptive.run(seeds=1 if quick else 3),
        "limits": lambda: limits.run(server, rounds=few, quick=quick),
        "start": lambda: startup.run(server, rounds=4 if quick else 10),
        "cost": lambda: cost.run(server, rounds=rounds, quick=quick, open_files=open_files),
        "truth": lambda: truth.run(server, rounds=rounds, quick=quick),
        "openloop": lambda: openloop.run(server, rounds=few, seconds=3 if quick else 10),
        "memory": lambda: memory.run(server, rounds=few, open_files=open_files),
        "peers": lambda: peers.run(server, rounds=few),
        "rehearsal": lambda: rehearsal.run(rounds=few),
        "policies": policies.run,
        "watched": lambda: watched.run(server, rounds=few, seconds=6 if quick else 10),
        "capacity": lambda: capacity.run(quick=quick),
        "grid": lambda: grid.run(steps=8 if quick else 20),
    }


if __name__ == "__main__":
    main()
