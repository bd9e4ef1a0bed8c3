from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from click.testing import CliRunner, Result
from made_rows import LANE, ended, judged, make_run, request, started, write_level

from console.cli import root
from console.records.run_dir import hold_run_lock, list_runs, runs_home
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Outcome, Verdict


def call(*args: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(root, args, input=answer, standalone_mode=False)


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def names() -> list[str]:
    return [info.run_id for info in list_runs()]


def test_summary_prints_the_newest_run_and_writes_its_files() -> None:
    make_run([], "old", created=days_ago(3))
    run_dir = make_run(
        [started(), request(0, simulated=True), judged(0), ended(1, 1)], "new", created=days_ago(1)
    )
    done = call("summary")
    assert done.exception is None
    assert done.return_value == 0
    assert "Run new · 5.1 · profile sim · SIMULATED" in done.stdout
    assert str(run_dir) in done.stderr
    assert (run_dir / "summary.json").exists()


def test_summary_leaves_3_where_something_is_left() -> None:
    infra = judged(0, Verdict.INFRASTRUCTURE, score=None)
    make_run([started(), request(0), infra, ended(1, 0)], "infra")
    make_run([started(), judged(0), ended(2, 1, "interrupted")], "interrupted")
    make_run([started(), judged(0)], "killed")
    for run_id in ("infra", "interrupted", "killed"):
        assert call("summary", run_id).return_value == 3
    assert "PARTIAL" in call("summary", "killed").stdout


def test_summary_leaves_3_where_prompts_were_not_answered() -> None:
    rows = [request(0, test="prompt/0"), request(1, test="prompt/1", outcome=Outcome.CONNECTION)]
    write_level(make_run([started(), *rows, ended(2, 1)], "some", title="capacity"), 2)
    write_level(make_run([started(), rows[0], ended(1, 1)], "all", title="capacity"), 1)
    assert call("summary", "some").return_value == 3
    assert "without an answer: connection 1" in call("summary", "some").stdout
    assert call("summary", "all").return_value == 0


def test_wide_summaries_cut_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = "a-model-with-a-name-that-is-much-too-long-for-one-hundred-and-twenty-columns" * 2
    lane = msgspec.structs.replace(LANE, model=name, deployment=name)
    make_run([started(), request(0, lane=lane), judged(0, lane=lane), ended(1, 1)])
    assert name not in call("summary").stdout
    assert call("summary", "--wide").stdout.count(name) == 4, "tests, speed, latency, lanes"


def test_summary_of_a_live_run_says_so_far() -> None:
    run_dir = make_run([started(), judged(0)])
    with hold_run_lock(run_dir):
        done = call("summary", str(run_dir))
    assert "live · 1 of 1 tests done" in done.stdout
    assert "figures so far" in done.stdout


def test_summary_as_json_is_one_line_and_nothing_else() -> None:
    make_run([started(), request(0), judged(0), ended(1, 1)])
    done = call("summary", "--json")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["type"], found["done"]) == ("summary", 1)


def test_summary_keeps_the_storage_that_the_run_was_started_with() -> None:
    run_dir = make_run([started(), request(0), judged(0), ended(1, 1)], storage="json")
    call("summary")
    assert (run_dir / "requests.jsonl").exists()
    assert not (run_dir / "requests.parquet").exists()


def test_summary_of_no_run_is_an_error_in_words() -> None:
    done = call("summary", "nothing")
    assert isinstance(done.exception, ConsoleError)
    assert done.exception.exit_code == 2


def test_runs_says_what_to_do_first_and_makes_nothing() -> None:
    done = call("runs")
    assert "no runs in" in done.stdout
    assert "ultra-console run" in done.stdout
    assert not runs_home(create=False).exists()
    assert call("runs", "--json").stdout == ""


def test_runs_lists_the_newest_first() -> None:
    make_run([started(), judged(0), ended(1, 1)], "old", created=days_ago(2), simulated=True)
    make_run([started(), judged(0)], "new", created=days_ago(1))
    lines = call("runs").stdout.splitlines()
    assert lines[0].split() == ["run", "state", "done", "what", "started", "profile"]
    assert lines[1].split()[:5] == ["new", "partial", "1", "of", "?"]
    assert lines[2].split()[:6] == ["old", "finished", "1", "of", "1", "SIM"]
    found = [json.loads(line) for line in call("runs", "--json").stdout.splitlines()]
    assert [(one["run_id"], one["state"]) for one in found] == [("new", "partial"), ("old", "finished")]


@pytest.mark.parametrize("columns", ["20", "80", "100", "200"])
def test_ids_in_the_list_of_runs_are_never_cut(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    ids = [f"20261120-23150{n}-a-phase-of-a-very-long-name-that-goes-on-{n}-sim" for n in range(3)]
    for run_id in ids:
        make_run([started(), ended(100, 99, "interrupted")], run_id, simulated=True)
    assert [line.split()[0] for line in call("runs").stdout.splitlines()[1:]] == ids[::-1]


def test_narrow_lists_of_runs_drop_the_profile_first_and_then_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_run([started(), judged(), ended(1, 1)], "20261120-231507-5.1-sim", title="5.1")
    for columns, head in (
        ("100", ["run", "state", "done", "what", "started", "profile"]),
        ("70", ["run", "state", "done", "what", "started"]),
        ("60", ["run", "state", "done", "what"]),
    ):
        monkeypatch.setenv("COLUMNS", columns)
        lines = call("runs").stdout.splitlines()
        assert lines[0].split() == head
        assert all(len(line) <= int(columns) for line in lines)


def test_capacity_runs_are_listed_with_model_and_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run_dir = make_run([started(), ended(30, 30)], "20261121-040227-capacity-ad-hoc", title="capacity")
    write_level(run_dir, 30)
    assert call("runs").stdout.splitlines()[1].split()[-3:] == ["m1", "C=10", "rate=inf"]
    assert "title     capacity m1 C=10 rate=inf" in call("runs", "show").stdout
    assert json.loads(call("runs", "--json").stdout)["level"] == "m1 C=10 rate=inf"


def test_a_run_is_marked_simulated_by_its_end_or_its_first_answers() -> None:
    first = request(0, simulated=True)
    make_run([started(), judged(0), msgspec.structs.replace(ended(1, 1), simulated=True)], "end")
    make_run([started(), first], "killed")
    make_run([started(), first, judged(0), ended(1, 1)], "without-the-flag")
    make_run([started(), request(0, error=',"simulated":true'), judged(0), ended(1, 1)], "real")
    live = make_run([started(), first], "live")
    with hold_run_lock(live):
        found = {info.run_id: info.simulated for info in list_runs()}
    assert found == {"end": True, "killed": True, "without-the-flag": True, "live": True, "real": False}
    assert "SIMULATED" in call("runs", "show", "end").stdout
    assert "SIMULATED" not in call("runs", "show", "real").stdout


def test_show_tells_what_was_asked() -> None:
    run_dir = make_run([started(), ended(1, 1)], "r", phases=["5.1"], args=["run", "--phase", "5.1"])
    text = call("runs", "show", "r").stdout
    assert "command   ultra-console run --phase 5.1" in text
    assert str(run_dir) in text
    found = json.loads(call("runs", "show", "--json").stdout)
    assert found["run_file"]["phases"] == ["5.1"]
    assert found["state"] == "finished"


def test_prune_asks_first_and_never_takes_a_live_run() -> None:
    for number in range(5):
        make_run([started()], f"run-{number}", created=days_ago(5 - number))
    with hold_run_lock(runs_home() / "run-0"):
        refused = call("runs", "prune", "--keep", "2", answer="n\n")
        assert "run-1" in refused.stdout
        assert len(names()) == 5
        done = call("runs", "prune", "--keep", "2", answer="y\n")
    assert "removed 2 of 5 runs" in done.stdout
    assert names() == ["run-4", "run-3", "run-0"]


def test_prune_by_age_with_yes() -> None:
    make_run([], "old", created=days_ago(10))
    make_run([], "young", created=days_ago(1))
    make_run([], "ageless", created="when?")
    done = call("runs", "prune", "--older-than", "5", "--yes")
    assert done.exception is None
    assert sorted(names()) == ["ageless", "young"]
    assert "nothing to remove" in call("runs", "prune", "--older-than", "5", "--yes").stdout


def test_prune_finishes_a_removal_that_was_cut_short() -> None:
    run_dir = make_run([], "r")
    run_dir.rename(run_dir.with_name(".pruned-r"))
    call("runs", "prune", "--keep", "1")
    assert os.listdir(runs_home()) == []


@pytest.mark.parametrize("options", [(), ("--keep", "1", "--older-than", "1")])
def test_prune_wants_exactly_one_rule(options: tuple[str, ...]) -> None:
    make_run([], "r")
    done = call("runs", "prune", "--yes", *options)
    assert isinstance(done.exception, ConsoleError)
    assert names() == ["r"]
