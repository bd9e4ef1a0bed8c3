"""A client that is kept busy says so at the end of a real run over real sockets; one that is not does not.

The narrator runs on the engine's loop, so one that sleeps there is what a client too busy to read looks like.
Lateness is only ever bounded from below, or far from above: the machine under a test may be busy itself.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result
from commands import Simulator, only_run

from console.cli import root
from console.cli.narrate import Narrator
from console.vocabulary.client_health import SEVERITY

BLOCK_S = 0.15


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def narrate(self, look) -> None:
        while True:
            time.sleep(BLOCK_S)  # noqa: ASYNC251 - the loop is blocked on purpose
            await anyio.sleep(0.02)

    monkeypatch.setattr(Narrator, "narrate", narrate)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(root, arguments, standalone_mode=False)


def run(out: Path, *, ttft_ms: int, instances: int) -> Result:
    return call(
        "run", "--model", "qwen2.5-7b-instruct", "--num-instances", str(instances), "--out", str(out),
        "--set", f"providers.ideallab.sim.ttft_ms={ttft_ms}",
    )  # fmt: skip


@pytest.mark.usefixtures("busy")
def test_a_run_whose_loop_was_blocked_ends_invalid_with_the_figure(tmp_path: Path):
    done = run(tmp_path, ttft_ms=200, instances=4)  # more than twice the probes that a verdict needs
    assert done.return_value == 0, done.output  # its verdicts on models stand; its latencies do not
    found = json.loads((only_run(tmp_path) / "summary.json").read_text())["client"]
    assert found["verdict"] == "client_bound", found
    assert found["read_delay_p99_ms"] >= 0.5 * BLOCK_S * 1000
    assert "> 10 % of TTFT p50 (" in found["reason"]
    assert "Latency per model (SIMULATED, INVALID: client-bound)" in done.stdout
    assert "\nINVALID: client-bound: " in done.stderr
    again = call("summary", str(only_run(tmp_path)))
    assert "client: INVALID: client-bound" in again.stdout  # the journal says it, not the process that ran


def test_a_run_that_nobody_disturbs_is_measured_and_not_invalid(tmp_path: Path):
    # 10 % of two seconds: a machine that is late by that much in every hundredth read does not finish this suite.
    done = run(tmp_path, ttft_ms=2000, instances=1)
    assert done.return_value == 0, done.output
    found = json.loads((only_run(tmp_path) / "summary.json").read_text())["client"]
    assert SEVERITY["valid"] <= SEVERITY[found["verdict"]] < SEVERITY["client_bound"], found
    assert found["samples"] >= 130
    assert found["cpu_share"] > 0
    assert "INVALID" not in done.output


@pytest.mark.usefixtures("busy")
def test_a_level_whose_loop_was_blocked_is_no_answer(tmp_path: Path):
    with Simulator("--ttft-ms", "100", "--itl-ms", "1") as simulator:
        done = call(
            "capacity", "run", "--base-url", simulator.url, "--model", "any", "--max-concurrency", "4",
            "--num-prompts", "48", "--random-input-len", "8", "--random-output-len", "4", "--out", str(tmp_path),
        )  # fmt: skip
    assert done.return_value == 3, done.output
    found = json.loads((only_run(tmp_path) / "level.json").read_text())["ultra"]["client"]
    assert found["verdict"] == "client_bound", found
    assert "Client:                                  INVALID: client-bound" in done.stdout
    assert "note: client: INVALID: client-bound" in call("capacity", "show", str(only_run(tmp_path))).stdout
