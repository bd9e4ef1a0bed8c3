"""The bench server as the benchmarks see it: a process on the other core, asked over its own URLs."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from benchmarks.machine import wait_for_calm
from benchmarks.scripts import script_name
from benchmarks.server import Logged, Stats


class Serving:
    """A running bench server."""

    def __init__(self, port: int, patience_s: float = 0.0) -> None:
        self._patience_s = patience_s
        self.url = f"http://127.0.0.1:{port}"

    def base_url(
        self,
        *,
        chunks: int,
        ttft_ms: float = 0,
        itl_ms: float = 0,
        at_once: bool = False,
        log: bool = False,
    ) -> str:
        """Return the base URL, up to and with `/v1`, under which requests are answered so."""
        name = script_name(chunks=chunks, ttft_ms=ttft_ms, itl_ms=itl_ms, at_once=at_once, log=log)
        return f"{self.url}/{name}/v1"

    def begin(self) -> Stats:
        """Wait for a calm machine as long as was asked for, and look before a window."""
        wait_for_calm(self._patience_s)
        return self.stats()

    def stats(self) -> Stats:
        return msgspec.json.decode(self._fetch("/stats"), type=Stats)

    def take_log(self) -> list[Logged]:
        """Return what was logged since the last call."""
        return msgspec.json.decode(self._fetch("/log"), type=list[Logged])

    def _fetch(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path) as answer:  # loopback, ours
            return answer.read()


class Busy(msgspec.Struct):
    """Shares of the server's core between two looks."""

    server: float
    others: float


def busy_between(before: Stats, after: Stats) -> Busy:
    """Return how much of its core the server used, and how much others did."""
    seconds = (after.now_ns - before.now_ns) / 1e9
    return Busy((after.cpu_s - before.cpu_s) / seconds, max(after.others_s - before.others_s, 0.0) / seconds)


@contextmanager
def serving(core: int | None = None, *, patience_s: float = 0.0) -> Generator[Serving]:
    """Run a bench server on `core`; it ends with this process at the latest."""
    command = [sys.executable, "-m", "benchmarks.server", *([] if core is None else [str(core)])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the bench server did not start")
        try:
            yield Serving(int(line), patience_s)
        finally:
            process.stdin.close()
