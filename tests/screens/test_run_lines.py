"""The list of runs: aligned, with times people read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from console.screens.runs.needs import RunChoice
from console.screens.runs.run_lines import run_lines, when

BERLIN = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 20, 23, 59, tzinfo=BERLIN)
RUNS = (
    RunChoice(
        "20261120-1-5.1-sim", Path("/r/a"), "5.1", "sim", "live", 5, 800, True, "2026-11-20T22:15:07+00:00"
    ),
    RunChoice(
        "20261119-1-x",
        Path("/r/b"),
        "capacity run",
        "mine",
        "interrupted",
        1000,
        1000,
        False,
        "2026-11-19T22:01:00Z",
    ),
)


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


def test_runs_stand_in_columns_and_a_wide_list_shows_all_of_them():
    assert [line.plain.rstrip() for line in run_lines(RUNS, 100, NOW)] == [
        "live        5.1              5/800 SIM 23:15       sim  20261120-1-5.1-sim",
        "interrupted capacity run 1000/1000     11-19 23:01 mine 20261119-1-x",
    ]
    for width in (20, 41, 48):
        assert all(line.cell_len <= width for line in run_lines(RUNS, width, NOW))
    assert run_lines((), 40, NOW) == []
