from __future__ import annotations

import random
from itertools import groupby
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import MS, judged, marks
from seeds import examples

from console.records.columns import TESTS, entry_of, frame
from console.records.hierarchy import ALL, hierarchy
from console.records.intervals import wilson
from console.records.scored import AXES, ERRORS, FIGURES, scored
from console.vocabulary.marks import ErrorClass, OriginalMarks
from console.vocabulary.outcome import TERMINAL, Verdict
from console.vocabulary.rows import TestRow


def table(*rows: TestRow) -> pl.DataFrame:
    """The table of tests, without going through a journal."""
    entries = [entry_of("journal/00-0001.jsonl", line, 0, 0, row) for line, row in enumerate(rows, start=1)]
    return frame(TESTS, entries)


def original(verdict: Verdict, phase2: float = 0.5) -> OriginalMarks:
    return OriginalMarks(workflow=0.4, phase2=phase2, quality=0.3, verdict=verdict)


def of_level(found: pl.DataFrame, *path: str) -> dict[str, Any]:
    values = (*path, *[ALL] * (len(AXES) - len(path)))
    (row,) = [row for row in found.to_dicts() if tuple(row[axis] for axis in AXES) == values]
    return row


def test_figures_of_a_few_tests_by_hand() -> None:
    rows = [
        judged(
            1,
            marks=marks(original=original(Verdict.FULL, 0.9)),
            turns=4,
            duration_ns=3000 * MS,
            held_ns=1000 * MS,
            prompt_tokens=900,
            completion_tokens=60,
        ),
        judged(
            2,
            Verdict.PARTIAL,
            score=0.6,
            turns=8,
            prompt_tokens=1500,
            completion_tokens=90,
            marks=marks(coverage=0.5, calls=9, error_class=ErrorClass.MAX_TURNS, assisted_turns=2),
        ),
        judged(
            3, Verdict.FAILURE, score=0.2, marks=marks(coverage=0.0, error_class=ErrorClass.TIMEOUT, calls=0)
        ),
        judged(4, Verdict.INFRASTRUCTURE, score=None, duration_ns=900_000 * MS, prompt_tokens=10**6),
        judged(5, Verdict.CANCELLED, score=None),
        judged(6, marks=marks(assisted_turns=1), reused_from="before"),
    ]
    row = of_level(hierarchy(scored(table(*rows), "goal")), "m1", "optimal", "0.8", "easy", "simple_task")
    assert {
        name: row[name] for name in ("total", "success", "full_success", "partial_success", "failed")
    } == {
        "total": 4,
        "success": 3,
        "full_success": 2,
        "partial_success": 1,
        "failed": 1,
    }
    assert (row["infrastructure"], row["cancelled"], row["unscored"], row["reused"]) == (1, 1, 0, 1)
    assert (row["success_rate"], row["full_success_rate"], row["failure_rate"]) == (0.75, 0.5, 0.25)
    assert (row["success_rate_low"], row["success_rate_high"]) == wilson(3, 4)
    assert row["weighted_success_score"] == pytest.approx(2.5 / 4)
    assert row["avg_execution_time_s"] == pytest.approx((2 + 1 + 1 + 1) / 4), "without what was held"
    assert row["avg_turns"] == 3.0
    assert (row["avg_prompt_tokens"], row["avg_completion_tokens"]) == (1200, 75), (
        "of those whose server counts"
    )
    assert row["avg_tool_calls"] == pytest.approx((3 + 9 + 0 + 3) / 4)
    assert row["tool_coverage_rate"] == pytest.approx(2.5 / 4)
    assert row["avg_final_score"] == pytest.approx(2.8 / 4)
    assert (row["avg_workflow_score"], row["avg_phase2_score"]) == (0.4, 0.9), "of those that have them"
    assert row["final_score_low"] is None, "four scores are too few"
    assert (row["total_errors"], row["max_turns_errors"], row["timeout_errors"]) == (2, 1, 1)
    assert (row["max_turns_error_rate"], row["format_error_rate"]) == (0.5, 0.0)
    assert (row["tests_with_assistance"], row["assisted_success"], row["assisted_failure"]) == (2, 2, 0)
    assert (row["total_assisted_turns"], row["avg_assisted_turns"]) == (3, 1.5)
    assert (row["assisted_success_rate"], row["assistance_rate"]) == (1.0, 0.5)
    assert row["unaided_full_rate"] == 0.25


def test_the_original_preset_judges_by_its_own_verdicts() -> None:
    rows = [
        judged(1, Verdict.FAILURE, score=0.1, marks=marks(original=original(Verdict.FULL, 0.9))),
        judged(2, Verdict.FULL, marks=marks(original=original(Verdict.PARTIAL, 0.5))),
        judged(3, Verdict.FULL),
        judged(4, Verdict.INFRASTRUCTURE, score=None),
    ]
    tests = table(*rows)
    goal = of_level(hierarchy(scored(tests, "goal")), "m1")
    assert (goal["full_success"], goal["failed"], goal["unscored"], goal["infrastructure"]) == (2, 1, 0, 1)
    row = of_level(hierarchy(scored(tests, "original")), "m1")
    assert (row["total"], row["full_success"], row["partial_success"], row["failed"]) == (2, 1, 1, 0)
    assert (row["unscored"], row["infrastructure"]) == (1, 1)
    assert row["avg_final_score"] == pytest.approx(0.7)


def test_without_marks_there_are_no_error_counts() -> None:
    row = of_level(hierarchy(scored(table(judged(1), judged(2, Verdict.FAILURE, score=0.0)), "goal")), "m1")
    assert (row["total"], row["without_marks"]) == (2, 2)
    assert {row[name] for name in ["total_errors", *ERRORS.values(), "tests_with_assistance"]} == {None}
    assert row["unaided_full_rate"] is None
    assert row["avg_final_score"] == 0.5


def test_infrastructure_alone_has_no_rate() -> None:
    row = of_level(hierarchy(scored(table(judged(1, Verdict.INFRASTRUCTURE, score=None)), "goal")), "m1")
    assert (row["total"], row["infrastructure"]) == (0, 1)
    rates = [name for name in FIGURES if name.endswith(("_rate", "_low", "_high")) or name.startswith("avg")]
    assert {row[name] for name in rates} == {None}


def test_no_tests_have_no_rows_and_what_is_no_test_id_is_left_out() -> None:
    assert hierarchy(scored(table(), "goal")).columns == [*AXES, "level", *FIGURES]
    assert hierarchy(scored(table(judged(0, test="prompt/1")), "goal")).is_empty()


def test_levels_come_before_what_is_below_them_in_the_order_of_their_names() -> None:
    ids = [
        "b/cot/easy/0.5/basic_task/1",
        "b/flawed_missing_step@light/easy/0.8/simple_task/1",
        "b/cot/easy/0.9/basic_task/1",
        "b/cot/easy/0.9/simple_task/1",
        "b/cot/very_easy/0.9/simple_task/1",
        "a/optimal/easy/1/simple_task/1",
    ]
    rows = [judged(0, test=test, lane=lane_of(test)) for test in ids]
    found = hierarchy(scored(table(*rows), "goal"), models=("b",))
    paths = ["/".join(row[axis] for axis in AXES if row[axis] != ALL) for row in found.to_dicts()]
    assert paths == [
        "b",
        "b/cot",
        "b/cot/0.9",
        "b/cot/0.9/very_easy",
        "b/cot/0.9/very_easy/simple_task",
        "b/cot/0.9/easy",
        "b/cot/0.9/easy/simple_task",
        "b/cot/0.9/easy/basic_task",
        "b/cot/0.5",
        "b/cot/0.5/easy",
        "b/cot/0.5/easy/basic_task",
        "b/flawed_missing_step@light",
        "b/flawed_missing_step@light/0.8",
        "b/flawed_missing_step@light/0.8/easy",
        "b/flawed_missing_step@light/0.8/easy/simple_task",
        "a",
        "a/optimal",
        "a/optimal/1",
        "a/optimal/1/easy",
        "a/optimal/1/easy/simple_task",
    ]
    assert found["level"].to_list()[:5] == [
        "model",
        "prompt_type",
        "tool_success_rate",
        "difficulty",
        "task_type",
    ]


def lane_of(test: str) -> Any:
    return judged(0).lane.__class__("p", test.split("/")[0], "d", "key0")


@st.composite
def some_tests(draw: st.DrawFn) -> list[TestRow]:
    rng = random.Random(draw(st.integers(0, 2**32)))
    rows: list[TestRow] = []
    for number in range(draw(st.integers(1, 40))):
        model = rng.choice("ab")
        test = (
            f"{model}/{rng.choice(['cot', 'optimal'])}/easy/{rng.choice(['0.8', '0.5'])}/basic_task/{number}"
        )
        verdict = rng.choice(list(Verdict))
        kind = None if verdict is Verdict.FULL else rng.choice(list(ErrorClass))
        played = (
            marks(error_class=kind, assisted_turns=rng.choice([0, 0, 2])) if verdict in TERMINAL else None
        )
        score = rng.random() if verdict in TERMINAL else None
        rows.append(judged(0, verdict, test=test, lane=lane_of(test), score=score, marks=played))
    return rows


@settings(deadline=None, max_examples=examples(40))
@given(rows=some_tests())
def test_every_level_is_what_a_plain_count_says(rows: list[TestRow]) -> None:
    found = hierarchy(scored(table(*rows), "goal"))

    def path(row: TestRow) -> tuple[str, ...]:
        model, prompt, difficulty, rate, task, _ = row.test.split("/")
        return (model, prompt, rate, difficulty, task)

    for depth in range(1, 6):
        groups = groupby(sorted(rows, key=lambda row: path(row)[:depth]), key=lambda row: path(row)[:depth])
        for key, members in groups:
            group = list(members)
            row = of_level(found, *key)
            done = [one for one in group if one.verdict in TERMINAL]
            full = [one for one in done if one.verdict is Verdict.FULL]
            helped = [one for one in done if one.marks is not None and one.marks.assisted_turns]
            assert row["total"] == len(done)
            assert row["full_success"] == len(full)
            assert row["infrastructure"] + row["cancelled"] == len(group) - len(done)
            assert row["full_success_rate"] == (len(full) / len(done) if done else None)
            if done:
                assert row["total_errors"] == len(done) - len(full)
                assert sum(row[name] for name in ERRORS.values()) == row["total_errors"]
                assert row["tests_with_assistance"] == len(helped)
                mean = sum(one.score or 0.0 for one in done) / len(done)
                assert row["avg_final_score"] == pytest.approx(mean)
    by_level = found.group_by("level").agg(pl.col("total").sum())
    assert by_level["total"].n_unique() == 1, "levels add up"
