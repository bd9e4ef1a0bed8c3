"""`ultra-console plan` as a user types it."""

from __future__ import annotations

import msgspec
import pytest

from console.cli import main
from console.profile.table import cells
from console.records.last_latency import last_latency
from console.records.run_file import RunFile, write_run_file


def plan(capsys, *argv):
    with pytest.raises(SystemExit) as left:
        main(["plan", *argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return int(left.value.code or 0), out.splitlines(), err


@pytest.mark.parametrize("phase", ["5.1", "5.2", "5.2-key-pool", "5.3", "5.1-5.3"])
@pytest.mark.parametrize("profile", ["ultra-0827", "phase-analysis", "summary-0819", "repaired", "sim"])
def test_a_plan_fits_eighty_columns(capsys, profile, phase):
    code, out, _ = plan(capsys, "--profile", profile, "--phase", phase, "--ultra-parallel")
    assert code == 0
    assert [line for line in out if cells(line) > 80 and not line.startswith("  cure")] == []
    assert any(line.startswith("expected to take ") for line in out)


def test_the_contention_case_is_shown_with_its_figures_warnings_and_cures(capsys):
    code, out, _ = plan(capsys, "--profile", "phase-analysis", "--phase", "5.2", "--strict")
    text = "\n".join(out)
    assert code == 4
    assert " 4  qwen2.5-7b-instruct very_easy     100  key0  +15 s" in out
    assert "ideallab/key0     4        4     4   3.9   0.46    8     10  80%" in out
    assert "warning [shared-key] key ideallab/key1: 4 jobs of 2 ideallab/open models at once" in out
    assert "  cure: one job a key at a time: --policy key-pool" in out
    assert "expected to take 1 h 25 min, if an answer takes 8.4 s at ideallab" in text


def test_strict_is_content_with_plan_c(capsys):
    code, out, _ = plan(
        capsys, "--profile", "corrected-0824", "--phase", "5.2", "--policy", "key-pool", "--strict"
    )
    assert code == 0
    assert not [line for line in out if line.startswith("warning")]
    assert " 1  qwen2.5-72b-instruct very_easy    100  1 of 3  at once" in out


def test_a_warning_is_said_once(capsys):
    _, out, _ = plan(capsys, "--profile", "ultra-0827", "--phase", "5.2-batches")
    assert sum("key2 is off" in line for line in out) == 1


def test_json_has_the_plan_and_its_preflight_a_line_each(capsys):
    code, out, _ = plan(capsys, "--profile", "phase-analysis", "--phase", "5.2", "--latency", "2", "--json")
    assert code == 0
    planned, ahead = (msgspec.json.decode(line) for line in out)
    assert planned["title"] == "5.2"
    assert ahead["type"] == "preflight"
    assert set(ahead["latency_s"].values()) == {2}
    assert {one["code"] for one in ahead["findings"]} >= {"shared-key", "oversubscribed"}
    (key0,) = [load for load in ahead["loads"] if load["name"] == "ideallab/key0"]
    assert 100 < len(key0["curve"]["in_flight"]) <= 240
    assert key0["nominal"]["per_s"] == 8


@pytest.mark.parametrize("wrong", ["0", "-1", "much"])
def test_a_latency_is_a_number_over_nothing(capsys, wrong):
    code, out, err = plan(capsys, "--phase", "5.2", "--latency", wrong)
    assert (code, out) == (2, [])
    assert "--latency" in err


def test_what_answers_took_in_the_last_run_of_the_profile_is_taken(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    home = tmp_path / "ultra-console" / "runs"
    lane = "ideallab/qwen2.5-72b-instruct@key0"

    def ran(name, profile, lanes):
        (home / name).mkdir(parents=True)
        write_run_file(home / name, RunFile(run_id=name, title="x", profile=profile, created="", pid=1))
        (home / name / "summary.json").write_bytes(msgspec.json.encode({"per_lane": lanes}))

    ran("20260101-1-x", "corrected-0824", [{"name": lane, "e2e": {"n": 9, "mean_ms": 4200.0}}])
    ran("20260102-1-x", "corrected-0824", [{"name": lane, "e2e": {"n": 2, "mean_ms": 1.0}}])
    ran("20260103-1-x", "sim", [{"name": lane, "e2e": {"n": 9, "mean_ms": 1.0}}])
    found = last_latency(home, "corrected-0824")
    assert found is not None
    assert (found.run_id, found.seconds) == ("20260101-1-x", {lane: 4.2})
    assert last_latency(home, "repaired") is None
    _, out, _ = plan(capsys, "--profile", "corrected-0824", "--phase", "5.2")
    assert "4.2 to 8.4 s at ideallab (as in 20260101-1-x" in "\n".join(out).replace("\n  ", " ")
