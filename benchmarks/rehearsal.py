"""How long it takes to forecast a run of hours: a plan of 11,400 tests, rehearsed by the program."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import time

from benchmarks.report import Part, Target, progress, spread, table
from benchmarks.startup import program

_INSTANCES = 285
"""Of five task types and eight models: 11,400 tests, as many as the phases of the open models have in all."""


def run(*, rounds: int) -> Part:
    part = Part("rehearsal")
    walls: list[float] = []
    cpus: list[float] = []
    said: dict[str, float] = {}
    command = [program(), "run", "--rehearse", "--json", "--profile", "corrected-0824", "--phase", "5.1"]
    for turn in range(rounds):
        before_s, started = _children_cpu_s(), time.perf_counter()
        ended = subprocess.run(
            [*command, "--num-instances", str(_INSTANCES)], capture_output=True, text=True, check=True
        )
        walls.append(time.perf_counter() - started)
        cpus.append(_children_cpu_s() - before_s)
        said = json.loads(ended.stdout)
        progress(f"rehearsal {turn + 1}: {walls[-1]:.1f} s")
    tests = said["planned"]
    part.say(
        f"A plan of {tests} tests, {said['duration_s'] / 3600:.1f} h long, rehearsed on one core, start included: "
        f"median (least–most) of {rounds}."
    )
    rows = [
        ["wall time, s", spread(walls, 1)],
        ["CPU time, s", spread(cpus, 1)],
        ["CPU a test, µs", spread([cpu / tests * 1e6 for cpu in cpus])],
    ]
    part.say(*table(("what", "figure"), rows))
    part.figures = [{"wall_s": walls, "cpu_s": cpus, "tests": tests, "forecast_s": said["duration_s"]}]
    part.targets = [Target("rehearsal of 11,400 tests", statistics.median(walls), 60, "less", "s")]
    return part


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
