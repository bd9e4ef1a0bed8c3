"""Results of one run stand for tests of another: rows of its own, in no count of what it played."""

from __future__ import annotations

import msgspec
import polars as pl
import pytest
from commands import rows_written, ultra

MODELS = ("--model", "gpt-5-mini", "--model", "gpt-4o-mini")


def run(out, name, *more):
    code, said, err = ultra("run", "--out", str(out), "--run-id", name, "--json", *MODELS, *more)
    assert code == 0, err
    (summary,) = [msgspec.json.decode(line) for line in said.splitlines() if '"type":"summary"' in line]
    return summary, pl.read_parquet(out / name / "tests.parquet"), err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_an_earlier_run_has_is_taken_over_and_counts_as_nothing_played(tmp_path, processes):
    run(tmp_path, "first", "--phase", "5.1", "--num-instances", "2")
    asked = ("--phase", "5.1,5.5", "--num-instances", "3", "--reuse", str(tmp_path / "first"))
    summary, tests, _ = run(tmp_path, "second", *asked, "--processes", processes)
    assert (summary["planned"], summary["done"], summary["reused"]) == (70, 70, {"first": 20})
    assert summary["overall"]["tests"]["tests"] == 70
    assert tests.height == 90
    assert tests.filter(pl.col("reused_from") == "first").height == 20
    assert tests["simulated"].all()
    plan = msgspec.json.decode((tmp_path / "second" / "plan.json").read_bytes())
    assert sum(len(job["tests"]) for job in plan["jobs"]) == 70
    planned = {test for job in plan["jobs"] for test in job["tests"]}
    assert planned == set(tests.filter(pl.col("reused_from").is_null())["test"])
    code, out, err = ultra("report", str(tmp_path / "second"), "--table", "5.1", "--format", "json")
    assert code == 0, err
    assert sum(one["total"] for one in msgspec.json.decode(out)["tables"][0]["rows"]) == 30, "taken ones too"
    before = pl.read_parquet(tmp_path / "first" / "tests.parquet")
    kept = ["test", "verdict", "score", "turns", "duration_ns", "provider", "key"]
    taken = tests.filter(pl.col("reused_from") == "first").select(kept)
    assert taken.sort("test").equals(before.select(kept).sort("test"))
    code, _, err = ultra("run", "--out", str(tmp_path), "--run-id", "second", *MODELS, *asked)
    assert (code, "nothing to do" in err) == (0, True)


def test_a_run_may_have_nothing_to_play_and_its_results_are_still_its_own(tmp_path):
    first, *_ = run(tmp_path, "first", "--phase", "5.1", "--num-instances", "1")
    asked = ("--phase", "5.1", "--num-instances", "1", "--reuse", str(tmp_path / "first"))
    summary, tests, _ = run(tmp_path, "second", *asked)
    assert (summary["planned"], summary["done"], summary["reused"]) == (0, 0, {"first": 10})
    assert tests.height == 10
    assert tests["simulated"].all()
    assert summary["duration_s"] < 60
    assert rows_written(tmp_path, "request") == first["overall"]["requests"]


def test_another_seed_is_another_task_and_the_run_says_that_it_plays_it(tmp_path):
    run(tmp_path, "first", "--phase", "5.1", "--num-instances", "1")
    asked = ("--phase", "5.1", "--num-instances", "1", "--seed", "1", "--reuse", str(tmp_path / "first"))
    code, out, err = ultra("run", "--out", str(tmp_path), *MODELS, *asked)
    assert code == 0
    assert "10 tests of run first are played anew: its seed is 0, and this run's 1" in err
    assert "10 of 10 tests done" in out


@pytest.mark.parametrize(
    ("reference", "said"),
    [("nowhere", "there are no runs in"), ("./nowhere", "there is no such file, so this is no run")],
)
def test_a_run_that_is_not_there_is_told_before_anything_begins(tmp_path, reference, said):
    code, _, err = ultra("plan", "--phase", "5.1", "--reuse", reference, cwd=tmp_path)
    assert code == 2
    assert said in err


def test_a_level_of_load_has_no_tests_to_take_over(tmp_path):
    code, _, _ = ultra(
        "capacity", "run", "--profile", "sim", "--model", "kimi-k2", "--max-concurrency", "1",
        "--num-prompts", "1", "--random-input-len", "8", "--random-output-len", "8", "--out", str(tmp_path),
    )  # fmt: skip
    assert code in (0, 3)
    (level,) = tmp_path.iterdir()
    code, _, err = ultra("plan", "--phase", "5.1", "--reuse", str(level))
    assert code == 2
    assert "is no run of phases, so there is no test to take from it" in err
