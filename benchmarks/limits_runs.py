"""Real programs before a server that logs: the simulator in a process of its own, and `ultra-console` as users start it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from console.records.read_journal import read_rows
from console.sim.config import SimConfig, config_to_json
from console.sim.http_server import base_url
from console.sim.ledger import Arrival, Delivery, ServerStats
from console.vocabulary.rows import RequestRow, RunStarted
from console.vocabulary.simulated import SimBehaviour

PROVIDER = "lab"
_LONGEST_S = 60.0


class ServerLog(msgspec.Struct):
    """What the simulator saw, on the clock of our journals."""

    arrivals: list[Arrival]
    deliveries: list[Delivery]

    def spans_ns(self, deployment: str | None = None) -> list[tuple[int, int]]:
        """Return from when to when each answered request was with the server."""
        ends = {one.request_id: one.sent_ns[-1] for one in self.deliveries if one.sent_ns}
        return [
            (one.at_ns, ends[one.request_id])
            for one in self.arrivals
            if one.request_id in ends and deployment in (None, one.deployment)
        ]


class Logging:
    """A simulator that keeps a log."""

    def __init__(self, config: SimConfig, port: int) -> None:
        self._port = port
        self.urls = {name: base_url(config, name, port) for name in config.providers}

    def log(self) -> ServerLog:
        return msgspec.json.decode(self._fetch("/__log"), type=ServerLog)

    def stats(self) -> ServerStats:
        return msgspec.json.decode(self._fetch("/__stats"), type=ServerStats)

    def _fetch(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}") as answer:  # loopback, ours
            return answer.read()


@contextmanager
def logging_simulator(**providers: SimBehaviour) -> Generator[Logging]:
    """Run a simulator of `providers`; it ends with this process at the latest."""
    config = SimConfig(seed=1, providers=providers, log=True)
    command = [sys.executable, "-m", "console", "simulator", "--config-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(config_to_json(config) + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the simulator did not start")
        try:
            yield Logging(config, msgspec.json.decode(line)["listening"])
        finally:
            process.stdin.close()


def ultra(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `ultra-console ARGUMENTS`, which shares limits in `folder`; what it says goes to a file there."""
    folder.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "LAB_KEY_0": "made-up",
        "ULTRA_CONSOLE_SHARE_DIR": str(folder / "share"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "console", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment,
        )


def write_profile(folder: Path, url: str, deployments: int, *limits: str) -> Path:
    """Write a profile of one model on one key, with these lines of limits."""
    names = ", ".join(f'"d{number}"' for number in range(1, deployments + 1))
    text = [
        'name = "limits"',
        f"[providers.{PROVIDER}]",
        'api = "openai"',
        f'base_url = "{url}"',
        'keys = { key0 = "env:LAB_KEY_0" }',
        *(line for line in limits if line.startswith("limits")),
        "[models.m]",
        f'provider = "{PROVIDER}"',
        'class = "open"',
        f"deployments = [{names}]",
        f"[limits.{PROVIDER}.open]",
        *(line for line in limits if not line.startswith("limits")),
    ]
    path = folder / "limits.toml"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def sent_ns(run_dir: Path) -> dict[str, list[int]]:
    """Return by deployment when each request of a run left, on CLOCK_MONOTONIC, as its journal has it."""
    start_ns: int | None = None
    found: dict[str, list[int]] = {}
    for row in read_rows(run_dir):
        if isinstance(row, RunStarted):
            start_ns = row.start_ns
        elif isinstance(row, RequestRow) and row.total_ns is not None:  # else nothing was sent
            if start_ns is None:
                raise RuntimeError(f"{run_dir} does not say where its clock starts")
            found.setdefault(row.lane.deployment, []).append(start_ns + row.at_ns)
    return found


def all_sent_ns(run_dir: Path) -> list[int]:
    """Return when each request of a run left."""
    return sorted(time_ns for times in sent_ns(run_dir).values() for time_ns in times)


def rows_written(out: Path) -> int:
    """Count the requests in the journals below `out`."""
    return sum(path.read_bytes().count(b'"type":"request"') for path in out.glob("*/journal/*.jsonl"))


def until_sending(processes: Mapping[Path, subprocess.Popen[bytes]]) -> None:
    """Wait until all of these runs, by their `--out`, have had an answer."""
    deadline = time.monotonic() + _LONGEST_S
    while not all(rows_written(out) for out in processes):
        ended = [process for process in processes.values() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            raise RuntimeError("a run did not begin to send")
        time.sleep(0.05)


def only_run(out: Path) -> Path:
    """Return the one run directory in `out`."""
    (run_dir,) = [path for path in out.iterdir() if path.is_dir()]
    return run_dir
