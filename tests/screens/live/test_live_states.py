"""The live screen in all states of a run and of the line to it, at 80×24 and 160×48, on fakes and on a real socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import anyio
import msgspec
import pytest
from fakes import AZURE, QWEN, RUN_DIR, FakeWatch, Told, opened, snapshot
from fakes.live import detail, history, obeyed, troubled

from console.app import StartAt
from console.control.client import Watcher
from console.control.server import ControlServer
from console.screens.leaving import Leaving
from console.screens.live.needs import RunEnd
from console.screens.live.screen import Live
from console.screens.results.screen import Results
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.command import Accepted, Change, Command, Drain, Pause, Refused, Resume, Stop, Tune
from console.vocabulary.inspection import LaneDetail
from console.vocabulary.lane import Scope
from console.vocabulary.snapshot import EventView, JobView, LaneView
from widgets.lane_grid import LaneGrid

pytestmark = pytest.mark.anyio

SIZES = [(80, 24), (160, 48)]
LIVE = StartAt("live", RUN_DIR)


def fixed_pid(shown):
    return msgspec.structs.replace(shown, pid=4242)


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_a_busy_simulated_run(size, until, golden) -> None:
    app = opened(Told(FakeWatch(fixed_pid(snapshot()))), LIVE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "s stop")
        shown = await until(pilot, "held 50")
        assert "SIMULATED" in shown
        golden(f"live-busy-{size[0]}", shown)


async def test_lines_that_the_grid_leaves_empty_show_events_and_jobs(until) -> None:
    few = msgspec.structs.replace(
        snapshot(),
        lanes=snapshot().lanes[:2],
        events=tuple(
            EventView(at_s=float(n), level="info", subject="", text=f"event {n}") for n in range(20)
        ),
    )
    app = opened(Told(FakeWatch(few)), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        shown = await until(pilot, "event 12")
        assert "total" in shown
        await pilot.press("b")
        await until(pilot, lambda: app.screen.query_one("#jobs").size.height > 6)
        await pilot.resize_terminal(80, 18)
        await until(pilot, lambda: not app.screen.query_one("#jobs").display)
        await pilot.resize_terminal(80, 24)
        await until(pilot, "event 12")


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_a_run_in_trouble_shows_what_each_lane_suffers_from(size, until, golden) -> None:
    app = opened(Told(FakeWatch(troubled())), LIVE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "s stop")
        await pilot.press("G")
        shown = await until(pilot, f"{QWEN[-1]}@key0 parked")
        assert "key ideallab/key2 is refused" in shown
        assert "429 2,436" in shown
        golden(f"live-trouble-{size[0]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_a_paused_run(size, until, golden) -> None:
    paused = fixed_pid(snapshot(state="paused", notice="", rate=0.0))
    app = opened(Told(FakeWatch(paused)), LIVE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "space resume")
        golden(f"live-paused-{size[0]}", await until(pilot, "held 50"))


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_no_run_says_what_to_do(size, until, golden) -> None:
    app = opened(Told(live_run=None), StartAt("live"))
    async with app.run_test(size=size) as pilot:
        shown = await until(pilot, "no run is live: 2 launches one")
        assert "pause" not in shown
        golden(f"live-empty-{size[0]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_a_finished_run_keeps_its_last_picture(size, until, golden) -> None:
    watch = FakeWatch(fixed_pid(snapshot(state="finished", done=800, in_flight=0, queued=0)))
    told = Told(watch)
    app = opened(told, LIVE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "FINISHED")
        watch.shown, told.end, told.live_run = None, RunEnd("finished", 0, 800, 800), None
        await until(pilot, lambda: isinstance(app.screen, Results))
        await pilot.press("3")
        await until(pilot, "the run has ended: Enter shows its results")
        golden(f"live-finished-{size[0]}", await until(pilot, "enter results"))


async def test_who_comes_back_after_the_end_sees_the_run_that_is_live_by_then(until) -> None:
    watch = FakeWatch(snapshot())
    told = Told(watch)
    app = opened(told, LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        watch.shown, told.end, told.live_run = None, RunEnd("finished", 0, 800, 800), None
        await until(pilot, lambda: isinstance(app.screen, Results))
        told.line, told.end, told.live_run = FakeWatch(snapshot(title="5.2")), None, Path("/runs/other")
        await pilot.press("3")
        await until(pilot, " 5.2  RUNNING")


async def test_a_capacity_level_has_neither_tests_nor_jobs(until, golden) -> None:
    level = snapshot(
        title="capacity run", planned=0, done=0, verdicts={}, jobs=(), phases=(), eta_s=None, queued=0
    )
    app = opened(Told(FakeWatch(level)), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "capacity run")
        await pilot.press("b")
        golden("live-level-80", await until(pilot, "no jobs"))


async def test_sixty_deployments_on_twelve_keys_scroll_both_ways(until) -> None:
    many = tuple(
        LaneView(
            provider="azure", model=f"m{row // 3}", deployment=f"d{row:02}", key=f"key{column}", workers=50
        )
        for row in range(60)
        for column in range(12)
    )
    app = opened(Told(FakeWatch(snapshot(lanes=many))), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "d00@key0")
        await pilot.press("G", *["l"] * 11)
        shown = await until(pilot, "d59@key11")
        assert "d59" in shown.split("total")[0]
        assert "key11" in shown


async def test_a_screen_of_60_by_15_keeps_the_grid_and_what_matters(until, golden) -> None:
    app = opened(Told(FakeWatch(snapshot())), LIVE)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, "held 50/50")
        golden("live-busy-60", await until(pilot, "space pause"))
        await pilot.press("b")
        await until(pilot, "x ideallab/qwen2.5-3b-instruct@key0")


async def test_a_blocked_run_says_why_above_the_grid(until, golden) -> None:
    blocked = snapshot(
        state="blocked", simulated=False, notice="disk full: nothing new is sent until rows can be written"
    )
    app = opened(Told(FakeWatch(blocked)), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        shown = await until(pilot, "held 50")
        assert "SIMULATED" not in shown
        golden("live-blocked-80", shown)


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_a_client_that_lags_behind_is_said_in_words_with_the_figure(size, until, golden) -> None:
    health = ClientHealth(
        verdict="client_bound",
        reason="stream read delay p99 48.2 ms > 10 % of TTFT p50 (212 ms)",
        hint="cpu 98 % of a core: more --processes, or fewer requests at a time",
    )
    app = opened(Told(FakeWatch(fixed_pid(snapshot(health=health)))), LIVE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "s stop")
        shown = await until(pilot, "held 50")
        assert "INVALID: client-bound: stream read delay p99 48.2 ms" in shown
        golden(f"live-client-bound-{size[0]}", shown)


async def test_a_suspect_client_gives_way_to_what_is_worse(until) -> None:
    health = ClientHealth(verdict="suspect", reason="loop lag p99 6.1 ms > 5 ms (TTFT p50 99 ms)")
    app = opened(Told(FakeWatch(snapshot(health=health))), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "client SUSPECT: loop lag p99 6.1 ms")
        await until(pilot, "CLIENT SUSPECT")
    app = opened(Told(FakeWatch(snapshot(health=health, notice="disk: full"))), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await until(pilot, "disk: full")
        assert "loop lag" not in shown
        assert "CLIENT SUSPECT" in shown


async def test_an_empty_run_that_is_starting(until) -> None:
    starting = snapshot(
        state="starting",
        lanes=(),
        jobs=(),
        events=(),
        planned=0,
        done=0,
        verdicts={},
        requests={},
        eta_s=None,
    )
    app = opened(Told(FakeWatch(starting)), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await until(pilot, "STARTING")
        assert "no lanes yet" in shown
        assert "no events yet" in shown


async def test_a_very_small_terminal_does_no_harm(until) -> None:
    app = opened(Told(), LIVE)
    async with app.run_test(size=(20, 5)) as pilot:
        await until(pilot, "5.1")
        for size in ((60, 15), (40, 10), (20, 5)):
            await pilot.resize_terminal(160, 48)
            await until(pilot, "pid")
            await pilot.resize_terminal(*size)
            await until(pilot, "5.1")


async def test_space_pauses_and_resumes_and_the_footer_shows_which(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "space pause")
        await pilot.press("space")
        await until(pilot, "PAUSED")
        await until(pilot, "space resume")
        assert watch.sent == [Pause()]
        await pilot.press("space")
        await until(pilot, "RUNNING")
        await until(pilot, "space pause")
        assert watch.sent == [Pause(), Resume()]


async def test_a_drain_that_leaves_out_no_test_asks_nothing(until) -> None:
    watch = FakeWatch(msgspec.structs.replace(snapshot(), queued=0))
    async with opened(Told(watch), LIVE).run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        await pilot.press("d")
        await until(pilot, "draining: tests that have begun are finished")
        assert watch.sent == [Drain()]


async def test_drain_and_stop_ask_first(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        await pilot.press("d")
        await until(pilot, f"{snapshot().queued} tests not begun are left out")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Live))
        assert watch.sent == []
        await pilot.press("d")
        await until(pilot, "Drain the run?")
        await pilot.press("y")
        await until(pilot, "draining: tests that have begun are finished")
        await pilot.press("s")
        await until(pilot, "133 requests in flight are cancelled")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Live))
        assert watch.sent == [Drain()]
        await pilot.press("s")
        await until(pilot, "Stop the run now?")
        await pilot.press("y")
        await until(pilot, lambda: watch.sent == [Drain(), Stop()])


async def test_a_refused_command_is_told(until) -> None:
    app = opened(Told(FakeWatch(snapshot(), refuse="already draining")), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        await pilot.press("d")
        await until(pilot, "Drain the run?")
        await pilot.press("y")
        await until(pilot, "not done: already draining")


async def test_leaving_is_asked_says_that_the_run_goes_on_and_sends_nothing(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "s stop")
        for key in ("q", "ctrl+c", "ctrl+q"):
            await pilot.press(key)
            await until(pilot, "The run goes on without it.")
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, Live))
        await pilot.press("ctrl+q", "enter")
        await pilot.pause()
    assert watch.sent == []
    assert watch.closed
    leaving = app.return_value
    assert leaving == Leaving(RUN_DIR, RUN_DIR.name, "live", 338, 800)
    assert leaving.exit_code == 0
    assert "ultra-console attach" in "\n".join(leaving.lines())


async def ended(app) -> None:
    """Wait until the app is about to end: there is no screen left to look at then."""
    for _ in range(1000):
        if app.return_code is not None:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not end")


async def test_a_run_that_ends_goes_on_to_its_results(until) -> None:
    watch = FakeWatch(snapshot())
    backend = Told(watch)
    app = opened(backend, LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        watch.shown = snapshot(state="finished", done=800)
        await until(pilot, "FINISHED")
        watch.shown, backend.end = None, RunEnd("finished", 3, 800, 800)
        await until(pilot, lambda: isinstance(app.screen, Results) and app.screen.is_mounted)
        await pilot.press("q")
        await ended(app)
    assert app.return_value == Leaving(RUN_DIR, RUN_DIR.name, "ended", 800, 800, backend.end)
    assert app.return_value.exit_code == 3


async def test_a_run_that_ends_behind_a_question_shows_its_results_after_it(until) -> None:
    watch = FakeWatch(snapshot())
    backend = Told(watch)
    app = opened(backend, LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("question_mark")
        watch.shown, backend.end = None, RunEnd("finished", 0)
        live = app.screen_stack[-2]
        await until(pilot, lambda: live.view.standing == "ended")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Results))


async def test_an_engine_that_is_gone_is_said_with_the_way_to_its_results(until, golden, engine) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        watch.shown, engine.lives = None, False
        await until(pilot, "the engine is gone, without an end")
        shown = await until(pilot, "enter results")
        assert "pause" not in shown
        golden("live-gone-80", shown)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Results))
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value.exit_code == 3
    assert app.return_value.lines() == [
        f"run {RUN_DIR.name}: the engine is gone, without an end (338/800 tests when it was last heard)",
        f"  what is finished is kept: {RUN_DIR}/journal",
        f"  see it: ultra-console summary {RUN_DIR.name}",
    ]


async def test_a_run_whose_engine_was_gone_before_is_said_to_be_gone_at_the_first_look(until, engine) -> None:
    engine.lives = False
    app = opened(Told(FakeWatch(None)), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "ENGINE GONE")
        await until(pilot, f"ultra-console summary {RUN_DIR.name}")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Results))


async def test_an_engine_that_holds_its_run_but_does_not_answer_yet_is_waited_for(until) -> None:
    watch = FakeWatch(None)
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "waiting for the engine")
        watch.shown = snapshot()
        await until(pilot, "RUNNING")


async def test_a_silent_engine_that_comes_back_is_shown_again(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        shown, watch.shown = watch.shown, None
        text = await until(pilot, "the engine does not answer; trying again")
        assert "DeepSeek-V3-0324" in text  # the last picture stays
        watch.shown = shown
        await until(pilot, lambda: app.screen.view.standing == "live")


async def test_an_equal_snapshot_repaints_nothing(until, monkeypatch) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50")
        await until(pilot, "s stop")
        looks: list[int] = []
        drawn: list[object] = []
        original = watch.look

        async def counted():
            looks.append(1)
            return await original()

        monkeypatch.setattr(watch, "look", counted)
        monkeypatch.setattr(app, "_display", lambda *args: drawn.append(args))
        await until(pilot, lambda: len(looks) > 5)
        assert drawn == []


async def test_hostile_text_reaches_no_screen(until) -> None:
    evil = "\x1b]0;owned\x07[red]\x1b[31mX\u202e\x9b2J"
    shown = snapshot(
        title=evil,
        profile=evil,
        run_id=evil,
        notice=evil,
        lanes=(LaneView(provider=evil, model=evil, deployment=evil, key=evil, note=evil),),
        jobs=(JobView(id="j", title=evil, model="m", state="running", planned=1, done=0),),
        events=(EventView(at_s=1.0, level=evil, subject=evil, text=evil),),
    )
    app = opened(Told(FakeWatch(shown, refuse=evil)), LIVE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "[red]")
        await pilot.press("d", "y")
        text = await until(pilot, "not done")
        await pilot.press("q")
        text += await until(pilot, "attach")
    for forbidden in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert forbidden not in text


async def test_help_lists_exactly_the_keys_that_work_now(until, screen_text) -> None:
    app = opened(Told(FakeWatch(snapshot(state="paused"))), LIVE)
    async with app.run_test(size=(80, 40)) as pilot:
        await until(pilot, "space resume")
        await pilot.press("question_mark")
        text = await until(pilot, "Esc closes")
        assert "Go on after a pause" in text
        assert "Pause: send nothing new" not in text
        assert "+  More workers for the selection" in text
        await pilot.press("end")
        await until(pilot, ". idle  ^ at limit  ! throttled  x parked  - off")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Live))


async def test_the_lane_under_the_cursor_is_told_in_full(until) -> None:
    app = opened(Told(FakeWatch(snapshot())), LIVE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "held 50")
        await pilot.press("G")
        await until(pilot, f"{QWEN[-1]}@key0 parked  401: key quarantined")
        await pilot.press("k", "k", "k", "l")
        await until(pilot, f"{QWEN[1]}@key1 throttled for 0:12")


class Engine:
    """A control server that shows what it is told to."""

    def __init__(self) -> None:
        self.shown = snapshot()
        self.told: list[Command] = []
        self.server = ControlServer(
            look=lambda: self.shown, obey=self.obey, inspect=self.inspect, recall=lambda: history(self.shown)
        )

    def obey(self, command: Command) -> Accepted | Refused:
        self.told.append(command)
        if isinstance(command, Drain):
            return Refused("it ends already")
        self.shown = obeyed(self.shown, command)
        return Accepted("as you say")

    async def inspect(self, lane_id: str) -> LaneDetail:
        return detail(self.shown, lane_id)


async def test_the_console_over_a_real_socket(tmp_path: Path, until) -> None:
    engine, path = Engine(), tmp_path / "control.sock"
    backend = Told(Watcher(path))
    async with anyio.create_task_group() as tasks:
        await tasks.start(engine.server.serve, path)
        app = opened(backend, LIVE)
        async with app.run_test(size=(160, 48)) as pilot:
            await until(pilot, f"{AZURE[0]}@key0")
            await until(pilot, "max 2.0")  # what the engine remembered
            assert app.screen.query_one(LaneGrid).highlighted == ("azure", AZURE[0], "key0")
            await pilot.press("space")
            await until(pilot, "as you say")
            await until(pilot, "PAUSED")
            await pilot.press("minus")
            await until(pilot, "held 50/45 (profile 50)")
            await until(pilot, lambda: not app.screen.expected.lanes)
            lane = Scope("lane", f"azure/{AZURE[0]}@key0")
            assert engine.told == [Pause(), Tune(scopes=(lane,), workers=Change("-", 5))]
            await pilot.press("i")
            await until(pilot, "lane       50/45 (profile 50)")
            await pilot.press("escape", "d")
            await until(pilot, "Drain the run?")
            await pilot.press("y")
            await until(pilot, "not done: it ends already")
            tasks.cancel_scope.cancel()  # the engine ends in order
            backend.end = RunEnd("interrupted", 130, 338, 800)
            with anyio.CancelScope(shield=True):
                await until(pilot, lambda: isinstance(app.screen, Results))


async def test_another_run_begins_with_an_empty_picture(until) -> None:
    told = Told(FakeWatch(snapshot()))
    app = opened(told, LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, f"{AZURE[0]}@key0")
        await pilot.press("2")
        told.line, app.session.watched = FakeWatch(None), Path("/runs/other")
        await pilot.press("3")
        shown = await until(pilot, "waiting for the engine")
        assert "connecting to the run" in shown
        assert AZURE[0] not in shown
