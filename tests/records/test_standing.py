"""One set of counts of a run, wherever they are shown: planned = done + failed + cancelled + not run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import LANE, S, ended, judged, make_run, request, started, write_level, write_plan
from seeds import examples

from console.records.print_summary import render_summary, standing_text
from console.records.run_dir import hold_run_lock, list_runs
from console.records.summary import summarise
from console.records.summary_tables import summary_tables
from console.records.summary_types import Summary
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import Row

REFUSED: dict[str, Any] = {
    "outcome": Outcome.CONNECTION,
    "status": None,
    "ttft_ns": None,
    "latency_ns": None,
    "chunks": 0,
    "chunk_gap_ns": (),
    "prompt_tokens": None,
    "completion_tokens": None,
}


def dead_server() -> Summary:
    """Five tests planned; three found nobody, then the lane was switched off."""
    rows: list[Row] = [started()]
    for number in range(3):
        rows += [
            request(number, **REFUSED),
            request(number, try_no=2, **REFUSED),
            judged(number, Verdict.INFRASTRUCTURE, score=None),
        ]
    return summarise(write_plan(make_run([*rows, ended(5, 0)]), m1=range(5)))


def parts(summary: Summary) -> tuple[int, int, int, int]:
    return summary.done, summary.infrastructure_failures, summary.cancelled, summary.not_run


def test_a_run_on_a_dead_server_has_one_set_of_counts() -> None:
    summary = dead_server()
    assert parts(summary) == (0, 3, 0, 2)
    assert (summary.planned, summary.remaining) == (5, 5)
    assert standing_text(summary) == "0 of 5 tests done · 3 without an answer · 2 not run"
    lines = render_summary(summary, 80).splitlines()
    assert lines[1].startswith("finished · " + standing_text(summary))
    assert lines[2:4] == [
        "  6 requests",
        "without an answer: connection 3 (never counted against any model)",
    ]
    assert "model  tests  full  partial  fail  infra  not run  success  score" in lines
    assert "m1         5     0        0     0      3        2      n/a    n/a" in lines
    assert (list_runs()[0].done, list_runs()[0].planned) == (0, 5)
    assert not any("Latency" in line for line in lines), "nothing was answered"


def test_counts_that_are_zero_are_not_said() -> None:
    assert standing_text(summarise(make_run([started(), judged(0), ended(1, 1)]))) == "1 of 1 tests done"


def test_what_a_live_run_has_not_begun_is_to_go() -> None:
    run_dir = write_plan(make_run([started(), judged(0)]), m1=range(9))
    with hold_run_lock(run_dir):
        assert standing_text(summarise(run_dir)) == "1 of 9 tests done · 8 to go"


def test_an_interrupted_run_tells_cancelled_and_not_run_apart() -> None:
    rows = [started(), judged(0), judged(1, Verdict.CANCELLED, score=None), ended(4, 1, "interrupted")]
    summary = summarise(write_plan(make_run(rows), m1=range(4)))
    assert parts(summary) == (1, 0, 1, 2)
    assert summary.partial
    assert standing_text(summary) == "1 of 4 tests done · 1 cancelled · 2 not run"


@settings(deadline=None, max_examples=examples(15))
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from(list(Verdict))), max_size=20),
    st.booleans(),
)
def test_counts_add_up_in_the_headline_and_in_every_row_of_the_table(
    tmp_path_factory: pytest.TempPathFactory, verdicts: list[tuple[bool, int, Verdict]], in_order: bool
) -> None:
    rows: list[Row] = []
    for second, number, verdict in verdicts:
        model = "m2" if second else "m1"
        lane = Lane("azure", model, model, "key0")
        rows.append(judged(number, verdict, test=f"{model}/optimal/easy/0.8/simple_task/{number}", lane=lane))
    end = [ended(10, 0)] if in_order else []
    run_dir = make_run([started(), *rows, *end], home=tmp_path_factory.mktemp("runs"))
    summary = summarise(write_plan(run_dir, m2=range(6), m1=range(6)))
    assert sum(parts(summary)) == summary.planned
    assert summary.planned == max(10 if in_order else 12, sum(summary.verdicts.values()))
    table = summary_tables(summary)[0]
    first, last = table.columns.index("full"), table.columns.index("success")
    for row in table.rows:
        assert int(row[1]) == sum(map(int, row[first:last])), row
    assert [row[0] for row in table.rows] == ["m2", "m1", "all"]
    assert int(table.rows[-1][1]) == summary.planned


def test_a_cancelled_test_has_a_column_in_narrow_tables_too() -> None:
    verdicts = [Verdict.FULL] * 16 + [Verdict.PARTIAL] * 3 + [Verdict.CANCELLED] * 3
    rows = [judged(number, verdict, score=1.0) for number, verdict in enumerate(verdicts)]
    text = render_summary(summarise(make_run([started(), *rows, ended(22, 19, "interrupted")])), 80)
    assert "model  tests  full  partial  fail  infra  cancelled  success  score" in text
    assert "m1        22    16        3     0      0          3   100.0%  1.000" in text


def test_models_stand_in_the_order_of_the_plan_and_all_of_them_last() -> None:
    lanes = {name: Lane("p", name, name, "key0") for name in ("a", "b", "c", "new")}
    rows = [request(n, lane=lanes[name], at_ns=n * S) for n, name in enumerate(["new", "c", "a"])]
    summary = summarise(write_plan(make_run([started(), *rows]), b=[0], c=[1], a=[2]))
    assert [one.name for one in summary.per_model] == ["b", "c", "a", "new"]
    tests, speed, *_ = summary_tables(summary)
    assert [row[0] for row in tests.rows] == ["b", "c", "a", "new", "all"]
    assert [row[0] for row in speed.rows] == ["c", "a", "new", "all"], "b has sent nothing"


def test_without_a_plan_models_stand_as_they_first_appeared() -> None:
    lanes = [Lane("p", name, name, "key0") for name in ("z", "y", "x", "w", "v")]
    summary = summarise(make_run([started(), *(request(n, lane=lane) for n, lane in enumerate(lanes))]))
    assert [one.name for one in summary.per_model] == ["z", "y", "x", "w", "v"]


def test_a_test_whose_last_answer_was_not_enough_is_classed_so() -> None:
    rows = [request(0), judged(0, Verdict.INFRASTRUCTURE), judged(1, Verdict.INFRASTRUCTURE)]
    assert summarise(make_run([started(), *rows])).failures == {"incomplete answer": 1, "no request": 1}


def level_rows(answered: int, refused: int) -> list[Row]:
    good = [request(n, test=f"prompt/{n}") for n in range(answered)]
    return [started(), *good, *(request(n, test=f"prompt/{n + answered}", **REFUSED) for n in range(refused))]


def test_prompts_are_counted_as_capacity_run_and_runs_count_them() -> None:
    run_dir = write_level(make_run([*level_rows(3, 4), ended(8, 3)], title="capacity"), 8)
    summary = summarise(run_dir)
    assert (summary.unit, summary.planned, *parts(summary)) == ("prompts", 8, 3, 4, 0, 1)
    assert summary.failures == {"connection": 4}
    assert summary.level == "m1 C=10 rate=inf"
    (info,) = list_runs()
    assert (info.done, info.planned, info.level) == (3, 8, "m1 C=10 rate=inf")
    text = render_summary(summary, 80)
    assert "finished · 3 of 8 prompts answered · 4 without an answer · 1 not run" in text
    assert "without an answer: connection 4\n" in text
    assert "capacity m1 C=10 rate=inf" in text


def test_a_level_that_sent_nothing_is_of_prompts_nevertheless() -> None:
    summary = summarise(write_level(make_run([started()], title="capacity"), 8))
    assert (summary.unit, summary.planned, summary.not_run) == ("prompts", 8, 8)


def test_a_killed_level_is_listed_with_its_answers() -> None:
    write_level(make_run(level_rows(3, 4), title="capacity"), 8, concurrency=None, rate=2.5)
    (info,) = list_runs()
    assert (info.state, info.done, info.planned, info.level) == ("partial", 3, 8, "m1 rate=2.5")


def test_keys_and_lanes_add_up_to_the_run_and_models_keep_their_own_rate() -> None:
    late = Lane("lab", "m2", "m2", "key1")
    rows = [request(0), request(1), request(9, lane=late)]
    summary = summarise(make_run([started(), *rows]))
    for groups in (summary.per_key, summary.per_lane, summary.per_deployment, summary.per_model):
        for name in ("request_throughput_run", "output_tokens_per_s_run", "chunks_per_s_run"):
            own = name.removesuffix("_run")
            assert sum(getattr(one, name) for one in groups) == pytest.approx(getattr(summary.overall, own))
        assert sum(one.mean_in_flight_run or 0 for one in groups) == pytest.approx(0.3)
    tables = {table.title: table for table in summary_tables(summary, lanes=True)}
    rate = tables["Load per key"].columns.index("req/s")
    assert [row[rate] for row in tables["Load per key"].rows] == ["0.20", "0.10", "0.30"]
    assert [row[rate] for row in tables["Load per lane"].rows] == ["0.20", "0.10", "0.30"]
    rate = tables["Speed per model"].columns.index("req/s")
    assert [row[rate] for row in tables["Speed per model"].rows] == ["1.00", "1.00", "0.30"]
    assert "those of keys and lanes over the whole run" in " ".join(render_summary(summary, 80).split())


def test_held_time_is_told_apart_from_the_limiter() -> None:
    held = request(1, held_ns=3 * S, limiter_wait_ns=1 * S, lane=LANE)
    summary = summarise(make_run([started(), request(0), held]))
    one = summary.overall
    assert (one.limiter_wait.total_s, one.held_wait.total_s, one.retry_wait.total_s) == (1, 3, 0)
    text = " ".join(render_summary(summary, 80).split())
    assert "limiter mean 500ms, max 1.00s, total 1.0 s; held mean 1.50s, max 3.00s, total 3.0 s" in text


@pytest.mark.parametrize(
    ("n", "columns"),
    [(1, ["mean", "min", "max"]), (11, ["mean", "p50", "max"]), (64, ["mean", "p50", "p90"])],
)
def test_few_samples_show_mean_and_extremes(n: int, columns: list[str]) -> None:
    summary = summarise(make_run([started(), *(request(number) for number in range(n))]))
    table = next(table for table in summary_tables(summary) if table.title.startswith("Latency"))
    assert list(table.columns) == [
        "model", "TTFT mean", *columns[1:], "e2e mean", *columns[1:],
    ]  # fmt: skip
    assert table.rows == (("m1", *["200ms"] * 3, *["900ms"] * 3),)


def test_lines_taken_out_of_a_journal_are_missed_wherever_the_run_is_shown() -> None:
    run_dir = make_run([started(), request(0), judged(0), request(1), judged(1), ended(5, 4)])
    summary = summarise(write_plan(run_dir, m1=range(5)))
    assert (summary.done, summary.not_run, summary.lost, summary.partial) == (2, 3, 2, True)
    assert standing_text(summary) == "2 of 5 tests done · 2 done, but lost · 1 not run"
    (info,) = list_runs()
    assert (info.done, info.lost) == (2, 2)
    printed = " ".join(render_summary(summary, 80).split())
    assert "at its end the run had 4 tests done, and rows of 2 of them are gone" in printed
