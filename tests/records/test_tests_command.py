from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from made_rows import MS, add_rows, add_traces, ended, judged, make_run, marks, started, trace, write_plan

from console.cli import root
from console.records import run_tests
from console.records.run_dir import hold_run_lock
from console.records.text_table import cells
from console.vocabulary.chat import ToolCall
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane
from console.vocabulary.marks import ErrorClass, OriginalMarks
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import Row
from console.vocabulary.trace import Said

LONG = "DeepSeek-V3-0324/flawed_sequence_disorder@light/very_easy/0.8/multi_stage_pipeline/12"

LISTED = """\
Tests of r (SIMULATED): 6 of 6 tests with a result
test                       verdict         score  turns  error
DeepSeek-V3-0324/flawed_sequence_disorder@light/very_easy/0.8
  multi_stage_pipeline/12  partial         0.600      9  max_turns
m1/optimal/easy/0.8
  simple_task/1            full            1.000      4  -
  simple_task/2            full            1.000      4  -
  simple_task/3            full            1.000      4  -
  simple_task/11           failure         0.410      6  parameter_config
  simple_task/12           infrastructure    n/a      0  -
"""

SHOWN = """\
m1/optimal/easy/0.8/simple_task/11 (SIMULATED)
verdict   failure, score 0.410 (goal)
          partial, workflow 0.610, phase2 0.720, quality 0.430 (original)
error     parameter_config
attempt   2 of 2, on azure/m1-a@key0
size      6 turns, 7 requests, 12.3 s
marks     goal not reached, finished, conditions 75.0%, coverage 50.0%, order
          25.0%, efficiency 100.0%, recovery 50.0%
calls     7 made, 4 needed, 3 failed (2 by chance), 1 format error, help on the
          format in 1 turn
detail    never sent the sum

attempt 2: failure, counts

prompt
  user:
    Ticket simple_task/1

turn 1
  assistant, reasoning:
    which tool?
  assistant:
    I read it.
  assistant calls file_reader:
    {"path": "in/orders.csv"}
  file_reader failed, arguments: FILE_NOT_FOUND:
    no such file

attempt 1: infrastructure, does not count

prompt
  user:
    Ticket simple_task/1
"""


def call(*args: str) -> Result:
    return CliRunner().invoke(root, args, standalone_mode=False)


def rows() -> list[Row]:
    failing = marks(
        goal_reached=False,
        conditions=0.75,
        coverage=0.5,
        order=0.25,
        recovery=0.5,
        calls=7,
        needed_calls=4,
        failed_calls=3,
        chance_failures=2,
        format_errors=1,
        assisted_turns=1,
        error_class=ErrorClass.PARAMETER_CONFIG,
        original=OriginalMarks(workflow=0.61, phase2=0.72, quality=0.43, verdict=Verdict.PARTIAL),
    )
    tired = marks(goal_reached=False, error_class=ErrorClass.MAX_TURNS)
    lane = Lane("lab", "DeepSeek-V3-0324", "DeepSeek-V3-0324-2", "key0")
    return [
        started(),
        judged(12, Verdict.INFRASTRUCTURE, score=None),
        judged(
            11,
            Verdict.FAILURE,
            score=0.41,
            turns=6,
            requests=7,
            detail="never sent the sum",
            marks=failing,
            attempt=2,
            duration_ns=12_300 * MS,
        ),
        *(judged(number, turns=4) for number in (3, 2, 1)),
        judged(0, Verdict.PARTIAL, test=LONG, lane=lane, score=0.6, turns=9, marks=tired),
        ended(6, 5),
    ]


@pytest.fixture
def run_dir() -> Path:
    made = make_run(rows(), traces="full", simulated=True)
    first = trace(11, Verdict.INFRASTRUCTURE, said=trace().said[:1])
    add_traces(made, first, trace(11, Verdict.FAILURE, attempt=2), trace(1))
    return made


def listed(*args: str) -> list[str]:
    return [json.loads(line)["test"] for line in call("tests", "--json", *args).stdout.splitlines()]


def test_tests_are_listed_by_id_and_ids_are_never_cut(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call("tests").stdout.splitlines() == LISTED.splitlines()
    monkeypatch.setenv("COLUMNS", "200")
    wide = call("tests").stdout
    assert f"{LONG}  partial" in wide
    assert "lab/DeepSeek-V3-0324-2@key0" in wide
    assert wide == call("tests", "--wide").stdout


def test_filters_narrow_the_list(run_dir: Path) -> None:
    m1 = "m1/optimal/easy/0.8/simple_task"
    assert listed() == [LONG, *(f"{m1}/{number}" for number in (1, 2, 3, 11, 12))]
    assert listed("--failed") == [f"{m1}/11"]
    assert listed("--not-full") == [LONG, f"{m1}/11", f"{m1}/12"]
    assert listed("--verdict", "infrastructure", "--failed") == [f"{m1}/11", f"{m1}/12"]
    assert listed("--class", "max_turns") == [LONG]
    assert listed("--model", "m1", "--not-full") == [f"{m1}/11", f"{m1}/12"]
    assert listed("--prompt-types", "cot,flawed_sequence_disorder@light") == [LONG]
    assert listed("--task-types", "simple_task", "--limit", "2") == [f"{m1}/1", f"{m1}/2"]
    assert listed("--class", "timeout") == []
    assert listed("--difficulty", "very_easy", "--tool-success-rate", "0.80") == [LONG]
    assert listed("--prompt-types", "flawed_sequence_disorder@mild") == [LONG], "another word for light"


def test_a_filter_that_no_test_can_pass_says_what_there_is(run_dir: Path) -> None:
    done = call("tests", "--model", "m1,m2")
    assert done.stderr.splitlines() == ["no test here has model 'm2': there are DeepSeek-V3-0324, m1"]
    assert done.stdout.splitlines()[0].endswith("5 of 6 tests with a result")
    assert "there are 0.8" in call("tests", "--tool-success-rate", "0.5").stderr


def test_what_a_limit_leaves_out_is_counted(run_dir: Path) -> None:
    assert call("tests", "--limit", "4").stdout.splitlines()[-1] == "… and 2 more"
    assert call("tests", "--failed").stdout.splitlines()[0].endswith("1 of 6 tests with a result")


def test_one_test_in_full_in_eighty_columns(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call("tests", "--show", "task/11").stdout.splitlines() == SHOWN.splitlines()


def test_an_id_its_end_or_a_part_of_it_means_a_test(run_dir: Path) -> None:
    for ref in (LONG, "pipeline/12", "sequence"):
        assert call("tests", "--show", ref).stdout.splitlines()[0].startswith("DeepSeek"), ref
    # The end of one is meant before a part of several.
    assert "simple_task/1 (SIM" in call("tests", "--show", "task/1").stdout


def test_what_means_several_tests_or_none_is_an_error_that_names_them(run_dir: Path) -> None:
    several = call("tests", "--show", "12").exception
    assert isinstance(several, ConsoleError)
    assert (several.exit_code, several.message) == (2, "'12' is part of 2 ids")
    assert several.hint is not None
    assert LONG in several.hint
    none = call("tests", "--show", "\x1b[31m").exception
    assert isinstance(none, ConsoleError)
    assert "\x1b" not in none.message
    write_plan(run_dir, m1=[1, 40])
    assert "no result yet" in str(call("tests", "--show", "task/40").exception)
    assert call("tests", "--failed", "--show", "12").exception is not None, "filters hold here too"


def test_json_of_one_test_has_its_traces(run_dir: Path) -> None:
    (line,) = call("tests", "--show", "task/11", "--json").stdout.splitlines()
    found = json.loads(line)
    assert (found["type"], found["verdict"]) == ("test", "failure")
    assert [one["verdict"] for one in found["traces"]] == ["infrastructure", "failure"]


def test_hostile_text_is_made_safe() -> None:
    said = (
        Said(turn=0, role="us\x1b]0;x\x07er", content="\x1b[2J" + "订" * 60),
        Said(turn=1, role="assistant", calls=(ToolCall("c", "to\nol\x1b[1m", "{\x9b1m}"),)),
        Said(turn=1, role="tool", tool="a\x1b[A", content="\u202eevil", failed="x\x07: y"),
    )
    run_dir = make_run([started(), judged(1, detail="\x1b[5mblink"), ended(1, 1)], traces="full")
    add_traces(run_dir, trace(1, said=said))
    text = call("tests", "--show", "task/1").stdout
    assert not any(char in text for char in "\x1b\x07\x9b\u202e")
    assert all(cells(line) <= 100 for line in text.splitlines())


def test_a_run_without_traces_says_so() -> None:
    make_run([started(), judged(1), ended(1, 1)])
    assert "note: this run kept nothing of what was said" in call("tests", "--show", "task/1").stdout


def test_a_run_with_hashes_says_so_and_shows_them() -> None:
    run_dir = make_run([started(), judged(1), ended(1, 1)], traces="hashes")
    add_traces(run_dir, trace(1), content=False)
    text = " ".join(call("tests", "--show", "task/1").stdout.split())
    assert "note: the run was started with --no-content" in text
    assert "assistant: <10 characters, blake2b" in text


def test_a_result_of_another_run_says_where_it_was_played() -> None:
    make_run([started(), judged(1, reused_from="before"), ended(1, 1)], traces="full")
    text = call("tests", "--show", "task/1").stdout
    assert "reused    from before" in text
    assert "what was said is in run before" in text


def test_a_damaged_trace_is_told_beside_what_is_there(run_dir: Path) -> None:
    segment = run_dir / "traces" / "00-0001.jsonl"
    segment.write_bytes(segment.read_bytes()[:-40])
    done = call("tests", "--show", "task/1")
    assert "nothing that was said in this test is in the traces" in done.stdout
    assert "traces/00-0001.jsonl:3 is not read: cut after" in done.stderr


def test_a_live_run_is_listed_as_far_as_it_is() -> None:
    run_dir = make_run([started(), judged(1)], traces="full")
    with hold_run_lock(run_dir):
        assert listed() == [judged(1).test]
        add_rows(run_dir, [judged(2)], process=1)
        assert listed() == [judged(1).test, judged(2).test]
        assert "PARTIAL: the run is live" in call("tests").stderr


@pytest.mark.parametrize("storage", ["parquet", "json"])
def test_tables_are_made_once_and_anew_where_they_are_stale(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = make_run(rows(), storage=storage)
    made: list[Path] = []

    def summarise(run_dir: Path, **options: object) -> object:
        made.append(run_dir)
        return original(run_dir, **options)

    original = run_tests.summarise
    monkeypatch.setattr(run_tests, "summarise", summarise)
    first = run_tests.load_tests(run_dir).table
    again = run_tests.load_tests(run_dir).table
    assert len(made) == 1
    assert first.equals(again)
    assert first.schema == again.schema
    add_rows(run_dir, [started(), judged(40), ended(7, 6)])
    assert run_tests.load_tests(run_dir).table.height == 7
    assert len(made) == 2
    if storage == "parquet":  # of a version that knew no marks
        table = pl.read_parquet(run_dir / "tests.parquet").drop("coverage")
        table.write_parquet(run_dir / "tests.parquet")
    else:
        os.truncate(run_dir / "tests.jsonl", 100)
    assert run_tests.load_tests(run_dir).table["coverage"].count() == 2
    assert len(made) == 3


def test_a_run_without_tests_lists_none() -> None:
    make_run([started(), ended(0, 0)], storage="json")
    assert call("tests").stdout == "Tests of r: 0 of 0 tests with a result\n"
    assert call("tests").stdout == "Tests of r: 0 of 0 tests with a result\n"
    assert call("tests", "--json").stdout == ""
