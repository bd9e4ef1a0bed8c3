"""The lists of the first screen: aligned, with times people read, and usable on a small terminal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fakes import FakeBackend

from console.app import ConsoleApp
from console.screens.backend import RunChoice
from console.screens.run_lines import run_lines, when

pytestmark = pytest.mark.anyio

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


async def test_a_small_terminal_still_shows_the_workers(until) -> None:
    app = ConsoleApp(FakeBackend())
    async with app.run_test(size=(60, 15)) as pilot:
        shown = await until(pilot, "SIM")
        assert "workers" in shown
        assert any("DeepSeek-V3-0324" in line and "150" in line for line in shown.splitlines())


async def test_focus_and_choice_are_seen_without_colours(until) -> None:
    app = ConsoleApp(FakeBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await until(pilot, "> 5.1")
        assert "─ > phases ─" in shown
        assert "* sim" in shown
        await pilot.press("tab")
        shown = await until(pilot, "> effective totals")
        assert "> phases" not in shown
        assert "* 5.1" in shown
        await pilot.press("tab")
        await until(pilot, "> live")


async def test_no_limit_is_written_none(until) -> None:
    app = ConsoleApp(FakeBackend())
    async with app.run_test(size=(160, 48)) as pilot:
        shown = await until(pilot, "DeepSeek-V3-0324")
        assert "none" in next(line for line in shown.splitlines() if "DeepSeek-V3-0324" in line)
