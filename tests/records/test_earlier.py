"""What of a run may stand for tests of another, and that rows which are taken over count as nothing played."""

from __future__ import annotations

import msgspec
import polars as pl
import pytest
from made_rows import S, add_rows, ended, judged, make_run, request, started, write_level, write_plan

from console.records.earlier import read_earlier
from console.records.run_list import run_info
from console.records.summary import summarise
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import Verdict


def with_plan(run_dir, **fields):
    plan = {"title": "5.1", "seed": 3, "jobs": [], **fields}
    (run_dir / "plan.json").write_bytes(msgspec.json.encode(plan))
    return run_dir


def test_only_tests_with_a_verdict_stand_and_the_first_one_does():
    rows = [
        started(),
        judged(1, Verdict.INFRASTRUCTURE, score=None),
        judged(1, Verdict.PARTIAL, attempt=2),
        judged(1, Verdict.FULL, attempt=3),
        judged(2, Verdict.CANCELLED, score=None),
        judged(3, Verdict.FAILURE),
    ]
    earlier = read_earlier(with_plan(make_run(rows)))
    found = {test[-1]: row.verdict for test, row in earlier.rows.items()}
    assert found == {"1": Verdict.PARTIAL, "3": Verdict.FAILURE}


def test_what_decided_results_is_read_from_the_plan_and_an_old_plan_does_not_say():
    said = {"library": "1", "protocols": {"m1": "text"}, "scoring": {"default": "goal"}}
    new = read_earlier(with_plan(make_run(run_id="new"), **said))
    assert (new.run_id, new.seed, new.library) == ("new", 3, "1")
    assert (new.protocols, new.scoring) == ({"m1": "text"}, {"default": "goal"})
    old = read_earlier(with_plan(make_run(run_id="old")))
    assert (old.library, old.protocols, old.scoring) == ("", {}, {})


def test_a_provider_is_simulated_by_the_profile_or_by_what_it_answered():
    record = {"providers": {"lab": {"api": "sim"}, "azure": {"api": "openai"}, "other": {"api": "azure"}}}
    rows = [started(), *(request(number, simulated=True) for number in range(3))]
    earlier = read_earlier(with_plan(make_run(rows, profile_record=record)))
    assert earlier.simulated == {"lab", "azure"}


def test_what_a_run_took_over_itself_was_simulated_where_its_own_profile_simulates_the_model():
    """The provider of such a row is one of another profile, which this one need not have."""
    for api, simulated in (("sim", True), ("openai", False)):
        record = {"providers": {"mine": {"api": api}}, "models": {"m1": {"provider": "mine"}}}
        taken = judged(1, reused_from="first")
        run_dir = with_plan(make_run([started(), taken], run_id=api, profile_record=record))
        earlier = read_earlier(run_dir)
        assert taken.lane.provider not in record["providers"]
        assert [earlier.was_simulated(row) for row in earlier.rows.values()] == [simulated]


def test_damaged_lines_are_passed_over():
    run_dir = with_plan(make_run([started(), judged(1), judged(2), judged(3)]))
    (segment,) = (run_dir / "journal").iterdir()
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"full"', b'"FULL"')
    segment.write_bytes(b"".join(lines)[:-20])
    assert [test[-1] for test in read_earlier(run_dir).rows] == ["1"]


def test_what_is_no_run_of_phases_is_told():
    with pytest.raises(ConsoleError, match="is no run of phases"):
        read_earlier(write_level(make_run(run_id="level"), 8))
    with pytest.raises(ConsoleError, match="No such file"):
        read_earlier(make_run(run_id="bare"))


def taken(number):
    return judged(number, Verdict.FAILURE, reused_from="first", at_ns=0, duration_ns=3600 * S)


def test_results_that_are_taken_over_are_in_the_table_and_in_no_count():
    rows = [started(), taken(7), taken(8), request(1), judged(1), ended(2, 1)]
    run_dir = write_plan(make_run(rows), m1=[1, 2])
    summary = summarise(run_dir)
    assert (summary.planned, summary.done, summary.not_run) == (2, 1, 1)
    assert summary.reused == {"first": 2}
    assert (summary.verdicts["full"], summary.verdicts["failure"]) == (1, 0)
    assert (summary.overall.tests.tests, summary.overall.tests.success_rate) == (1, 1.0)
    assert summary.duration_s < 60
    assert (
        "2 results are taken over from run first: they are in the table of tests, and in no figure here"
        in summary.notes
    )
    table = pl.read_parquet(run_dir / "tests.parquet")
    assert table["reused_from"].to_list() == ["first", "first", None]


def test_a_list_of_runs_counts_what_was_played():
    run_dir = write_plan(make_run([started(), taken(7), judged(1)]), m1=[1, 2])
    info = run_info(run_dir)
    assert (info.state, info.done, info.planned) == ("partial", 1, 2)


def test_a_result_taken_over_is_simulated_where_the_profile_says_so_of_its_provider():
    record = {"providers": {"azure": {"api": "sim"}}}
    run_dir = write_plan(make_run([started(), taken(7)], profile_record=record), m1=[])
    add_rows(run_dir, [started(), taken(8), ended(0, 0)], process=1)
    summarise(run_dir)
    assert pl.read_parquet(run_dir / "tests.parquet")["simulated"].to_list() == [True, True]
