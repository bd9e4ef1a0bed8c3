"""The program as a user runs it: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import signal
import stat
from pathlib import Path

from commands import Simulator, end, only_run, rows_written, start, ultra, ultra_here, until, write_profile

from console.records.read_journal import read_rows
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow, TestRow

CANARY = "sk-canary-0123456789abcdef"
ONE_MODEL = ("--model", "qwen2.5-7b-instruct")


def test_a_selection_runs_on_the_simulator_and_says_simulated(tmp_path: Path):
    code, out, err = ultra("--no-tui", *ONE_MODEL, "--num-instances", "2", "--out", str(tmp_path))
    assert code == 0, err  # `--no-tui` is `run`
    assert "SIMULATED" in out
    assert "qwen2.5-7b-instruct" in out
    run_dir = only_run(tmp_path)
    assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
    files = {path.name for path in run_dir.iterdir() if path.is_file()}
    assert {"run.toml", "plan.json", "requests.parquet", "tests.parquet", "summary.json"} <= files
    assert not (run_dir / "control.sock").exists()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in run_dir.rglob("*") if path.is_file())
    assert json.loads((run_dir / "summary.json").read_text())["simulated"] is True


def test_json_is_the_only_thing_on_stdout_and_storage_format_json_writes_json_lines(tmp_path: Path):
    code, out, err = ultra(
        "run", *ONE_MODEL, "--num-instances", "1", "--out", str(tmp_path), "--json", STORAGE_FORMAT="json"
    )
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["type"] for line in lines][-1] == "summary"
    assert {line["type"] for line in lines[:-1]} == {"snapshot"}
    tests = [json.loads(line) for line in (only_run(tmp_path) / "tests.jsonl").read_text().splitlines()]
    assert len(tests) == 5
    assert not (only_run(tmp_path) / "tests.parquet").exists()


def test_the_key_appears_in_no_file_and_no_output(tmp_path: Path):
    with Simulator("--keys", "another") as simulator:
        profile = write_profile(tmp_path, simulator.url)
        out_dir = tmp_path / "runs"
        out_dir.mkdir()
        code, out, err = ultra(
            "run", "--profile", str(profile), "--phase", "5.1", "--num-instances", "1", "--out", str(out_dir),
            LAB_KEY_0=CANARY, DEBUG_LOG="1",
        )  # fmt: skip
    assert code == 3, err  # the key is refused: everything remains
    assert "auth" in err + out
    assert CANARY not in out + err
    for path in out_dir.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path


def test_an_engine_killed_in_the_middle_leaves_every_finished_request_in_a_journal_that_reads(tmp_path: Path):
    with Simulator("--ttft-ms", "20", "--itl-ms", "1") as simulator:
        profile = write_profile(tmp_path, simulator.url, workers=4)
        out_dir = tmp_path / "runs"
        out_dir.mkdir()
        process = start(
            "run", "--profile", str(profile), "--phase", "5.1", "--num-instances", "100", "--out", str(out_dir),
            LAB_KEY_0="any",
        )  # fmt: skip
        until(lambda: rows_written(out_dir, "test") > 40, "forty tests")
        process.kill()
        process.communicate()
    run_dir = only_run(out_dir)
    scan = read_rows(run_dir)
    rows = list(scan)
    tests = [row for row in rows if isinstance(row, TestRow)]
    answered = {row.test for row in rows if isinstance(row, RequestRow) and row.outcome is Outcome.OK}
    assert len(tests) > 40
    assert {row.test for row in tests} <= answered
    assert len(answered - {row.test for row in tests}) <= 4  # answered, and killed before their verdict
    code, out, err = ultra_here("summary", str(run_dir))
    assert code == 3, err
    assert "partial" in (out + err).lower()


def test_ctrl_c_once_drains_and_the_run_says_what_is_left(tmp_path: Path):
    process = start("run", "--phase", "5.1", "--out", str(tmp_path))
    until(lambda: rows_written(tmp_path, "test") > 5, "a few tests")
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert code == 130, err
    assert "interrupted:" in err
    cancelled = [
        row
        for row in read_rows(only_run(tmp_path))
        if isinstance(row, RequestRow) and row.outcome is Outcome.CANCELLED
    ]
    assert not cancelled


def test_ctrl_c_twice_and_sigterm_stop_at_once(tmp_path: Path):
    for name, signals in (("twice", (signal.SIGINT, signal.SIGINT)), ("term", (signal.SIGTERM,))):
        out_dir = tmp_path / name
        out_dir.mkdir()
        process = start(
            "run", "--phase", "5.1", "--out", str(out_dir), "--set", "providers.azure.sim.ttft_ms=60000"
        )
        until(lambda: rows_written(out_dir, "event") > 0, "the first job")  # noqa: B023 - called at once
        for number in signals:
            process.send_signal(number)
            until(lambda: rows_written(out_dir, "event") > 1, "the drain")  # noqa: B023
        code, _, err = end(process)
        assert code == 130, err


def test_a_detached_run_is_watched_steered_and_stopped_from_elsewhere(tmp_path: Path):
    code, out, err = ultra(
        "run", "--phase", "5.1", "--detach", "--set", "providers.azure.sim.ttft_ms=300", "--set",
        "limits.azure.open.fixed.workers=1",
    )  # fmt: skip
    assert code == 0, err
    run_id = out.split()[0]
    assert run_id in ultra_here("runs")[1]
    assert ultra("pause", run_id)[0] == 0
    assert ultra_here("pause", run_id)[0] != 0  # it is paused already
    assert ultra_here("resume", run_id)[0] == 0
    code, out, err = ultra_here("stop", run_id)
    assert code == 0, err
    code, out, err = ultra("attach", run_id, "--plain")
    assert code == 130, err
    code, out, err = ultra_here("stop", run_id)
    assert code == 2
    assert run_id in err


def test_a_server_that_is_gone_leaves_classified_failures_and_exit_three(tmp_path: Path):
    with Simulator() as simulator:
        url = simulator.url
        simulator.die()
        code, out, err = ultra(
            "capacity", "run", "--base-url", url, "--model", "m", "--max-concurrency", "2", "--num-prompts", "8",
            "--out", str(tmp_path),
        )  # fmt: skip
    assert code == 3, err
    assert "connection: 8" in out


def test_a_capacity_level_writes_vllms_result_and_prints_its_lines(tmp_path: Path):
    with Simulator("--ttft-ms", "5", "--itl-ms", "1") as simulator:
        result = tmp_path / "level.json"
        code, out, err = ultra(
            "capacity", "run", "--base-url", simulator.url, "--model", "any", "--max-concurrency", "8",
            "--request-rate", "inf", "--num-prompts", "60", "--random-input-len", "32", "--random-output-len", "16",
            "--ignore-eos", "--save-result", "--result-dir", str(tmp_path), "--result-filename", "level.json",
            "--out", str(tmp_path / "runs"),
        )  # fmt: skip
    assert code == 0, err
    assert "SIMULATED" in out
    found = json.loads(result.read_text())
    assert (found["completed"], found["total_output_tokens"]) == (60, 60 * 16)
    assert found["total_input_tokens"] == 60 * 32
    assert found["max_concurrent_requests"] == 8
    assert found["ultra"]["simulated"] is True
    throughput = next(line for line in out.splitlines() if line.startswith("Request throughput (req/s):"))
    assert float(throughput.split()[3]) > 0


def test_a_capacity_level_under_a_profile_takes_prompts_from_a_file(tmp_path: Path):
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text(
        '{"prompt": "one two three", "max_tokens": 4}\n{"messages": [{"role": "user", "content": "x"}]}\n'
    )
    code, out, err = ultra(
        "capacity", "run", "--profile", "sim", "--model", "gpt-4o-mini", "--num-prompts", "10", "--max-concurrency",
        "5", "--request-rate", "100", "--dataset", str(prompts), "--json", "--out", str(tmp_path / "runs"),
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["completed"] == 10
