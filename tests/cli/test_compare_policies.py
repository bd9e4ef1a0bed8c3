"""`plan --compare-policies` as people and scripts use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from commands import ultra_here

from console.records.text_table import cells
from console.rehearsal.compare import Comparison

CONTENTION = ("plan", "--profile", "phase-analysis", "--phase", "5.2", "--num-instances", "2")

INTERRUPTED = """
import os, signal
from console.cli import main, rehearse as command
from console.rehearsal import rehearse
rehearse.TOLD_EVERY_S = 0.0
sent = []
def tell(self, progress, name=""):
    if name == "serial" and progress.done > 60 and not sent:
        sent.append(1)
        os.kill(os.getpid(), signal.SIGINT)
command.ProgressLine.tell = tell
main(["plan", "--phase", "5.2", "--num-instances", "1", "--compare-policies"])
"""


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said on the way every ten seconds is said on a busy machine, and not on another."""
    monkeypatch.setattr("console.cli.rehearse._ELSEWHERE_EVERY_S", float("inf"))


def compared(*argv: str) -> tuple[int, Comparison]:
    code, out, err = ultra_here("plan", *argv, "--json")
    assert (err, out.count("\n")) == ("", 1)
    return code, msgspec.json.decode(out, type=Comparison)


def left_behind() -> list[Path]:
    return [path for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*") if path.is_file()]


def test_the_comparison_fits_a_terminal_and_says_which_to_choose_and_why():
    code, out, err = ultra_here(*CONTENTION, "--compare-policies")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[0].startswith("Plans side by side (SIMULATED)")
    assert [line.split()[0] for line in lines[2:6]] == ["as-is", "serial", "batches-of-3", "key-pool"]
    chosen = [line.split()[0] for line in lines[2:6] if " * " in line]
    sentence = " ".join(out.rsplit("\n\n", 1)[1].split())
    assert len(chosen) == 1
    assert sentence.startswith(f"choose {chosen[0]}: ")
    assert "the quickest that breaks nothing; as-is takes" in sentence
    assert sentence.endswith("with 2 models on a key at once")
    assert not left_behind()


def test_json_is_one_line_with_every_plan():
    code, comparison = compared(*CONTENTION[1:], "--compare-policies=serial,key-pool,serial")
    assert code == 0
    assert [one.name for one in comparison.plans] == ["serial", "key-pool"]
    assert comparison.simulated
    for one in comparison.plans:
        assert (one.rehearsal.planned, one.rehearsal.unanswered) == (100, 0)
        assert {load.models_at_once for load in one.rehearsal.keys} == {1}
    assert comparison.choose == "key-pool"
    assert comparison.why.startswith("choose key-pool: ")


def test_what_the_plan_refuses_is_listed_with_its_reason():
    wanted = ("--phase", "5.2", "--num-instances", "1", "--ultra-parallel", "--compare-policies")
    code, comparison = compared(*wanted)
    assert code == 0
    assert [one.name for one in comparison.plans] == ["as-is", "key-pool"]
    assert [one.name for one in comparison.refused] == ["serial", "batches-of-3"]
    assert "puts everything side by side, and policy serial does not" in comparison.refused[0].reason
    _, out, _ = ultra_here("plan", *wanted)
    assert "refused: batches-of-3: --ultra-parallel puts everything side by side" in out


def test_phases_with_groups_are_compared_under_the_policies_of_groups_as_well():
    wanted = (
        "--profile",
        "corrected-0824",
        "--phase",
        "5.3",
        "--num-instances",
        "1",
        "--model",
        "qwen2.5-3b-instruct",
    )
    code, comparison = compared(*wanted, "--compare-policies")
    assert code == 0
    names = [one.name for one in comparison.plans]
    assert names == ["as-is", "serial", "batches-of-3", "key-pool", "groups-spread", "groups-serial"]
    played = comparison.plans[0].rehearsal
    assert (played.planned, played.unanswered) == (35, 0)


def test_a_policy_that_the_phase_has_itself_is_among_them(tmp_path: Path):
    phase = tmp_path / "own.toml"
    phase.write_text(
        'id = "own"\nmodels = ["kimi-k2", "gpt-4o-mini"]\ninstances = 1\n[order]\npolicy = "batches-of-2"\n'
    )
    _, comparison = compared("--phase", str(phase), "--compare-policies")
    assert [one.name for one in comparison.plans][-1] == "batches-of-2"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--compare-policies=quickly",), "--compare-policies: 'quickly' is not as-is, serial"),
        (("--compare-policies=batches-of-0",), "N is a whole number ≥ 1"),
        (("--compare-policies=",), "an option names nothing"),
        (("--policy", "serial", "--compare-policies"), "--policy with --compare-policies"),
        (("--ultra-parallel", "--compare-policies=serial"), "puts everything side by side"),
        (("--model", "nobody", "--compare-policies"), "no model 'nobody'"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(argv, said):
    code, out, err = ultra_here(*CONTENTION, *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_strict_leaves_with_4_where_the_one_to_choose_has_warnings():
    wanted = ("--phase", "5.2", "--num-instances", "1", "--strict")
    code, comparison = compared("--profile", "corrected-0824", *wanted, "--compare-policies")
    warned = {one.name: one.warnings for one in comparison.plans}
    assert (code, warned[comparison.choose]) == (0, ())
    code, comparison = compared("--profile", "phase-analysis", *wanted, "--compare-policies=as-is")
    assert code == 4
    assert "shared-key" in comparison.plans[0].warnings


def test_tests_that_would_remain_are_exit_code_3():
    code, comparison = compared(
        *("--model", "kimi-k2", "--num-instances", "1", "--compare-policies=serial,as-is"),
        *("--set", "providers.ideallab.sim.error_rate=1.0"),
    )
    assert code == 3
    assert "every policy breaks something" in comparison.why
    assert "5 tests without an answer" in comparison.why


def test_ctrl_c_says_how_far_it_came():
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 130, process.stderr
    assert "interrupted: 1 of 4 policies compared; serial was rehearsed to 0:" in process.stderr
    assert "Traceback" not in process.stderr
    assert "choose" not in process.stdout
