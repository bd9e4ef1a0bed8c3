"""`run --rehearse` as people and scripts use it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from commands import ultra, ultra_here

from console.cli.rehearse import ProgressLine
from console.rehearsal.rehearse import Progress
from console.rehearsal.report import Rehearsal

QUICK = ("run", "--rehearse", "--phase", "5.1", "--num-instances", "1")

INTERRUPTED = """
import os, signal
from console.cli import main, rehearse as command
from console.rehearsal import rehearse
rehearse.TOLD_EVERY_S = 0.0
sent = []
def tell(self, progress):
    if progress.done == 20 and not sent:
        sent.append(1)
        os.kill(os.getpid(), signal.SIGINT)
command.ProgressLine.tell = tell
main(["run", "--rehearse", "--phase", "5.1"])
"""


def left_behind() -> list[Path]:
    return [path for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*") if path.is_file()]


def test_the_report_fits_a_terminal_and_says_that_it_is_simulated():
    code, out, err = ultra_here(*QUICK, "--profile", "corrected-0824")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("SIMULATED: rehearsal of 5.1 under profile corrected-0824 (fixed), seed 0")
    forecast = next(line for line in lines if line.startswith("forecast: "))
    assert " min " in forecast
    assert "if started now" in forecast
    assert max(map(len, lines)) <= 80
    for wanted in (
        "azure/key0",
        "ideallab/key2",
        "azure/DeepSeek-V3-0324-3",
        "guessed in the profile: TTFT 900 ms",
    ):
        assert wanted in out
    assert out.count("SIMULATED") == 5
    assert not left_behind()


def test_json_is_one_line_and_the_same_whatever_the_hash_seed():
    outs = []
    for hash_seed in ("1", "2"):
        code, out, err = ultra(*QUICK, "--json", PYTHONHASHSEED=hash_seed)
        assert (code, err, out.count("\n")) == (0, "", 1)
        outs.append(out)
    assert outs[0] == outs[1]
    rehearsal = msgspec.json.decode(outs[0], type=Rehearsal)
    assert (rehearsal.planned, rehearsal.answered, rehearsal.simulated) == (40, 40, True)
    assert not left_behind()


@pytest.mark.parametrize(
    ("flags", "flag"),
    [(("--detach",), "--detach"), (("--run-id", "x"), "--run-id"), (("--out", "here"), "--out")],
)
def test_what_only_a_run_can_do_is_refused(tmp_path: Path, flags, flag):
    code, out, err = ultra_here(*QUICK, *flags, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert f"--rehearse with {flag}: a rehearsal leaves nothing behind" in err
    assert not list(tmp_path.iterdir())


def test_several_processes_make_no_difference_and_that_is_said():
    code, out, err = ultra_here(*QUICK, "--processes", "3")
    assert code == 0
    assert "a rehearsal takes one process" in err
    assert "forecast" in out


def test_tests_that_would_remain_are_exit_code_3():
    code, out, err = ultra_here(
        *QUICK, "--model", "gpt-4o-mini", "--set", "providers.azure.sim.error_rate=1.0"
    )  # fmt: skip
    assert code == 3
    assert "5 tests: 0 answered, 5 remain without an answer" in out
    assert "5 of 5 tests would remain without an answer" in err


def test_the_rehearsal_of_a_simulated_run_plays_what_the_run_plays(tmp_path: Path):
    wanted = ("--phase", "5.1", "--model", "gpt-4o-mini,gpt-5-mini", "--num-instances", "4", "--json")
    code, out, _ = ultra("run", *wanted, "--out", str(tmp_path))
    assert code == 0
    summary = msgspec.json.decode(out.splitlines()[-1])
    _, out, _ = ultra_here("run", "--rehearse", *wanted)
    rehearsal = msgspec.json.decode(out, type=Rehearsal)
    wanted_verdicts = {name: count for name, count in summary["verdicts"].items() if count}
    assert (rehearsal.verdicts, rehearsal.requests) == (wanted_verdicts, summary["outcomes"])
    assert summary["planned"] == rehearsal.planned == 40


def test_ctrl_c_says_what_was_reached():
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 130, process.stderr
    assert "interrupted: the rehearsal reached 0:0" in process.stderr
    assert "of 800 tests answered" in process.stderr
    assert "Traceback" not in process.stderr
    assert "forecast: " not in process.stdout


def test_trio_is_loaded_by_nothing_but_a_rehearsal():
    code = "import sys, console.cli.run, console.run; print('trio' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool, gone: bool = False) -> None:
        super().__init__()
        self._terminal, self._gone = terminal, gone

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        if self._gone:
            raise BrokenPipeError
        return super().write(text)


def at(wall_s: float, done: int = 50) -> Progress:
    return Progress(virtual_s=3725, done=done, planned=200, wall_s=wall_s)


def test_progress_on_a_terminal_is_one_line_drawn_again_and_taken_away():
    stream = Stream(terminal=True)
    line = ProgressLine(stream)
    for wall_s in (0.5, 2.0, 2.25):
        line.tell(at(wall_s))
    line.end()
    drawn = "\r\x1b[Krehearsing 0:02 · 50/200 25% · 1:02:05 into the run · eta 0:0"
    assert stream.getvalue() == f"{drawn}6{drawn}7\r\x1b[K"


def test_progress_of_several_says_which_one():
    stream = Stream(terminal=True)
    ProgressLine(stream).tell(at(2.0), "key-pool")
    assert "rehearsing key-pool 0:02 · 50/200 25%" in stream.getvalue()


def test_flawed_prompts_are_rehearsed_turn_by_turn():
    code, out, _ = ultra_here(
        "run", "--rehearse", "--phase", "5.3", "--num-instances", "1", "--model", "kimi-k2"
    )
    assert code == 0
    assert "35 tests: 35 answered" in out


def test_progress_elsewhere_is_a_line_in_ten_seconds():
    stream = Stream(terminal=False)
    line = ProgressLine(stream)
    for wall_s in (9.0, 10.0, 11.0, 19.0, 20.0):
        line.tell(at(wall_s, done=0))
    line.end()
    assert [text.split(" · ")[0] for text in stream.getvalue().splitlines()] == [
        "rehearsing 0:10",
        "rehearsing 0:20",
    ]
    assert stream.getvalue().endswith("eta ?\n")


def test_nobody_need_read_the_progress():
    line = ProgressLine(Stream(terminal=True, gone=True))
    line.tell(at(2.0))
    line.tell(at(3.0))
