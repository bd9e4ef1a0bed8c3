from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from made_rows import judged, marks
from test_hierarchy import lane_of, table

from console.records.intervals import holm, mcnemar_p, paired_difference
from console.records.phase_members import PlannedPhase, PlannedRun, planned_run
from console.records.phase_tables import model_size, report_tables
from console.records.report_types import ReportTable
from console.records.scored import scored
from console.vocabulary.marks import ErrorClass
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import TestRow

Judge = Callable[[str, int], bool]


def ids(
    model: str, prompt: str = "optimal", difficulty: str = "easy", rate: str = "0.8", count: int = 12
) -> list[str]:
    return [f"{model}/{prompt}/{difficulty}/{rate}/basic_task/{number}" for number in range(1, count + 1)]


def played(tests: Iterable[str], full: Callable[[int], bool]) -> list[TestRow]:
    return [
        judged(
            0,
            Verdict.FULL if full(int(test.rpartition("/")[2])) else Verdict.FAILURE,
            test=test,
            lane=lane_of(test),
            score=1.0 if full(int(test.rpartition("/")[2])) else 0.0,
        )
        for test in tests
    ]


def tables(rows: list[TestRow], *phases: PlannedPhase) -> dict[str, ReportTable]:
    plan = PlannedRun(phases=phases, models=("m", "n"))
    return {one.name: one for one in report_tables(scored(table(*rows), "goal"), plan)}


def phase(name: str, *groups: list[str]) -> PlannedPhase:
    return PlannedPhase(name, tuple(test for group in groups for test in group))


def rows_of(one: ReportTable) -> list[dict[str, Any]]:
    return one.frame.to_dicts()


def test_two_models_are_compared_on_the_instances_of_both() -> None:
    m, n = ids("m"), ids("n", count=11)
    rows = played(m, lambda number: number > 2) + played(n, lambda number: number % 2 == 0)
    found = tables(rows, phase("5.1", m, n))
    assert [(row["model"], row["total"], row["full_success"]) for row in rows_of(found["5.1"])] == [
        ("m", 12, 10),
        ("n", 11, 5),
    ]
    (pair,) = rows_of(found["5.1-pairs"])
    assert (pair["axis"], pair["first"], pair["second"], pair["model"]) == ("model", "m", "n", None)
    # Of 11: full under both 4, 6, 8, 10; under m alone 3, 5, 7, 9, 11; under n alone 2; under none 1.
    assert [pair[name] for name in ("pairs", "both_full", "b", "c", "neither_full")] == [11, 4, 5, 1, 1]
    difference, (low, high) = paired_difference(5, 1, 11)
    assert (pair["difference"], pair["difference_low"], pair["difference_high"]) == (difference, low, high)
    assert pair["p"] == pair["p_holm"] == mcnemar_p(5, 1)


def test_infrastructure_failures_are_in_no_pair() -> None:
    m, n = ids("m"), ids("n")
    rows = played(m, lambda number: True) + played(n, lambda number: False)
    rows[0] = msgspec.structs.replace(rows[0], verdict=Verdict.INFRASTRUCTURE, score=None)
    (pair,) = rows_of(tables(rows, phase("5.1", m, n))["5.1-pairs"])
    assert (pair["pairs"], pair["b"]) == (11, 11)


def test_too_few_pairs_say_so_and_are_in_no_family() -> None:
    groups = [ids("m"), ids("n"), ids("o", count=9)]
    rows = [row for group in groups for row in played(group, lambda number: number > 6)]
    found = rows_of(tables(rows, phase("5.1", *groups))["5.1-pairs"])
    assert [(row["second"], row["reason"]) for row in found] == [
        ("n", None),
        ("o", "n/a (n=9 < 10 pairs)"),
        ("o", "n/a (n=9 < 10 pairs)"),
    ]
    assert [(row["p"], row["p_holm"], row["difference"]) for row in found[1:]] == [(None, None, None)] * 2
    assert found[0]["p_holm"] == 1.0


def test_flaws_are_held_against_optimal_of_another_phase() -> None:
    optimal, step, drift = ids("m"), ids("m", "flawed_missing_step"), ids("m", "flawed_semantic_drift")
    rows = played(optimal, lambda number: True)
    rows += played(step, lambda number: number > 8) + played(drift, lambda number: number > 1)
    found = tables(rows, phase("5.1", optimal), phase("5.3", step, drift))
    first, second = rows_of(found["5.3"])
    assert (first["prompt_type"], first["reference"]) == ("flawed_missing_step", "optimal")
    assert (first["vs_b"], first["vs_c"], first["vs_pairs"]) == (8, 0, 12)
    assert first["vs_difference"] == pytest.approx(-8 / 12)
    adjusted = holm([mcnemar_p(8, 0), mcnemar_p(1, 0)])
    assert [first["vs_p_holm"], second["vs_p_holm"]] == adjusted
    assert {row["first"] for row in rows_of(found["5.3-pairs"])} == {"optimal"}


def test_flaws_without_optimal_have_nothing_to_be_held_against() -> None:
    step = ids("m", "flawed_missing_step")
    found = tables(played(step, lambda number: True), phase("5.3", step))
    (row,) = rows_of(found["5.3"])
    assert (row["reference"], row["vs_difference"]) == (None, None)
    assert "5.3-pairs" not in found


def test_rates_are_held_against_the_highest() -> None:
    groups = [ids("m", rate=rate) for rate in ("0.5", "0.8", "0.9")]
    rows = [row for group in groups for row in played(group, lambda number: number > 3)]
    found = tables(rows, phase("5.4", *groups))
    assert [row["tool_success_rate"] for row in rows_of(found["5.4"])] == ["0.9", "0.8", "0.5"]
    assert [row["reference"] for row in rows_of(found["5.4"])] == [None, "0.9", "0.9"]
    assert [(row["first"], row["second"]) for row in rows_of(found["5.4-pairs"])] == [
        ("0.9", "0.8"),
        ("0.9", "0.5"),
    ]


def test_sizes_are_a_curve_from_the_largest_at_each_difficulty() -> None:
    models = ("qwen2.5-3b-instruct", "qwen2.5-72b-instruct", "qwen2.5-14b-instruct")
    groups = [ids(model, difficulty=difficulty) for difficulty in ("medium", "very_easy") for model in models]
    rows = [row for group in groups for row in played(group, lambda number: number > 3)]
    found = tables(rows, phase("5.2-serial", *groups))
    assert [(row["difficulty"], row["size_b"]) for row in rows_of(found["5.2-serial"])] == [
        ("very_easy", 72),
        ("very_easy", 14),
        ("very_easy", 3),
        ("medium", 72),
        ("medium", 14),
        ("medium", 3),
    ]
    axes = [row["axis"] for row in rows_of(found["5.2-serial-pairs"])]
    assert axes == ["model"] * 6 + ["difficulty"] * 3


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("qwen2.5-72b-instruct", 72),
        ("Llama-3.3-70B-Instruct", 70),
        ("org/model-0.5b", 0.5),
        ("DeepSeek-V3-0324", None),
        ("gpt-4o-mini", None),
        ("beta-3bit", None),
    ],
)
def test_sizes_are_read_from_names(name: str, size: float | None) -> None:
    assert model_size(name) == size


def test_a_selection_of_ones_own_has_rows_for_what_varies() -> None:
    groups = [ids("m", prompt) for prompt in ("optimal", "flawed_missing_step")]
    rows = [row for group in groups for row in played(group, lambda number: number > 3)]
    found = tables(rows, phase("ad-hoc", *groups))
    assert found["ad-hoc"].keys == ("model", "prompt_type")
    assert [row["axis"] for row in rows_of(found["ad-hoc-pairs"])] == ["prompt_type"]
    one = tables(played(groups[0], lambda number: True), phase("ad-hoc", groups[0]))
    assert one["ad-hoc"].keys == ("model",)
    assert "ad-hoc-pairs" not in one


def test_an_axis_that_a_selection_adds_is_not_pooled() -> None:
    groups = [ids(model, difficulty=difficulty) for model in "mn" for difficulty in ("easy", "hard")]
    rows = [row for group in groups for row in played(group, lambda number: number > 3)]
    found = tables(rows, phase("5.1", *groups))
    assert found["5.1"].keys == ("model", "difficulty")
    assert [row["total"] for row in rows_of(found["5.1"])] == [12] * 4
    assert [row["difficulty"] for row in rows_of(found["5.1-pairs"])] == ["easy", "hard"]


def test_what_was_planned_and_has_no_result_has_its_row() -> None:
    m, n = ids("m"), ids("n")
    found = tables(played(m[:5], lambda number: True), phase("5.1", m, n))
    assert [(row["model"], row["planned"], row["total"]) for row in rows_of(found["5.1"])] == [
        ("m", 12, 5),
        ("n", 12, 0),
    ]


def test_without_a_plan_all_tests_are_one_table() -> None:
    found = tables(played(ids("m"), lambda number: True))
    assert list(found) == ["hierarchy", "tests"]
    assert rows_of(found["tests"])[0]["planned"] is None


def test_errors_are_a_table_where_there_are_any() -> None:
    m, n = ids("m"), ids("n")
    rows = played(m, lambda number: number > 2) + played(n, lambda number: True)
    kind = msgspec.structs.replace(marks(), error_class=ErrorClass.DEPENDENCY)
    rows = [
        msgspec.structs.replace(row, marks=marks() if row.verdict is Verdict.FULL else kind) for row in rows
    ]
    errors = rows_of(tables(rows, phase("5.1", m, n))["5.1-errors"])
    assert [
        (row["model"], row["total"], row["total_errors"], row["dependency_errors"]) for row in errors
    ] == [
        ("m", 12, 2, 2),
        ("n", 12, 0, 0),
    ]
    assert [row["dependency_error_rate"] for row in errors] == [1.0, None]
    assert "5.1-errors" not in tables(played(n, lambda number: True), phase("5.1", n))


def test_a_run_without_results_has_empty_tables() -> None:
    found = tables([], phase("5.4", ids("m", rate="0.9")))
    assert rows_of(found["5.4"])[0]["planned"] == 12
    assert tables([])["tests"].frame.is_empty()


def job(phase_id: str, prompt: str, tests: list[str], **fields: Any) -> dict[str, Any]:
    cell = {"model": "m", "difficulty": "easy", "rate": "0.8", "prompt_types": [prompt]}
    return {"phase": phase_id, **cell, "tests": tests, **fields}


def write(run_dir: Path, *jobs: dict[str, Any], **fields: Any) -> PlannedRun:
    (run_dir / "plan.json").write_bytes(msgspec.json.encode({"jobs": jobs, **fields}))
    return planned_run(run_dir)


def test_a_phase_has_the_tests_that_an_earlier_one_holds(tmp_path: Path) -> None:
    whole, first = ids("m"), ids("m", count=4)
    plan = write(
        tmp_path,
        job("5.1", "optimal", whole),
        job("5.4", "optimal", [], reused=12),
        job("5.5", "optimal", [], reused=4),
        job("5.5", "cot", ids("m", "cot", count=4)),
    )
    members = {one.id: one.tests for one in plan.phases}
    assert members["5.4"] == tuple(whole)
    assert members["5.5"] == (*first, *ids("m", "cot", count=4)), "fewer instances are the first ones"
    assert plan.models == ("m",)


def test_more_instances_than_an_earlier_phase_has_are_its_own_and_that_ones(tmp_path: Path) -> None:
    whole = ids("m")
    plan = write(tmp_path, job("5.1", "optimal", whole[:4]), job("5.5", "optimal", whole[4:], reused=4))
    assert set(plan.phases[1].tests) == set(whole)


@pytest.mark.parametrize("field", ["reused", "reused_tests"])
def test_plans_that_name_what_is_reused_are_believed(tmp_path: Path, field: str) -> None:
    whole = ids("m")
    plan = write(tmp_path, job("5.1", "optimal", whole), job("5.4", "optimal", [], **{field: whole[3:5]}))
    assert plan.phases[1].tests == tuple(whole[3:5])


def test_a_plan_that_cannot_be_read_has_no_phases(tmp_path: Path) -> None:
    assert planned_run(tmp_path) == PlannedRun()
    (tmp_path / "plan.json").write_text('{"jobs": 3}')
    assert planned_run(tmp_path).phases == ()
    assert write(tmp_path, scoring={"goal": {"full": 1}}).scoring == {"goal": {"full": 1}}
