"""Runs the real program: in processes of its own, and where no process matters in this one."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from forked import Warm

from console.cli import COMMANDS, main

LONGEST_S = 60.0
PROGRAM = Warm(
    *("console.run", "console.run_level", "console.live_check", "console.records.summary", "uvloop", "trio"),
    *sorted({place.split(":")[0] for place, _ in COMMANDS.values()}),
)
"""What the program imports on its way, whichever command it is."""
STARTED: list[subprocess.Popen[str]] = []
"""Since the test began; whatever it leaves behind is ended after it, as what one failed test left made others fail."""


def start(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """Start `ultra-console ARGUMENTS`."""
    started = PROGRAM.start(
        ["-m", "console", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
    )
    STARTED.append(started)
    return started


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process and return exit code, stdout and stderr."""
    try:
        out, err = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end within {LONGEST_S:.0f} s\n{out}\n{err}") from None
    return process.returncode, out, err


def ultra(*arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str, str]:
    """Run `ultra-console ARGUMENTS` to its end."""
    return end(start(*arguments, cwd=cwd, **environment))


def ultra_here(*arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str, str]:
    """Run `ultra-console ARGUMENTS` in this process, which has loaded already what a new one would have to.

    For commands whose answer is all that counts: no signal, no journal, no process of their own. A traceback comes
    out as the exception it is.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    code = 0
    with (
        mock.patch.dict(os.environ, environment),
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main(list(arguments))
        except SystemExit as left:
            code = int(left.code or 0)
    return code, text(out), text(err)


def text(stream: io.TextIOWrapper) -> str:
    """Return what was written to a stream in memory."""
    stream.flush()
    stream.seek(0)
    return stream.read()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition of another process."""
    deadline = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)  # the condition is in another process: nothing here can be awaited


def only_run(out: Path) -> Path:
    """Return the one run directory in `out`."""
    (run_dir,) = [path for path in out.iterdir() if path.is_dir()]
    return run_dir


def rows_written(out: Path, kind: str) -> int:
    """Count the rows of a kind in the journals below `out`."""
    mark = f'"type":"{kind}"'.encode()
    return sum(path.read_bytes().count(mark) for path in out.glob("*/journal/*.jsonl"))


class Simulator:
    """A simulator on a free port, told apart from the one that sim profiles start."""

    def __init__(self, *flags: str) -> None:
        self._process = PROGRAM.start(
            ["-m", "console", "simulator", "--port", "0", *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "http://" in line:
                self.url = (
                    "http://" + line.split("http://", 1)[1].split()[0].split("/v1")[0].rstrip("/") + "/v1"
                )
                break

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=LONGEST_S)

    def die(self) -> None:
        """Take it down without a word."""
        self._process.kill()
        self._process.wait()


PROFILE = """\
name = "mine"
[providers.lab]
api = "openai"
base_url = "{url}"
keys = {{ key0 = "env:LAB_KEY_0" }}
[models.small]
provider = "lab"
class = "open"
[limits.lab.open]
fixed = {{ workers = {workers} }}
[retries]
attempts = {attempts}
"""


def write_profile(folder: Path, url: str, *, workers: int = 2, attempts: int = 2) -> Path:
    """Write a profile of one lane on an OpenAI-compatible server."""
    path = folder / "mine.toml"
    path.write_text(PROFILE.format(url=url, workers=workers, attempts=attempts))
    return path
