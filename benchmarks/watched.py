"""What it costs an engine to be watched: the same load with no, one and three consoles attached, in turns.

The engine has a core of its own, as it would among a fleet; consoles share the server's. They are real ones, each
drawing on a terminal of 160×48 that is read as fast as it writes.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import cores
from benchmarks.report import Part, Target, spread, table
from benchmarks.serving import Serving
from console.records.percentile import percentile
from console.records.read_journal import read_rows
from console.records.run_file import read_run_file
from console.vocabulary.rows import RequestRow

CONSOLES = (0, 1, 3)
RATE = 1000
CHUNKS = 16
SIZE = (48, 160)
LANES = "deployments = [" + ", ".join(f'"d{number}"' for number in range(8)) + "]"
PROFILE = """\
name = "watched"
[providers.bench]
api = "openai"
base_url = "{base_url}"
keys = {{ key0 = "env:BENCH_KEY", key1 = "env:BENCH_KEY", key2 = "env:BENCH_KEY" }}
[models.m]
provider = "bench"
class = "open"
{lanes}
[limits.bench.open]
fixed = {{ workers = 60 }}
"""


def run(server: Serving, *, rounds: int, seconds: float) -> Part:
    part = Part("watched")
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for shape in ("open", "closed"):
            for consoles in CONSOLES:
                found.setdefault((shape, consoles), []).append(_one(server, shape, consoles, seconds))
    for shape, text, figure in (
        ("open", f"open loop at {RATE:,} requests/s: requests sent late, p99 ms", "late_p99_ms"),
        ("closed", "closed loop, 100 at once: engine CPU µs a request", "cpu_us"),
    ):
        rows = [
            [
                str(consoles),
                spread([one["rate"] for one in found[shape, consoles]], 1),
                spread([one["late_p99_ms"] for one in found[shape, consoles]], 2) if shape == "open" else "-",
                spread([one["cpu_us"] for one in found[shape, consoles]], 0),
                spread([one["kB"] for one in found[shape, consoles]], 1),
            ]
            for consoles in CONSOLES
        ]
        part.say(f"Watched, {text}; {CHUNKS} chunks each, 24 lanes; median of {rounds} rounds in turns.")
        part.say(
            *table(
                ("consoles", "requests/s", "sent late p99 ms", "engine CPU µs/request", "kB/s drawn"), rows
            )
        )
        part.figures += [
            {"shape": shape, "consoles": consoles, "rounds": found[shape, consoles]} for consoles in CONSOLES
        ]
        alone = statistics.median(one[figure] for one in found[shape, 0])
        watched = statistics.median(one[figure] for one in found[shape, 3])
        if shape == "closed":
            part.targets.append(
                Target("watched by three: engine CPU a request, of that alone", watched / alone, 1.03, "less")
            )
        else:
            part.targets.append(
                Target("watched by three: p99 lateness added", watched - alone, 1.0, "less", "ms")
            )
    return part


def _one(server: Serving, shape: str, consoles: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder)
        base_url = server.base_url(
            chunks=CHUNKS, ttft_ms=50 if shape == "open" else 0, itl_ms=5 if shape == "open" else 0
        )
        profile = home / "watched.toml"
        profile.write_text(PROFILE.format(base_url=base_url, lanes=LANES))
        load = ["--request-rate", str(RATE), "--num-prompts", str(int(RATE * seconds))]
        if shape == "closed":
            load = ["--max-concurrency", "100", "--num-prompts", str(int(3000 * seconds))]
        server.begin()
        environment = {**os.environ, "XDG_STATE_HOME": folder, "BENCH_KEY": "none", "TERM": "xterm-256color"}
        words = ["capacity", "run", "--profile", str(profile), "--model", "m", *load]
        words += ["--random-input-len", "16", "--random-output-len", str(CHUNKS), "--detach", "--json"]
        said = _console(words, environment, cores()[0])
        run_dir = Path(json.loads(said.splitlines()[0])["run_dir"])
        started = time.monotonic()
        drawn = [stack.enter_context(_attached(run_dir, environment)) for _ in range(consoles)]
        engine, cpu_s = read_run_file(run_dir).pid, 0.0
        while _is_live(run_dir):
            cpu_s = _cpu_s(engine) or cpu_s
            time.sleep(0.05)
        took_s = time.monotonic() - started
        rows = [row for row in read_rows(run_dir) if isinstance(row, RequestRow)]
        late = [(row.at_ns - row.due_ns) / 1e6 for row in rows if row.due_ns is not None]
        span_ns = max(row.at_ns + (row.total_ns or 0) for row in rows) - min(row.at_ns for row in rows)
        if sum(row.outcome == "ok" for row in rows) < len(rows):
            raise RuntimeError("the bench server did not answer all requests")
        return {
            "rate": len(rows) / (span_ns / 1e9),
            "late_p99_ms": percentile(late, 99) if late else 0.0,
            "cpu_us": 1e6 * cpu_s / len(rows),
            "kB": sum(total[0] for total in drawn) / 1000 / took_s if drawn else 0.0,
        }


def _console(words: list[str], environment: dict[str, str], core: int) -> str:
    """Run a command of ours on `core`; what it starts stays there."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "console", *words]
    return subprocess.run(
        command, env=environment, capture_output=True, check=True, text=True, timeout=60
    ).stdout


def _cpu_s(pid: int) -> float | None:
    """Return the CPU seconds of a process; None: it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_live(run_dir: Path) -> bool:
    from console.records.run_lock import is_live

    return is_live(run_dir)


@contextmanager
def _attached(run_dir: Path, environment: dict[str, str]) -> Generator[list[int]]:
    """Attach a console on a terminal of its own; yields how many bytes it has written so far."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    command = ["taskset", "-c", str(cores()[1]), sys.executable, "-m", "console", "attach", str(run_dir)]
    process: subprocess.Popen[Any] = subprocess.Popen(
        command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    written, over = [0], threading.Event()

    def drain() -> None:
        while not over.is_set():
            if select.select([master], [], [], 0.1)[0]:
                try:
                    written[0] += len(os.read(master, 65536))
                except OSError:
                    return

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        yield written
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        over.set()
        reader.join()
        os.close(master)
