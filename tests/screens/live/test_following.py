"""The grid's cursor stays where work is done until it is moved by hand; rows stay where they are."""

from __future__ import annotations

import msgspec
import pytest
from fakes import AZURE, QWEN, RUN_DIR, FakeWatch, Told, opened, snapshot

from console.app import ConsoleApp, StartAt
from console.screens.live.following import IDLE_LOOKS, Following
from console.screens.looks import Looks
from console.vocabulary.snapshot import Snapshot
from widgets.lane_grid import LaneGrid

pytestmark = pytest.mark.anyio


def running(model: str, busy: tuple[str, ...] = ("key0", "key1")) -> Snapshot:
    """Return a run in which one job runs, on these keys."""
    shown = snapshot(notice="")
    lanes = tuple(
        msgspec.structs.replace(
            lane,
            state="busy" if (works := lane.model == model and lane.key in busy) else "idle",
            held=int(works),
            in_flight=int(works),
        )
        for lane in shown.lanes
    )
    jobs = tuple(
        msgspec.structs.replace(job, state="running" if job.model == model else "waiting")
        for job in shown.jobs
    )
    return msgspec.structs.replace(shown, lanes=lanes, jobs=jobs)


def test_the_first_busy_lane_of_the_running_job_is_followed():
    lane = Following().lane(running(QWEN[0], ("key1",)))
    assert lane is not None
    assert (lane.model, lane.key) == (QWEN[0], "key1")


def test_a_lane_that_is_idle_for_a_moment_is_not_left():
    following = Following()
    following.lane(running(QWEN[0], ("key0",)))
    for _ in range(IDLE_LOOKS - 1):
        lane = following.lane(running(QWEN[0], ("key1",)))
        assert lane is not None
        assert lane.key == "key0"
    lane = following.lane(running(QWEN[0], ("key1",)))
    assert lane is not None
    assert lane.key == "key1"


def test_nothing_is_followed_while_no_job_runs():
    assert Following().lane(running("no such model")) is None


async def test_what_runs_is_in_sight_until_the_cursor_is_moved_and_again_after_f(until) -> None:
    watch = FakeWatch(running(QWEN[0]))
    app = opened(Told(watch), StartAt("live", RUN_DIR))
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await until(pilot, "> qwen2.5-72b~")
        assert "qwen2.5-32b~" in shown
        grid = app.screen.query_one(LaneGrid)
        before = grid.scroll_offset.y
        watch.shown = running(QWEN[1])
        await until(pilot, "> qwen2.5-32b~")
        assert grid.scroll_offset.y == before  # what is in sight does not jump
        await pilot.press("g")
        await until(pilot, lambda: grid.highlighted == ("azure", AZURE[0], "key0"))
        watch.shown = running(QWEN[2])
        await until(pilot, lambda: QWEN[2] in [row.name for row in grid.data.rows if row.cells[0].in_flight])
        assert grid.highlighted == ("azure", AZURE[0], "key0")
        await pilot.press("f")
        await until(pilot, "> qwen2.5-14b~")
        await pilot.press("question_mark")
        await pilot.press("end")
        await until(pilot, "(PINNED); f follows again")


async def test_a_control_key_keeps_the_cursor_on_its_lane_and_the_headline_says_so(until) -> None:
    watch = FakeWatch(running(QWEN[0]))
    app = opened(Told(watch), StartAt("live", RUN_DIR))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "PINNED" not in await until(pilot, "> qwen2.5-72b~")
        await pilot.press("plus")
        await until(pilot, "PINNED")
        watch.shown = running(QWEN[1])
        grid = app.screen.query_one(LaneGrid)
        await until(pilot, lambda: QWEN[1] in [row.name for row in grid.data.rows if row.cells[0].in_flight])
        await pilot.press("plus")
        await until(pilot, lambda: bool(watch.sent) and not app.screen._held)
        assert {scope.name for tune in watch.sent for scope in tune.scopes} == {f"ideallab/{QWEN[0]}@key0"}
        await pilot.press("f")
        assert "PINNED" not in await until(pilot, "> qwen2.5-32b~")


async def test_a_key_pressed_as_the_cursor_leaves_its_lane_does_nothing_but_ask_again(
    until, monkeypatch
) -> None:
    monkeypatch.setattr("console.screens.live.aim.MOVED_S", 3600.0)
    watch = FakeWatch(running(QWEN[0]))
    app = opened(Told(watch), StartAt("live", RUN_DIR))
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, "> qwen2.5-72b")
        watch.shown = running(QWEN[1])
        await until(pilot, "> qwen2.5-32b")
        await pilot.press("minus")
        await until(pilot, f"the cursor has just left {QWEN[0]}@key0 for {QWEN[1]}@key0: press again")
        assert app.screen._held is None
        assert watch.sent == []
        await pilot.press("minus")
        await until(pilot, lambda: bool(watch.sent))
        assert [scope.name for scope in watch.sent[0].scopes] == [f"ideallab/{QWEN[1]}@key0"]


async def test_a_notice_comes_and_goes_without_moving_the_grid(until) -> None:
    watch = FakeWatch(running(QWEN[0]))
    app = opened(Told(watch), StartAt("live", RUN_DIR))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await until(pilot, "s stop")
        grid = app.screen.query_one(LaneGrid)
        before = grid.region
        watch.shown = msgspec.structs.replace(running(QWEN[0]), notice="paused: send nothing", state="paused")
        await until(pilot, "paused: send nothing")
        assert grid.region == before


async def test_the_eta_is_shown_once_as_a_clock_and_unknown_is_a_question_mark(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), StartAt("live", RUN_DIR))
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await until(pilot, "ETA 10:12")
        assert shown.count("ETA") == 1
        watch.shown = snapshot(eta_s=None)
        await until(pilot, "ETA ?")


@pytest.mark.parametrize(("ascii_only", "marks"), [(True, "/ raised"), (False, "↑ ↓ adaptive")])
async def test_the_help_explains_the_marks_that_are_drawn(ascii_only, marks, until) -> None:
    told = Told(FakeWatch(snapshot()))
    app = ConsoleApp(told.backend, StartAt("live", RUN_DIR), Looks(ascii_only=ascii_only))
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "RUNNING")
        assert marks in " ".join(app.screen.help_notes)
