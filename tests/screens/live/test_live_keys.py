"""Every key of the live screen, pressed on an engine of fakes."""

from __future__ import annotations

import pytest
from fakes import AZURE, QWEN, RUN_DIR, FakeWatch, Told, opened, snapshot
from msgspec.structs import replace

from console.app import StartAt
from console.screens.live.detail_pane import DetailPane
from console.screens.live.needs import RunEnd
from console.screens.live.prompt import LimitPrompt
from console.screens.live.screen import Live
from console.screens.question import Question
from console.screens.results.screen import Results
from console.vocabulary.command import Adapt, Change, Switch, Tune
from console.vocabulary.lane import Scope
from console.vocabulary.snapshot import EventView
from widgets.lane_grid import LaneGrid

pytestmark = pytest.mark.anyio

LIVE = StartAt("live", RUN_DIR)
FIRST = f"azure/{AZURE[0]}@key0"


@pytest.fixture
def watch() -> FakeWatch:
    return FakeWatch(snapshot())


@pytest.fixture
def app(watch: FakeWatch):
    return opened(Told(watch), LIVE)


@pytest.fixture
def never_sent(monkeypatch) -> None:
    """Presses are gathered for ever; the test sends them."""
    monkeypatch.setattr("console.screens.live.control.GATHER_S", 3600)


def lane(watch: FakeWatch, lane_id: str):
    return next(lane for lane in watch.shown.lanes if lane.lane_id == lane_id)


async def test_plus_is_shown_at_once_and_sent_once_for_all_presses(never_sent, watch, app, until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("plus", "plus", "plus", "minus")
        shown = await until(pilot, "held 50/61 (profile 50)")
        assert "50 → 61 workers" in shown
        assert "steps: 1 below 20, 10 % above" in shown
        assert "changing…" in shown
        assert watch.sent == []
        app.screen.send_held()
        await until(pilot, lambda: watch.sent != [])
        assert watch.sent == [Tune(scopes=(Scope("lane", FIRST),), workers=Change("+", 11))]
        await until(pilot, lambda: not app.screen.expected.lanes)
        assert lane(watch, FIRST).workers == 61


async def test_held_keys_are_sent_after_a_moment_by_themselves(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("minus")
        await until(
            pilot, lambda: watch.sent == [Tune(scopes=(Scope("lane", FIRST),), workers=Change("-", 5))]
        )


async def test_presses_for_another_lane_send_those_before(never_sent, watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("plus", "j", "plus")
        await until(pilot, lambda: len(watch.sent) == 1)
        app.screen.send_held()
        await until(pilot, lambda: len(watch.sent) == 2)
        assert [command.scopes[0].name for command in watch.sent] == [FIRST, f"azure/{AZURE[0]}-2@key0"]


async def test_up_and_down_again_sends_nothing(never_sent, watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("plus", "minus")
        app.screen.send_held()
        await pilot.pause()
        await until(pilot, "held 50/50")
        assert watch.sent == []
        assert not app.screen.expected.lanes


async def test_a_refused_change_is_taken_back_and_told(until) -> None:
    watch = FakeWatch(snapshot(), refuse="the provider allows 50 at most")
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("plus")
        await until(pilot, "not done: the provider allows 50 at most")
        await until(pilot, "held 50/50")


@pytest.mark.parametrize(
    ("key", "op"), [("greater_than_sign", "+"), ("right_square_bracket", "+"), ("less_than_sign", "-")]
)
async def test_qps_is_changed_at_the_gate_that_binds(key, op, watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("G", key)
        await until(pilot, f"key ideallab/key0: 10 → {11 if op == '+' else 9} QPS, 5 lanes")
        await until(pilot, lambda: watch.sent != [])
        assert watch.sent == [Tune(scopes=(Scope("key", "ideallab/key0"),), qps=Change(op, 1.0))]


async def test_what_cannot_be_moved_says_why_and_sends_nothing(never_sent, watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("greater_than_sign")
        await until(pilot, "no QPS limit binds it; = sets one")
        app.screen.send_held()
        await pilot.pause()
        assert watch.sent == []


async def test_limits_are_typed_with_their_meaning_as_one_types(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("equals_sign")
        await until(pilot, "Enter sets, Esc leaves them")
        await pilot.press(*"workers", "space", *"0")
        await until(pilot, "a whole number from 1 on")
        await pilot.press("enter")
        assert isinstance(app.screen, LimitPrompt)
        await pilot.press("backspace", *"40")
        await until(pilot, f"{AZURE[0]}@key0: workers 40")
        await pilot.press("enter")
        await until(pilot, lambda: watch.sent != [])
        assert watch.sent == [Tune(scopes=(Scope("lane", FIRST),), workers=Change("=", 40))]
        await until(pilot, "held 50/40")
        await pilot.press("equals_sign")
        await until(pilot, "Enter sets, Esc leaves them")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Live))
        assert len(watch.sent) == 1


@pytest.mark.parametrize("key", ["0", "R"])
async def test_reset_gives_the_profiles_limits_again(key, watch, app, until) -> None:
    lanes = tuple(replace(one, workers=20) if one.lane_id == FIRST else one for one in watch.shown.lanes)
    watch.shown = replace(watch.shown, lanes=lanes)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/20 (profile 50)")
        await pilot.press(key)
        await until(pilot, "limits as in the profile")
        await until(pilot, lambda: lane(watch, FIRST).workers == 50)
        (command,) = watch.sent
        assert command.workers == command.qps == Change("reset")


async def test_adaptive_mode_goes_on_and_off(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("a")
        await until(pilot, lambda: lane(watch, FIRST).adaptive)
        await until(pilot, "adaptive ?")
        await pilot.press("a")
        await until(pilot, lambda: not lane(watch, FIRST).adaptive)
        assert watch.sent == [Adapt(lanes=(FIRST,), on=True), Adapt(lanes=(FIRST,), on=False)]


async def test_off_asks_where_work_is_broken_off_and_on_asks_nothing(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("o")
        await until(pilot, "50 requests in flight end; 50 tests under way")
        assert isinstance(app.screen, Question)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Live))
        assert watch.sent == []
        await pilot.press("o")
        await until(pilot, "Switch off lane")
        await pilot.press("y")
        await until(pilot, "off by hand")
        assert watch.sent == [Switch("lane", FIRST, on=False)]
        await pilot.press("o")
        await until(pilot, lambda: watch.sent[1:] == [Switch("lane", FIRST, on=True)])
        await until(pilot, lambda: lane(watch, FIRST).state == "idle")


async def test_off_of_what_is_idle_asks_nothing(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("j", "j", "j", "o")
        await until(pilot, lambda: watch.sent == [Switch("lane", f"azure/{AZURE[1]}@key0", on=False)])


@pytest.mark.parametrize("key", ["enter", "i"])
async def test_everything_about_the_lane_stands_beside_the_grid_where_there_is_room(
    key, watch, app, until
) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/50")
        assert watch.inspected == []
        await pilot.press(key)
        await until(pilot, "limits changed, newest first")
        assert app.screen.query_one(LaneGrid).display
        await pilot.press("j")  # the pane goes with the cursor
        await until(pilot, lambda: watch.inspected[-1] == f"azure/{AZURE[0]}-2@key0")
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.detail_open)
        asked = len(watch.inspected)
        for _ in range(5):
            await pilot.pause(0.05)
        assert len(watch.inspected) == asked  # nobody asks for what nobody sees


async def test_everything_about_the_lane_covers_a_small_screen_and_scrolls(watch, app, until, golden) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("enter")
        golden("live-detail-80", await until(pilot, "time to first token"))
        assert not app.screen.query_one(LaneGrid).display
        await pilot.press("G")
        await until(pilot, "jobs on it")
        assert app.screen.query_one(DetailPane).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(LaneGrid).has_focus)


async def test_a_wide_detail(watch, app, until, golden) -> None:
    watch.shown = replace(watch.shown, pid=4242)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("enter")
        golden("live-detail-160", await until(pilot, "limits changed, newest first"))


async def test_a_run_that_ends_under_an_open_lane_stays_until_enter(watch, until) -> None:
    told = Told(watch)
    app = opened(told, LIVE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("enter")
        await until(pilot, "limits changed, newest first")
        watch.shown, told.end, told.live_run = None, RunEnd("finished", 0, 800, 800), None
        await until(pilot, "the run has ended: Enter shows its results")
        await pilot.press("escape")
        assert isinstance(app.screen, Live)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Results))
        await pilot.press("3")  # who comes back sees the last picture
        await until(pilot, "the run has ended: Enter shows its results")


async def test_a_filter_leaves_lanes_and_escape_brings_all_back(watch, app, until, golden) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("slash", *"32b", "enter")
        shown = await until(pilot, QWEN[1])
        assert AZURE[1] not in shown
        await until(pilot, lambda: app.screen.query_one(LaneGrid).has_focus)
        await until(pilot, f"{QWEN[1]}@key0")
        golden("live-filter-80", await until(pilot, "filter `32b`: 3 of 24 lanes; Esc shows all"))
        await pilot.press("escape")
        await until(pilot, AZURE[1])
        await pilot.press("slash", *"nothing like it")
        await until(pilot, "no lane matches")
        await pilot.press("escape")
        await until(pilot, AZURE[1])


async def test_rows_columns_and_all_are_selected_and_changed_as_one(watch, app, until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("G", "v")
        await until(pilot, f" {QWEN[-1]}, 3 lanes")
        await pilot.press("plus")
        await until(pilot, f"{QWEN[-1]}, 3 lanes: 2 → 3 workers each")
        await until(pilot, lambda: len(watch.sent) == 1)
        assert [scope.name for scope in watch.sent[0].scopes] == [
            f"ideallab/{QWEN[-1]}@key{n}" for n in range(3)
        ]
        await pilot.press("v")
        await until(pilot, "azure/key0 ideallab/key0, 14 lanes")
        await pilot.press("o")
        await until(pilot, "Switch off keys azure/key0 ideallab/key0?")
        await pilot.press("y")
        await until(pilot, lambda: len(watch.sent) == 3)
        assert watch.sent[1:] == [
            Switch("key", "azure/key0", on=False),
            Switch("key", "ideallab/key0", on=False),
        ]
        await until(pilot, "azure/key0: switched off · key ideallab/key0: switched off")
        await pilot.press("v")
        await until(pilot, "all 24 lanes")
        await until(pilot, lambda: app.screen.picked.kind == "all")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["narrow", "wide"])
async def test_the_figure_in_the_grid_is_named_in_its_heading(size, watch, app, until, golden) -> None:
    watch.shown = replace(watch.shown, pid=4242)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("t")
        await until(pilot, lambda: "req/s" in _heading(app))
        golden(f"live-qps-{size[0]}", await until(pilot, "held 50/50"))
        for heading in ("tok/s", "p95 max", "errors", "in flight"):
            await pilot.press("t")
            await until(pilot, lambda heading=heading: heading in _heading(app))
        await pilot.press("T")
        await until(pilot, lambda: "errors" in _heading(app))


def _heading(app) -> str:
    grid = app.screen.face.grid
    return "".join(text for text, _ in grid.screen_lines(grid.canvas.width, grid.size.height)[0])


async def test_jobs_and_events_change_places_and_new_events_are_counted(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "job started")
        await pilot.press("b")
        shown = await until(pilot, "8 in all: 1 running, 7 waiting")
        assert "job started" not in shown
        happened = EventView(at_s=450.0, level="warn", subject="", text="something")
        watch.shown = replace(watch.shown, seq=8, events=(*watch.shown.events, happened))
        await until(pilot, "new events 1")
        await pilot.press("b")
        shown = await until(pilot, "something")
        await until(pilot, lambda: app.screen.chronicle.unread == 0)


async def test_events_are_filtered_by_level_and_words_and_told_in_full(watch, app, until) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "run started")
        await pilot.press("e")
        shown = await until(pilot, "errors and warnings   2 of 4 events")
        assert "run started" not in shown
        assert "401: key quarantined" in shown
        await pilot.press("e")
        await until(pilot, "run started")
        await pilot.press("tab")
        await until(pilot, lambda: app.screen.face.events.has_focus)
        await pilot.press("slash", *"429", "enter")
        shown = await until(pilot, "filter: 429   1 of 4 events")
        assert AZURE[0] in shown  # lanes are not what was filtered
        await pilot.press("enter")
        await until(pilot, "7:20 ideallab/qwen2.5-32b-instruct@key0  429, back in 12 s")
        await pilot.press("escape")
        await until(pilot, "run started")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.face.grid.has_focus)


async def test_the_interval_of_looks_is_shown_and_goes_round(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "every 0.1 s")
        await pilot.press("r")
        await until(pilot, "looks every 0.25 s")
        await until(pilot, "every 0.25 s")


async def test_a_frozen_picture_stands_still_while_the_run_goes_on(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "in flight 133")
        await pilot.press("m")
        await until(pilot, "FROZEN")
        watch.shown = replace(watch.shown, seq=8, in_flight=7)
        await until(pilot, lambda: app.screen.view.snapshot.in_flight == 7)
        await until(pilot, "in flight 133")
        await pilot.press("m")
        await until(pilot, "in flight 7 ")


async def test_the_selection_is_copied(watch, app, until) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        await pilot.press("y")
        await until(pilot, f"copied: {AZURE[0]}@key0")
        assert app.clipboard.startswith(f"{FIRST} ({AZURE[0]}) · at limit · in flight 50/50")


async def test_no_key_commands_a_run_that_is_over(watch, app, until, engine) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50/50")
        watch.shown, engine.lives = None, False
        await until(pilot, "ENGINE GONE")
        await pilot.press("plus", "o", "a", "0", "equals_sign", "greater_than_sign", "space", "d", "s")
        await pilot.pause()
        assert watch.sent == []
        assert isinstance(app.screen, Live)


async def test_a_line_that_is_behind_is_not_drawn_on_while_looks_go_on(
    watch, app, until, monkeypatch
) -> None:
    behind = [False]
    monkeypatch.setattr("console.screens.live.watching.line_is_behind", lambda _app: behind[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "in flight 133")
        behind[0] = True
        watch.shown = replace(watch.shown, seq=8, in_flight=7)
        await until(pilot, lambda: app.screen.view.snapshot.in_flight == 7)
        watch.shown = replace(watch.shown, seq=9, in_flight=5)
        shown = await until(pilot, lambda: app.screen.view.snapshot.in_flight == 5)
        assert "in flight 133" in shown
        behind[0] = False
        await until(pilot, "in flight 5 ")
