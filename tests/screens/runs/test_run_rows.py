"""Runs as rows, with times people read, and which of them a prune takes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from fakes.runs import RUNS

from console.screens.runs.needs import Weight
from console.screens.runs.run_rows import detail, doomed, loss_text, runs_sheet, size_text, when

BERLIN = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 20, 23, 59, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("started", "text"),
    [
        ("2026-11-20T22:15:07+00:00", "23:15"),
        ("2026-11-19T23:30:00+00:00", "00:30"),
        ("2026-11-19T22:59:00+00:00", "11-19 23:59"),
        ("2025-01-02T10:00:00+00:00", "2025-01-02"),
        ("\x1bno time", "␛o time"),
        ("", ""),
    ],
)
def test_a_start_is_told_in_local_time_with_its_day_only_where_it_is_not_today(started, text):
    assert when(started, NOW) == text


def test_rows_tell_state_progress_and_duration_and_a_damaged_run_is_named_so():
    sheet = runs_sheet(RUNS, NOW)
    assert sheet.row(0).cells[:6] == ("live", "5.1", "338/800", "SIM", "11-21 00:15", "43:50")
    assert sheet.row(1).cells[5] == "3:04:12"
    assert sheet.row(5).cells == ("damaged", "-", "?/?", "", "", "-", "-", RUNS[5].id)
    assert [row.id for row in sheet.rows] == [run.id for run in RUNS]


def test_each_state_is_explained_with_what_can_be_done():
    told = [detail(run)[0] for run in RUNS]
    assert "Enter watches it" in told[0]
    assert told[1] == str(RUNS[1].run_dir)
    assert f"run --reuse {RUNS[3].id}" in told[3]
    assert "it was stopped" in told[4]
    assert told[5].startswith("damaged: run.toml")


def test_a_prune_takes_neither_live_nor_damaged_runs():
    assert [run.id for run in doomed(RUNS, NOW, keep=0)] == [run.id for run in RUNS[1:5]]
    assert [run.id for run in doomed(RUNS, NOW, keep=3)] == [run.id for run in RUNS[3:5]]
    assert [run.id for run in doomed(RUNS, NOW, days=3.0)] == [RUNS[4].id]
    assert doomed(RUNS, NOW, days=300.0) == []


def test_what_is_lost_is_said_with_its_size():
    assert loss_text(Weight(1, 790, 12_345_678)).endswith("1 run, 790 results, 12.3 MB")
    assert [size_text(size) for size in (0, 999, 1_000, 5_600_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "5.6 GB",
    ]
