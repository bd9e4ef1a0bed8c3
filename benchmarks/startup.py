"""How long a user waits: `--version`, and from the start of `run` to its first request at the server."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import all_cores
from benchmarks.report import Part, Target, spread, table
from benchmarks.scripts import MODEL
from benchmarks.serving import Serving

_PROFILE = """\
name = "bench"

[providers.bench]
api = "openai"
base_url = "{base_url}"
keys = {{ key0 = "env:BENCH_KEY" }}

[models."{model}"]
provider = "bench"
class = "open"

[limits.bench.open]
fixed = {{ workers = 50 }}
"""


def program() -> str:
    """Return the installed command of this environment.

    Raises:
        RuntimeError: if the product is not installed in it.
    """
    found = shutil.which("ultra-console", path=str(Path(sys.executable).parent))
    if found is None:
        raise RuntimeError("ultra-console is not installed in this environment: make bench installs it")
    return found


def run(server: Serving, *, rounds: int) -> Part:
    part = Part("start")
    with all_cores(), tempfile.TemporaryDirectory() as folder:
        python = [wall_ms([sys.executable, "-c", "pass"]) for _ in range(rounds)]
        version = [wall_ms([program(), "--version"]) for _ in range(rounds)]
        first = [first_request_ms(server, Path(folder), turn) for turn in range(max(rounds // 2, 1))]
    rows = [
        ["python -c pass", spread(python)],
        ["ultra-console --version", spread(version)],
        ["ultra-console run → first request at the server", spread(first)],
    ]
    part.say(
        f"Start-up, ms of wall time, median (least–most) of {rounds} ({len(first)} of `run`), on all cores."
    )
    part.say(*table(("what", "ms"), rows))
    part.figures = [{"python_ms": python, "version_ms": version, "first_request_ms": first}]
    part.targets = [
        Target("--version", statistics.median(version), 120, "less", "ms"),
        Target("run → first request", statistics.median(first), 1000, "less", "ms"),
    ]
    return part


def wall_ms(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1e3


def first_request_ms(server: Serving, folder: Path, turn: int) -> float:
    """Start a run of one small job and return when its first request arrived, by the server's log."""
    profile = folder / "bench.toml"
    base_url = server.base_url(chunks=4, log=True)
    profile.write_text(_PROFILE.format(base_url=base_url, model=MODEL), encoding="utf-8")
    command = [program(), "run", "--profile", str(profile), "--model", MODEL, "--num-instances", "1"]
    command += ["--out", str(folder / f"runs-{turn}")]
    server.take_log()
    started_ns = time.perf_counter_ns()
    ended = subprocess.run(
        command,
        env={**os.environ, "BENCH_KEY": "bench"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    arrivals = [entry.arrived_ns for entry in server.take_log()]
    if not arrivals:
        raise RuntimeError(f"the run sent nothing: {ended.stderr.strip()[-500:]}")
    return (min(arrivals) - started_ns) / 1e6
