"""What lies in the place of runs and is not ours, or is not a plain file, is neither written nor waited for."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from made_rows import ended, judged, make_run, request, run_file, started

from console.cli import root
from console.records.read_journal import JournalScan, Segment, begins_simulated, read_end, read_rows
from console.records.run_dir import (
    create_run_dir,
    hold_run_lock,
    is_live,
    list_runs,
    new_run_id,
    runs_home,
    write_run_file,
)
from console.records.run_list import clear_leftovers, remove_run
from console.records.summary import summarise
from console.vocabulary.errors import ConsoleError

RAW_NAME = os.fsdecode(b"x\xff")


def call(*args: str) -> Result:
    return CliRunner().invoke(root, args, standalone_mode=False)


def entries(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_prune_leaves_links_alone_and_what_they_lead_to(tmp_path: Path) -> None:
    theirs = make_run([started()], "theirs", tmp_path / "outside")
    before = entries(theirs)
    make_run([started()], "ours")
    (runs_home() / "linked").symlink_to(theirs)
    (runs_home() / "theirs").symlink_to(theirs)
    (runs_home() / ".pruned-linked").symlink_to(theirs)
    (runs_home() / ".pruned-file").write_text("precious")
    done = call("runs", "prune", "--keep", "0", "--yes")
    assert done.return_value == 0
    assert "removed 1 of 1 runs" in done.stdout
    assert call("runs", "prune", "--keep", "0", "--yes").return_value == 0
    assert entries(runs_home()) == [".pruned-file", ".pruned-linked", "linked", "theirs"]
    assert entries(theirs) == before
    for name in ("linked", "theirs"):
        with pytest.raises(ConsoleError, match="not a run"):
            remove_run(runs_home() / name)
    assert entries(theirs) == before


@pytest.mark.parametrize("text", ['title = "my notes"', "not [ toml", None])
def test_prune_lists_but_never_removes_what_is_no_run_of_ours(text: str | None) -> None:
    notes = runs_home() / "notes"
    notes.mkdir()
    if text is None:  # a run that was renamed or copied
        write_run_file(notes, run_file("another"))
    else:
        (notes / "run.toml").write_text(text)
    (notes / "thesis.txt").write_text("precious")
    make_run([started()], "ours")
    assert {info.run_id for info in list_runs()} == {"notes", "ours"}
    done = call("runs", "prune", "--keep", "0", "--yes")
    assert "removed 1 of 1 runs" in done.stdout
    assert "left alone" in done.stderr
    assert "notes" in done.stderr
    with pytest.raises(ConsoleError, match="not a run"):
        remove_run(notes)
    assert entries(notes) == ["run.toml", "thesis.txt"]


def test_leftovers_in_a_place_that_does_not_exist_are_none(tmp_path: Path) -> None:
    clear_leftovers(tmp_path / "nowhere")


def test_a_lock_is_never_written_through_a_link(tmp_path: Path) -> None:
    foreign, run_dir = tmp_path / "foreign", tmp_path / "run"
    foreign.mkdir()
    run_dir.mkdir()
    (foreign / "file").write_text("precious")
    (tmp_path / "link").symlink_to(foreign)
    (run_dir / ".lock").symlink_to(foreign / "file")
    for place in (tmp_path / "link", run_dir):
        with pytest.raises(ConsoleError, match="cannot be made"), hold_run_lock(place):
            pass
        assert not is_live(place)
    assert entries(foreign) == ["file"]
    assert (foreign / "file").read_text() == "precious"


def test_a_pipe_in_the_place_of_the_lock_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".lock")
    assert not is_live(tmp_path)
    with pytest.raises(ConsoleError, match="not a regular file"), hold_run_lock(tmp_path):
        pass


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.symlink_to(path.with_name("00-0001.jsonl"))


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [pipe, link, directory])
def test_a_segment_that_is_no_regular_file_is_skipped_and_counted(make: Callable[[Path], None]) -> None:
    rows = [started(), request(0), judged(0), ended(1, 1)]
    run_dir = make_run(rows, "r")
    make(run_dir / "journal" / "00-0002.jsonl")
    scan = read_rows(run_dir)
    assert list(scan) == list(scan) == rows
    assert scan.damages.damaged == 1
    assert scan.damages.located[0].where == "journal/00-0002.jsonl"
    assert read_end(run_dir) == rows[-1]
    assert not begins_simulated(run_dir)
    notes = summarise(run_dir).notes
    assert any("journal/00-0002.jsonl: not a regular file" in note for note in notes)
    assert "finished" in call("runs", "show", "r").stdout


def test_a_pipe_that_takes_the_name_of_a_segment_later_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "00-0001.jsonl"
    os.mkfifo(path)
    with pytest.raises(ConsoleError, match="not a regular file"):
        list(JournalScan((Segment(path, 0, 1),)))


@pytest.mark.parametrize("count", [2**53 + 1, 2**63, 2**64 - 1, 10**30, -1])
def test_token_counts_that_cannot_be_are_read_as_absent_and_noted(count: int) -> None:
    names = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
    odd = [request(number, **{name: count}) for number, name in enumerate(names)]
    run_dir = make_run(
        [started(), *odd, request(9), judged(0, completion_tokens=count), judged(9), ended(2, 2)], "r"
    )
    found = summarise(run_dir)
    assert found.damages.implausible == 5
    assert found.damages.damaged == 0
    assert any("5 rows have counts of tokens" in note for note in found.notes)
    assert found.overall.requests == 5
    assert json.loads((run_dir / "summary.json").read_bytes())["damages"]["implausible"] == 5


def test_the_largest_plausible_count_is_kept() -> None:
    run_dir = make_run([started(), request(0, completion_tokens=2**53), ended(1, 1)], "r")
    assert not read_rows(run_dir).damages.any
    assert summarise(run_dir).damages.implausible == 0


def test_a_number_that_no_table_can_hold_is_said_in_words() -> None:
    run_dir = make_run([started(), request(0, at_ns=2**63), ended(1, 1)], "r")
    with pytest.raises(ConsoleError, match="the summary cannot be"):
        summarise(run_dir)


def test_an_out_directory_with_too_long_a_name_is_refused_in_words(tmp_path: Path) -> None:
    for out in (tmp_path / ("x" * 300), tmp_path / "new" / ("x" * 300), tmp_path / ("x" * 300) / "deep"):
        run_id = new_run_id(run_file().created_at, "5.1", "sim", out)
        with pytest.raises(ConsoleError, match="File name too long") as raised:
            create_run_dir(out, run_id)
        assert raised.value.exit_code == 2
    assert entries(tmp_path) == []


def test_an_out_directory_that_is_not_utf8_is_refused_and_nothing_left(tmp_path: Path) -> None:
    for out in (tmp_path / RAW_NAME, tmp_path / RAW_NAME / "deep"):
        with pytest.raises(ConsoleError, match="not UTF-8") as raised:
            create_run_dir(out, new_run_id(run_file().created_at, "5.1", "sim", out))
        assert raised.value.exit_code == 2
        assert (raised.value.where or "").startswith(str(tmp_path / "x\\xff"))
    assert entries(tmp_path) == []


def test_a_default_place_or_a_working_directory_that_is_not_utf8_is_refused_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / RAW_NAME))
    with pytest.raises(ConsoleError, match="not UTF-8"):
        create_run_dir(None, "r")
    assert entries(tmp_path) == []
    (tmp_path / RAW_NAME).mkdir()
    monkeypatch.chdir(tmp_path / RAW_NAME)
    with pytest.raises(ConsoleError, match="not UTF-8"):
        create_run_dir(Path("here"), "r")
    assert entries(tmp_path / RAW_NAME) == []


def test_an_argument_that_is_not_utf8_is_recorded_readably(tmp_path: Path) -> None:
    write_run_file(tmp_path, run_file(args=["run", RAW_NAME]))
    assert tomllib.loads((tmp_path / "run.toml").read_text("utf-8"))["args"] == ["run", "x?"]
