"""Whoever reads, or no longer does: the run and its exit code are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commands import LONGEST_S, rows_written

RUN = "-m console run --model qwen2.5-7b-instruct --num-instances 1 --out"


OPENED = """
import os, sys
from console.cli.saying import open_standard_streams
open_standard_streams()
print("out")
print("err", file=sys.stderr)
sys.exit(os.open("/dev/null", os.O_RDONLY))
"""


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&-"])
def test_nothing_takes_the_place_of_a_stream_that_was_closed(closed):
    command = ["bash", "-c", f'"$@" {closed}', "bash", sys.executable, "-c", OPENED]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_S
    )
    assert done.returncode > 2, done.stderr
    assert done.stdout == ("" if closed == "1>&-" else "out\n")
    assert done.stderr == ("" if closed == "2>&-" else "err\n")


@pytest.mark.parametrize("redirect", ["1>&- 2>&- 0<&-", ">/dev/full", "2>/dev/full", "--json | true"])
def test_a_run_ends_as_it_should_without_a_reader(tmp_path: Path, redirect):
    # stdout and stderr as a shell leaves them; the code is that of the program, also in front of a pipe
    command = f"{sys.executable} {RUN} {tmp_path} {redirect}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=LONGEST_S)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert rows_written(tmp_path, "run_ended") == 1


def test_arguments_that_are_no_utf8_are_refused(tmp_path: Path):
    command = [sys.executable, "-m", "console", "run", "--phase", "5.1", "--out", b"/tmp/\xff"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=LONGEST_S)
    assert done.returncode == 2
    assert b"is not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr
