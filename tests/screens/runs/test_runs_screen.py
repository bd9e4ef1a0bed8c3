"""The runs of this machine by keys: opened, watched, compared, deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import Told, opened
from fakes.runs import HOME, LIVE, RUNS, FakeListing

from console.app import StartAt
from console.screens.live.screen import Live
from console.screens.question import Question
from console.screens.results.screen import Results
from console.screens.runs.compare import Compare
from console.screens.runs.screen import Runs
from console.vocabulary.errors import ConsoleError

pytestmark = pytest.mark.anyio

SIZES = [(80, 24), (160, 48)]
HERE = StartAt("runs")


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr("console.screens.runs.screen.LOOK_S", 0.1)


async def still(pilot, until, wanted: str) -> str:
    """Wait until the screen shows a text, and nothing on it moves any more."""
    before = ""
    for _ in range(50):
        shown = await until(pilot, wanted)
        if shown == before and shown.splitlines()[-1].strip():
            return shown
        before = shown
        await pilot.pause(0.02)
    raise AssertionError(f"it never comes to rest\n{shown}")


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_runs_of_all_states(size, until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "Enter watches it")
        golden(f"runs-{size[0]}", await still(pilot, until, "damaged"))


async def test_without_runs_it_says_what_to_do(until, golden) -> None:
    app = opened(Told(empty=True), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        golden("runs-empty-80", await still(pilot, until, "no runs yet: 2 launches one"))


async def test_enter_watches_a_live_run_and_opens_one_that_is_over(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "a attach")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Live))
        assert app.session.watched == HOME / LIVE
        await pilot.press("6")
        await until(pilot, "[6 RUNS]")
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, Results))
        assert app.session.shown == RUNS[1].run_dir
        await pilot.press("6", "k", "a")
        await until(pilot, lambda: isinstance(app.screen, Live))


async def test_a_damaged_run_says_what_is_wrong_and_is_not_opened(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("G")
        await until(pilot, "damaged: run.toml: is not a run file")
        await pilot.press("enter")
        await until(pilot, "cannot be opened: run.toml")
        assert isinstance(app.screen, Runs)


async def test_resume_is_shown_for_a_dead_run_but_does_nothing_and_says_why(until, screen_text) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, "a attach")
        assert "R resume" not in screen_text(app)
        await pilot.press("j", "j", "j")
        await until(pilot, "R resume")
        await until(pilot, "R: a run cannot be resumed yet")
        await pilot.press("R")
        await until(pilot, "R: a run cannot be resumed yet")
        assert isinstance(app.screen, Runs)


async def test_two_marked_runs_stand_side_by_side_the_older_first(until, golden) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("c")
        await until(pilot, "mark two runs with space")
        await pilot.press("j", "space", "space", "c")
        shown = await still(pilot, until, "not compared: speeds")
        assert isinstance(app.screen, Compare)
        assert told.listing.compared == [(RUNS[2].run_dir, RUNS[1].run_dir)]
        golden("runs-compare-80", shown)
        await pilot.press("escape")
        await until(pilot, "[6 RUNS]")


async def test_a_comparison_on_a_wide_screen(until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("j", "space", "space", "c")
        golden("runs-compare-160", await still(pilot, until, "not compared: speeds"))
        await pilot.press("greater_than_sign", "greater_than_sign", "s")
        await until(pilot, "full % 1 ▼")


async def test_a_run_is_deleted_once_that_was_asked_and_what_is_lost_was_said(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "damaged")
        app.session.shown = RUNS[1].run_dir
        await pilot.press("j", "d")
        shown = await until(pilot, "delete for good")
        assert "12.3 MB" in shown
        assert RUNS[1].id in shown
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Runs))
        assert told.listing.deleted == []
        await pilot.press("x", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, "deleted 1 run")
        assert told.listing.deleted == [RUNS[1].run_dir]
        assert app.session.shown is None
        await until(pilot, lambda: len(app.screen.query_one("#table").order) == len(RUNS) - 1)


async def test_live_and_damaged_runs_are_never_deleted(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("space", "G", "space", "d")
        await until(pilot, "live and damaged runs are left alone")
        assert isinstance(app.screen, Runs)
        assert told.listing.deleted == []


async def test_a_prune_names_what_each_choice_takes_and_asks_again(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("p")
        await until(pilot, "Nothing to prune")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Runs))
        told.listing.found = [
            replace(run, started=run.started.replace("2026-11-17", "2026-09-17")) for run in RUNS
        ]
        await pilot.press("r")
        await until(pilot, lambda: "09-17" in str(app.screen.runs))
        await pilot.press("p")
        await until(pilot, "older than 30 days: 1 of 6 runs")
        await pilot.press("4")
        await until(pilot, "Delete this run?")
        await pilot.press("y")
        await until(pilot, "deleted 1 run")
        assert told.listing.deleted == [RUNS[4].run_dir]


async def test_runs_are_looked_at_again_and_only_a_change_is_painted(until, monkeypatch) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("j")
        filled: list[int] = []
        fill = app.screen._fill
        monkeypatch.setattr(app.screen, "_fill", lambda: (filled.append(1), fill()))
        looks = told.listing.looks
        await until(pilot, lambda: told.listing.looks > looks + 2)
        assert filled == []
        new = replace(
            RUNS[0], id="20261120-235800-5.4-sim", run_dir=HOME / "20261120-235800-5.4-sim", title="5.4"
        )
        told.listing.found = [new, *RUNS]
        await until(pilot, "5.4")
        assert app.screen.here == RUNS[1], "the cursor stays on its run"


async def test_runs_are_filtered(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, "damaged")
        await pilot.press("slash", *"mine", "enter")
        shown = await until(pilot, "filter: mine   3 of 6 runs")
        assert "damaged" not in shown
        await pilot.press("escape")
        await until(pilot, "damaged")


async def test_what_goes_wrong_is_said(until) -> None:
    app = opened(Told(listing=FakeListing(error=ConsoleError("cannot be read: no", where="/runs"))), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "/runs: cannot be read: no")


async def test_hostile_names_reach_no_screen(until) -> None:
    evil = "\x1b]0;owned\x07[red]\x9b2J\u202e"
    hostile = replace(RUNS[1], id=evil, title=evil, profile=evil, started=evil, error=evil)
    app = opened(Told(listing=FakeListing([hostile, RUNS[2]])), HERE)
    async with app.run_test(size=(160, 24)) as pilot:
        shown = await until(pilot, "[red]")
        await pilot.press("enter")
        shown += await until(pilot, "cannot be opened")
    for forbidden in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert forbidden not in shown
