from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from made_rows import add_rows, ended, judged, make_run, marks, started

from console.records.rows_codec import decode_line, encode_line
from console.records.summary import summarise
from console.vocabulary.marks import ErrorClass, OriginalMarks
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import TestRow

MARKS = {
    "goal_reached": True,
    "finished": False,
    "conditions": 0.75,
    "coverage": 0.5,
    "order_share": 0.25,
    "efficiency": 0.8,
    "recovery": 1.0,
    "needed_calls": 4,
    "calls": 7,
    "failed_calls": 3,
    "chance_failures": 2,
    "format_errors": 1,
    "assisted_turns": 1,
    "error_class": "sequence_order",
    "original_workflow": 0.61,
    "original_phase2": 0.72,
    "original_quality": 0.43,
    "original_verdict": "partial",
}


def played() -> TestRow:
    given = marks(
        **{name: value for name, value in MARKS.items() if not name.startswith(("order", "error", "orig"))},
        order=0.25,
        error_class=ErrorClass.SEQUENCE_ORDER,
        original=OriginalMarks(workflow=0.61, phase2=0.72, quality=0.43, verdict=Verdict.PARTIAL),
    )
    return judged(0, Verdict.PARTIAL, marks=given, reused_from="20261120-231507-5.1-sim")


def table_of(run_dir: Path, storage: str) -> pl.DataFrame:
    summarise(run_dir, storage="json" if storage == "json" else "parquet")
    if storage == "json":
        return pl.read_ndjson(run_dir / "tests.jsonl", infer_schema_length=None)
    return pl.read_parquet(run_dir / "tests.parquet")


@pytest.mark.parametrize("storage", ["parquet", "json"])
def test_marks_are_columns_and_null_where_a_test_has_none(storage: str) -> None:
    infra = judged(1, Verdict.INFRASTRUCTURE, score=None)
    run_dir = make_run([started(), played(), infra, ended(2, 1)])
    first, second = table_of(run_dir, storage).iter_rows(named=True)
    assert {name: first[name] for name in MARKS} == MARKS
    assert first["reused_from"] == "20261120-231507-5.1-sim"
    assert {second[name] for name in [*MARKS, "reused_from"]} == {None}


def test_recovery_original_and_class_may_be_absent_by_themselves() -> None:
    run_dir = make_run([started(), judged(0, marks=marks(goal_reached=True)), ended(1, 1)])
    (row,) = table_of(run_dir, "parquet").iter_rows(named=True)
    absent = {name for name in MARKS if row[name] is None}
    assert absent == {
        "recovery",
        "error_class",
        "original_workflow",
        "original_phase2",
        "original_quality",
        "original_verdict",
    }


def test_a_row_with_marks_comes_back_from_its_line_as_it_was() -> None:
    assert decode_line(encode_line(played())) == played()


def test_journals_from_before_marks_have_null_columns() -> None:
    """A line as it was written before rows had marks."""
    line = encode_line(judged(0))
    assert b"marks" not in line
    assert b"reused_from" not in line
    run_dir = make_run([])
    add_rows(run_dir, [started(), judged(0), ended(1, 1)])
    table = table_of(run_dir, "parquet")
    assert table.schema["goal_reached"] == pl.Boolean
    assert table.schema["error_class"] == pl.String
    assert table["original_verdict"].to_list() == [None]
