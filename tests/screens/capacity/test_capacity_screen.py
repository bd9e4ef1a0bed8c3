"""The capacity screen in all its states, at several sizes, on fakes: the form, a search that goes on, one that is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from fakes import RUN_DIR, FakeWatch, Told, opened, snapshot
from fakes.capacity import LANE, OLD_SEARCH, SEARCH_DIR, FakeCapacity, found, searching
from fakes.runs import FakeListing

from console.app import ConsoleApp, StartAt
from console.screens.capacity.needs import SearchAsked
from console.screens.live.needs import RunEnd
from console.screens.looks import Looks
from console.vocabulary.command import Pause, Stop
from console.vocabulary.errors import ConsoleError

pytestmark = pytest.mark.anyio

CAPACITY = StartAt("capacity")
SIZES = [(80, 24), (160, 48), (60, 15)]
NAMES = [f"{width}" for width, _ in SIZES]


def form_app(**answers: Any) -> tuple[ConsoleApp, Told]:
    told = Told(FakeWatch(None), live_run=None, capacity=FakeCapacity(**answers))
    return opened(told, CAPACITY), told


def live_app(shown: Any, **answers: Any) -> tuple[ConsoleApp, Told]:
    told = Told(FakeWatch(shown), capacity=FakeCapacity(live=SEARCH_DIR, **answers))
    told.capacity.searches[SEARCH_DIR] = None
    return opened(told, CAPACITY), told


def over_app(read: Any = None) -> tuple[ConsoleApp, Told]:
    told = Told(FakeWatch(None), live_run=None, capacity=FakeCapacity(searches={OLD_SEARCH: read or found()}))
    app = opened(told, CAPACITY)
    app.session.search = OLD_SEARCH
    return app, told


# The form


@pytest.mark.parametrize("size", SIZES, ids=NAMES)
async def test_the_form_says_what_it_would_do(size, until, golden) -> None:
    app, _ = form_app()
    async with app.run_test(size=size) as pilot:
        await until(pilot, "gpt-4o-mini")
        await until(pilot, lambda: "19,373 requests" in str(app.screen.prospect.lines))
        golden(f"capacity-form-{size[0]}", await until(pilot, "> find"))


async def test_the_simulated_is_started_at_once_and_then_watched(until) -> None:
    app, told = form_app()
    app.session.changes = ("providers.azure.sim.slots=37",)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "providers.azure.sim.slots=37")
        await pilot.press("j", "j", "left")
        await until(pilot, "< 500 >")
        await until(pilot, lambda: app.screen._known is not None)
        told.line.shown = searching(3)
        await pilot.press("s")
        await until(pilot, "level 4: 50 in flight")
        assert app.session.watched == SEARCH_DIR
        await until(pilot, "enter level")
    changes = ("providers.azure.sim.slots=37",)
    assert told.capacity.started == [SearchAsked("sim", changes, model="gpt-4o-mini", most=500)]


async def test_real_requests_are_asked_about_first(until, golden) -> None:
    app, told = form_app(simulated=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "drives 1 lane")
        await pilot.press("G", "enter")
        golden("capacity-money-80", await until(pilot, "Drive real requests?"))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)  # a box that closes swallows keys
        assert told.capacity.started == []
        await pilot.press("s")
        await until(pilot, "may cost money")
        told.line.shown = searching(0)
        await pilot.press("y")
        await until(pilot, "no level is over yet")  # what came of the key may stand in the line of the stage
    assert len(told.capacity.started) == 1


async def test_a_rate_is_missed_at_its_field_and_typed_there(until) -> None:
    app, told = form_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "drives 1 lane")
        await pilot.press("right")
        shown = await until(pilot, "! a rate is needed")
        assert "! rate" in shown
        assert "TTFT limit" not in shown
        await pilot.press("s")
        await until(pilot, "cannot start: a rate is needed")
        assert app.screen.form.field.name == "qps"
        await pilot.press("enter", *"nan")
        await until(pilot, "! requests per second, more than 0")
        await pilot.press("backspace", "backspace", "backspace", *"12.5", "enter")
        await until(pilot, "capacity target")
        await until(pilot, "12.5/s")
        await until(pilot, "drives 1 lane")
    assert told.capacity.started == []


async def test_what_the_command_would_refuse_stands_at_its_field(until, golden) -> None:
    app, told = form_app(refusal=ConsoleError("figures contradict one another", where="--level-seconds 60"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "! a level")
        golden("capacity-fault-80", await until(pilot, "contradict one another"))
        await pilot.press("s")
        await until(pilot, "cannot start")
    assert told.capacity.started == []


async def test_a_profile_that_cannot_be_read_and_a_secret_that_is_missing_are_told(until) -> None:
    app, _ = form_app(refusal=ConsoleError("cannot be read", where="broken.toml"))
    app.session.profile = "broken"
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "! broken.toml: cannot be read")
    app, told = form_app(simulated=False, missing=("environment variable KEY is not set",))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "x environment variable KEY is not set")
        await pilot.press("s")
        await until(pilot, "cannot start: environment variable KEY is not set")
    assert told.capacity.started == []


async def test_an_engine_that_does_not_start_is_heard(until) -> None:
    app, _ = form_app(start_error=ConsoleError("the disk is full"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "drives 1 lane")
        await pilot.press("s")
        await until(pilot, "not started: the disk is full")
        await until(pilot, "s start")


async def test_each_lane_by_itself_makes_more_of_it_and_the_command_is_copied(until, monkeypatch) -> None:
    app, _ = form_app(lanes=(LANE, LANE.replace("key0", "key1")))
    copied: list[str] = []
    monkeypatch.setattr(ConsoleApp, "copy_to_clipboard", lambda _self, text: copied.append(text))
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "19,373 requests")
        app.screen.form.point_at("each")
        await pilot.press("space")
        await until(pilot, "58,118 requests")
        await until(pilot, "each of them alone first")
        await pilot.press("y")
        await until(pilot, "the command is copied")
    assert copied == ["ultra-console capacity ramp --profile sim --model gpt-4o-mini --each"]


# A search that goes on


@pytest.mark.parametrize("size", SIZES, ids=NAMES)
@pytest.mark.parametrize("over", [0, 3, 8], ids=["first", "ladder", "narrows"])
async def test_a_search_that_goes_on(over, size, until, golden) -> None:
    app, _ = live_app(searching(over))
    async with app.run_test(size=size) as pilot:
        await until(pilot, f"level {over + 1}:")
        await until(pilot, "space pause")
        golden(f"capacity-live-{over}-{size[0]}", await until(pilot, "?" if over == 0 else "enter level"))


async def test_it_is_paused_resumed_and_stopped_once_that_was_asked(until, golden) -> None:
    app, told = live_app(searching(8))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "space pause")
        await pilot.press("space")
        golden("capacity-paused-80", await until(pilot, "space resume"))
        assert isinstance(told.line.sent[-1], Pause)
        await pilot.press("space")
        await until(pilot, "space pause")
        await pilot.press("s")
        shown = await until(pilot, "Stop the search?")
        assert "What is over is kept (8 levels)" in shown
        await pilot.press("y")
        await until(pilot, lambda: isinstance(told.line.sent[-1], Stop))


async def test_a_paused_search_paints_nothing_though_its_clocks_go_on(until) -> None:
    app, told = live_app(searching(8, state="paused"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "sampling 3 s")
        told.line.shown = searching(8, state="paused", stage_s=9.0, seq=9)
        before = app.screen.view.snapshot
        seen = app.screen.pace._last_s
        await until(pilot, lambda: app.screen.pace._last_s != seen)
        assert app.screen.view.snapshot is before
        told.line.shown = searching(8, stage_s=9.0, seq=10)
        await until(pilot, "sampling 9 s")


@pytest.mark.parametrize("size", SIZES[:2], ids=NAMES[:2])
async def test_enter_opens_all_about_a_level_and_escape_closes_it(size, until, golden) -> None:
    app, _ = live_app(searching(8))
    async with app.run_test(size=size) as pilot:
        await until(pilot, "enter level")
        await pilot.press("G", "enter")
        golden(f"capacity-level-{size[0]}", await until(pilot, "level 5: 100 in flight"))
        if size[0] == 160:
            await pilot.press("k")
            await until(pilot, "level 6: 71 in flight")
        await pilot.press("escape")
        await until(pilot, "tok/s by in flight")
        assert app.screen.focused is app.screen.face.levels


async def test_the_cursor_follows_the_newest_level_until_it_is_moved(until) -> None:
    app, told = live_app(searching(5))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "enter level")
        assert app.screen.face.levels.highlighted == "5"
        told.line.shown = searching(6, seq=8)
        await until(pilot, "level 7:")
        assert app.screen.face.levels.highlighted == "6"
        await pilot.press("g")
        told.line.shown = searching(7, seq=9)
        await until(pilot, "level 8:")
        assert app.screen.face.levels.highlighted == "1"


async def test_a_search_of_each_lane_shows_one_after_another(until) -> None:
    shown = searching(8)
    view = shown.search
    levels = (*(msgspec.structs.replace(one, subject="a") for one in view.levels[:3]), *view.levels[3:5])
    each = msgspec.structs.replace(view, subjects=("a", ""), subject="", levels=levels, answer="a bears 20")
    app, _ = live_app(msgspec.structs.replace(shown, search=each))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "all lanes together (2 of 2)")
        await until(pilot, "a bears 20")
        assert [row.id for row in app.screen.face.levels.rows_shown()] == ["4", "5"]
        await pilot.press("v")
        await until(pilot, "a (1 of 2)")
        assert [row.id for row in app.screen.face.levels.rows_shown()] == ["1", "2", "3"]


async def test_a_search_watched_on_live_is_seen_here_and_its_lanes_there(until) -> None:
    told = Told(FakeWatch(searching(5)))
    told.capacity.searches[RUN_DIR] = None
    app = opened(told, StartAt("live", RUN_DIR))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[3 LIVE]")
        await pilot.press("4")
        await until(pilot, "level 6: 71 in flight")
        await pilot.press("3")
        await until(pilot, "[3 LIVE]")
        await pilot.press("4", "q")
        await until(pilot, "Leave the console?")
        await pilot.press("q", "enter")
        await until(pilot, lambda: not app.is_running)
    assert app.return_value.run_dir == RUN_DIR, "it asked once, and says how to come back"


async def test_a_run_of_phases_leaves_the_form_alone(until) -> None:
    told = Told(FakeWatch(snapshot()))
    app = opened(told, StartAt("live", RUN_DIR))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        await pilot.press("4")
        await until(pilot, "start the search")


async def test_a_new_search_is_asked_for_while_one_goes_on(until) -> None:
    app, _ = live_app(searching(5))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "enter level")
        await pilot.press("n")
        await until(pilot, "start the search")
        await until(pilot, "enter change")
        await pilot.press("escape")
        await until(pilot, "level 6: 71 in flight")


# Its end, and searches that are over


@pytest.mark.parametrize("size", SIZES, ids=NAMES)
async def test_what_a_search_found(size, until, golden) -> None:
    app, _ = over_app()
    async with app.run_test(size=size) as pilot:
        await until(pilot, "bears 37 concurrent requests")
        await until(pilot, "enter level")
        assert app.screen.face.levels.highlighted == "10", "the cursor stands at the answer"
        golden(f"capacity-over-{size[0]}", await until(pilot, "FINISHED"))


async def test_the_end_shows_what_was_found(until) -> None:
    app, told = live_app(searching(12, None))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "no level goes on")
        told.end = RunEnd("finished", 0)
        told.capacity.searches[SEARCH_DIR] = found()
        told.line.shown = None
        await until(pilot, "bears 37 concurrent requests")
        await until(pilot, "[4 CAPACITY]")


@pytest.mark.parametrize(("state", "word"), [("interrupted", "STOPPED"), ("partial", "KILLED")])
async def test_a_search_that_was_broken_off_is_gone_on_with(state, word, until, golden) -> None:
    app, told = over_app(found(state))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, word)
        golden(f"capacity-{state}-80", await until(pilot, "r goes on with it"))
        told.line.shown = searching(6)
        await pilot.press("r")
        await until(pilot, "level 7: 35 in flight")
    assert told.capacity.resumed == [OLD_SEARCH]


async def test_an_engine_that_is_gone_leaves_what_it_had(until, engine) -> None:
    app, told = live_app(searching(5))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "level 6:")
        engine.lives = False
        told.capacity.searches[SEARCH_DIR] = found("partial")
        told.line.shown = None
        await until(pilot, "KILLED")
        await until(pilot, "r goes on with it")


async def test_ascii_has_another_glyph_for_each_verdict(until) -> None:
    _, told = over_app()
    app = ConsoleApp(told.backend, CAPACITY, Looks(ascii_only=True))
    app.session.search = OLD_SEARCH
    async with app.run_test(size=(160, 48)) as pilot:
        shown = await until(pilot, "bears 37")
        assert "O pass" in shown
        assert "x FAIL" in shown
        assert "o so far" in shown


async def test_levels_and_answer_are_copied_for_a_sheet(until, monkeypatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(ConsoleApp, "copy_to_clipboard", lambda _self, text: copied.append(text))
    app, _ = over_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "bears 37")
        await pilot.press("y")
        await until(pilot, "copied: 12 levels and the answer")
    lines = copied[0].splitlines()
    assert lines[0].split("\t")[:3] == ["in flight", "verdict", "req/s"]
    assert lines[-1].startswith("no drift")


async def test_a_search_is_opened_from_runs(until) -> None:
    _, told = form_app()
    first = told.listing.found[1]
    told.listing = FakeListing(
        [replace(first, id=OLD_SEARCH.name, run_dir=OLD_SEARCH, search=True, kind="finished")]
    )
    app = opened(told, StartAt("runs"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, OLD_SEARCH.name)
        await pilot.press("enter")
        await until(pilot, "bears 37 concurrent requests")
