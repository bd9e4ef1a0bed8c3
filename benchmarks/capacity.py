"""Whether a search finds what a simulated server bears, over real HTTP: K slots, and a server without a limit."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from typing import Any

from benchmarks.report import Part, Target, progress, table
from benchmarks.startup import program

SLOTS = (37, 120, 300)
_HEAD = ("server", "answer", "state", "off by", "stopped by", "levels", "requests", "minutes")
_PRECISION = 0.05


def run(*, quick: bool) -> Part:
    """Search servers of known capacity, and one without."""
    part = Part("capacity")
    rows: list[list[str]] = []
    off: list[float] = []
    for slots in SLOTS[:1] if quick else SLOTS:
        found = _search(slots, quick=quick)
        share = abs((found["capacity"] or 0) / slots - 1)
        off.append(share)
        part.figures.append({"slots": slots, **found})
        rows.append(_row(f"{slots} slots", found, f"{100 * share:.1f} %"))
        progress(f"{slots} slots: {found['line']}")
    unlimited = _search(None, quick=quick)
    part.figures.append({"slots": None, **unlimited})
    rows.append(_row("unlimited", unlimited, ""))
    progress(f"unlimited: {unlimited['line']}")
    part.say(
        "A simulated server with K slots (TTFT 300 ms, 50 tokens at 15 ms) over HTTP; a search with the precision of 5 %.",
        "Where the client is the limit, as on a busy machine, it says so and gives no number.",
        *table(_HEAD, rows),
    )
    part.targets = [
        Target("answers: distance from the slots, the worst", max(off), _PRECISION, "less"),
        Target("unlimited: a number in the answer", 0 if unlimited["capacity"] is None else 1, 0, "less"),
    ]
    return part


def _search(slots: int | None, *, quick: bool) -> dict[str, Any]:
    settings = {"ttft_ms": 300, "ttft_spread": 0.2, "itl_ms": 15, "load_factor": 0, "slots": slots or 100_000}
    seconds = ("8", "5", "2") if quick else ("30", "12", "5")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program(), "capacity", "ramp", "--profile", "sim", "--model", "gpt-4o-mini", "--lift-workers",
            "--random-input-len", "64", "--random-output-len", "50", "--json", "--out", folder,
            "--max-concurrency", "100" if quick else "1000",
            "--level-seconds", seconds[0], "--scan-seconds", seconds[1], "--window-seconds", seconds[2],
            *(f"--set=providers.azure.sim.{name}={value}" for name, value in settings.items()),
        ]  # fmt: skip
        started = time.perf_counter()
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        took_s = time.perf_counter() - started
    said = [line for line in ended.stdout.splitlines() if line.startswith('{"type":"search"')]
    if not said:
        raise RuntimeError(f"no answer (exit code {ended.returncode}): {ended.stderr[-500:]}")
    result: dict[str, Any] = json.loads(said[-1])
    answer = result["answers"][-1]
    return {
        "capacity": answer.get("capacity"),
        "state": answer["state"],
        "stopped_by": answer.get("stopped_by", []),
        "line": answer["line"],
        "levels": len(result["levels"]),
        "requests": sum(level["spent_requests"] for level in result["levels"]),
        "took_s": took_s,
    }


def _row(server: str, found: dict[str, Any], off: str) -> list[str]:
    return [
        server,
        "none" if found["capacity"] is None else str(found["capacity"]),
        found["state"],
        off,
        ", ".join(found["stopped_by"]),
        str(found["levels"]),
        f"{found['requests']:,}",
        f"{found['took_s'] / 60:.1f}",
    ]
