"""The live grid: what a change of all its lanes costs the widget, the whole screen and the line to the terminal."""

from __future__ import annotations

import statistics

import anyio

from benchmarks.grid_stage import widget_ms
from benchmarks.pty_rig import rig
from benchmarks.report import Part, Target, progress, table

SIZES = ((80, 24), (160, 48))
SHAPES = ((60, 12), (40, 4))
BYTES = {(80, 24): 4_000, (160, 48): 10_000}
"""What one refresh may write."""


def run(*, steps: int) -> Part:
    part = Part("grid")
    rows: list[list[str]] = []
    for size in SIZES:
        for shape in SHAPES:
            case = {"size": size, "lanes": shape, **_measure(size, shape, steps)}
            part.figures.append(case)
            rows.append(_row(case))
            progress(f"grid {rows[-1][0]}")
    part.say(
        f"All lanes busy and all of them changed, {steps} steps, full colour, on a pty that answers nothing."
    )
    heads = ("terminal, lanes", "widget ms", "worst", "step CPU ms", "worst", "bytes", "when equal")
    part.say(*table(heads, rows))
    for case in part.figures:
        part.targets += _targets(case)
    return part


def _measure(size: tuple[int, int], shape: tuple[int, int], steps: int) -> dict[str, list[float]]:
    own = anyio.run(widget_ms, *shape, size, steps)
    with rig("benchmarks.grid_stage:build", *map(str, shape), size=size) as running:
        running.step(1)
        idle = statistics.median(running.settled().cpu_ms for _ in range(3))  # what looking for calm costs
        written = [running.step(number) for number in range(2, steps + 2)]
        equal = running.step(-1).count
        running.end()
    whole = [max(0.0, one.cpu_ms - idle) for one in written]
    return {"widget_ms": own, "step_cpu_ms": whole, "bytes": [one.count for one in written], "equal": [equal]}


def _row(case: dict) -> list[str]:
    (columns, lines), (deployments, keys) = case["size"], case["lanes"]
    times = [
        f"{pick(case[name]):.1f}"
        for name in ("widget_ms", "step_cpu_ms")
        for pick in (statistics.median, max)
    ]
    return [
        f"{columns}x{lines}, {deployments} x {keys}",
        *times,
        str(max(case["bytes"])),
        str(case["equal"][0]),
    ]


def _targets(case: dict) -> list[Target]:
    name = _row(case)[0]
    return [
        Target(f"grid {name}: update and lines", statistics.median(case["widget_ms"]), 10, "less", "ms"),
        Target(f"grid {name}: whole step", statistics.median(case["step_cpu_ms"]), 25, "less", "ms of CPU"),
        Target(f"grid {name}: bytes", max(case["bytes"]), BYTES[case["size"]], "less"),
    ]


if __name__ == "__main__":
    for target in run(steps=20).targets:
        print(target.line())
