"""An adaptive run as a user starts it leaves what it found to the next one and to the profile, however it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from commands import Simulator, end, rows_written, start, ultra, ultra_here, until, write_profile

CANARY = "sk-canary-0123456789abcdef"
CAP = ("--key-concurrency", "1", "--ttft-ms", "1000", "--itl-ms", "1", "--retry-after", "none")


def adaptive(profile: Path, out: Path, instances: int, *more: str) -> list[str]:
    return [
        "run", "--profile", str(profile), "--phase", "5.1", "--num-instances", str(instances), "--rate-mode",
        "adaptive", "--set", "limits.lab.open.adaptive.workers=50", "--set", "retries.attempts=30", "--out", str(out), "--task-types", "simple_task", *more,
    ]  # fmt: skip


def test_what_an_interrupted_run_found_is_there_for_the_next_and_for_the_profile(
    tmp_path: Path, clean_environment: Path
):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with Simulator(*CAP) as simulator:
        profile = write_profile(tmp_path, simulator.url)
        code, out, _ = ultra_here("profile", "learnt", str(profile))
        assert code == 0
        assert "nothing is known" in out
        assert "--rate-mode adaptive" in out
        process = start(*adaptive(profile, first, 100), LAB_KEY_0=CANARY)
        until(lambda: rows_written(first, "limit") > 1, "a limit that was met")
        process.send_signal(signal.SIGTERM)
        code, out, err = end(process)
        assert code == 130, err
        assert "found: lab/small@key0" in err
        assert f"ultra-console profile learnt {profile}" in err
        code, out, err = ultra(*adaptive(profile, second, 1, "--processes", "2"), LAB_KEY_0=CANARY)
        assert code == 0, err
        assert "note: lab/small@key0 begins at" in err
    kept = clean_environment / "state" / "ultra-console" / "learnt.json"
    assert CANARY not in kept.read_text()
    lanes = json.loads(kept.read_text())["lanes"]
    assert [entry["base_url"] for entry in lanes.values()] == [simulator.url]
    code, out, err = ultra_here("profile", "learnt", str(profile), "--json")  # no key is needed for that
    assert code == 0, err
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["type"] for record in records] == ["learnt", "offer"]
    window = records[0]["in_flight"]
    assert window >= 1
    assert records[1]["set"] == {"limits.lab.open.fixed.workers": window}
    code, out, err = ultra_here("profile", "show", str(profile), "--json", *records[1]["flags"].split())
    assert code == 0, err
    assert json.loads(out.splitlines()[1])["limits"]["workers"] == window


def test_of_its_own_simulator_nothing_is_kept(tmp_path: Path, clean_environment: Path):
    code, _, err = ultra(
        "run", "--model", "qwen2.5-7b-instruct", "--num-instances", "6", "--task-types", "simple_task", "--rate-mode", "adaptive", "--out",
        str(tmp_path), "--set", "providers.ideallab.sim.key_concurrency=1", "--set",
        "providers.ideallab.sim.ttft_ms=1000", "--set", "limits.ideallab.open.adaptive.workers=20",
    )  # fmt: skip
    assert code == 0, err
    assert "found: ideallab/" in err
    assert "own simulator: nothing of it is kept" in err
    assert not (clean_environment / "state" / "ultra-console" / "learnt.json").exists()
    assert "are simulated" in ultra_here("profile", "learnt", "sim")[1]


def test_a_state_directory_that_takes_nothing_harms_no_run(tmp_path: Path, clean_environment: Path):
    state = clean_environment / "state"
    state.mkdir()
    (state / "ultra-console").write_text("in the way")
    with Simulator(*CAP) as simulator:
        profile = write_profile(tmp_path, simulator.url)
        code, _, err = ultra(*adaptive(profile, tmp_path, 2), LAB_KEY_0=CANARY)
    assert code == 0, err
    assert err.count("is not kept for the next run") == 2  # while it ran, and at its end
