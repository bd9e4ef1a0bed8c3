"""Every dialog is answered once: a key that bounces, or is held, does nothing to the screen below."""

from __future__ import annotations

import threading

import pytest
from fakes import RUN_DIR, FakeWatch, Told, opened, snapshot
from textual import events

from console.app import ConsoleApp, StartAt
from console.screens.help import Help
from console.screens.launch.confirm import Confirm
from console.screens.launch.screen import Launch
from console.screens.leaving import Leaving
from console.screens.live.needs import RunEnd
from console.screens.live.screen import Live
from console.vocabulary.command import Stop
from console.vocabulary.errors import ConsoleError

pytestmark = pytest.mark.anyio

LIVE = StartAt("live", RUN_DIR)


def burst(app: ConsoleApp, *keys: str) -> None:
    """Press keys faster than anything can be answered between them."""
    for key in keys:
        app.post_message(events.Key(key, None))


def live_app(watch: FakeWatch | None = None) -> ConsoleApp:
    return opened(Told(watch or FakeWatch(snapshot())), LIVE)


@pytest.mark.parametrize("key", ["enter", "q", "ctrl+c"])
async def test_a_doubled_answer_to_leave_leaves_once(key, until) -> None:
    app = live_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("q")
        await until(pilot, "Leave the console?")
        burst(app, key, key)
        await pilot.pause()
    assert app.return_value == Leaving(RUN_DIR, RUN_DIR.name, "live", 338, 800)
    assert app.return_code == 0


@pytest.mark.parametrize("opened_by", ["q", "s", "question_mark"])
async def test_a_doubled_escape_closes_the_dialog_and_not_the_screen_below(opened_by, until) -> None:
    watch = FakeWatch(snapshot())
    app = live_app(watch)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        for keys in (("escape", "escape"), ("escape", "escape", "escape"), ("n", "n"), ("n", "escape")):
            await pilot.press(opened_by)
            await until(pilot, lambda: not isinstance(app.screen, Live))
            burst(app, *keys)
            if "escape" not in keys and opened_by != "s":
                await pilot.pause()
                burst(app, "escape")  # `n` is an answer only where yes or no is asked
            await until(pilot, lambda: isinstance(app.screen, Live))
            await pilot.pause()
            assert isinstance(app.screen, Live), keys
            assert "DeepSeek" in await until(pilot, "RUNNING"), keys
    assert watch.sent == []


async def test_a_key_held_for_long_still_closes_only_the_dialog(until) -> None:
    app = live_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("q")
        await until(pilot, "Leave the console?")
        burst(app, *["escape"] * 20)
        await until(pilot, lambda: isinstance(app.screen, Live))
        await pilot.pause()
        assert isinstance(app.screen, Live)


async def test_a_doubled_key_closes_the_help_once(until) -> None:
    app = live_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        for key in ("escape", "q", "question_mark", "enter", "ctrl+c"):
            await pilot.press("x", "question_mark")  # after another key it is meant
            await until(pilot, "Esc closes")
            burst(app, key, key)
            await until(pilot, lambda: isinstance(app.screen, Live))
            await pilot.pause()
            assert isinstance(app.screen, Live), key
            assert app.is_running, key


async def test_a_doubled_key_leaves_the_launch_once_and_starts_nothing(until) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        for key in ("escape", "q", "ctrl+c", "ctrl+q"):
            await pilot.press("enter")
            await until(pilot, "8 req/s against")
            burst(app, key, key)
            await until(pilot, lambda: isinstance(app.screen, Launch))
            await pilot.pause()
            assert isinstance(app.screen, Launch), key
            assert app.is_running, key
    assert backend.launched == []


async def test_a_doubled_enter_opens_the_launch_without_starting_it_and_starts_it_once(
    until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.screens.dialog.ECHO_S", 3600)  # however slow this machine is
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("enter", "enter", "enter")
        await until(pilot, "8 req/s against")
        await pilot.press("enter")
        assert backend.launched == []
        await pilot.press("x")
        burst(app, "enter", "enter")
        await until(pilot, "RUNNING")
        await pilot.pause()
        assert isinstance(app.screen, Live)
    assert backend.launched == [("sim", "5.1")]


@pytest.mark.parametrize("keys", [("y", "y"), ("y", "escape"), ("y", "n")])
async def test_stop_is_sent_once(keys, until) -> None:
    watch = FakeWatch(snapshot())
    app = live_app(watch)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("s")
        await until(pilot, "Stop the run now?")
        burst(app, *keys)
        await until(pilot, lambda: watch.sent != [])
        await pilot.pause()
        assert isinstance(app.screen, Live)
    assert watch.sent == [Stop()]


async def test_an_answer_that_comes_under_the_help_waits_until_that_is_closed(until) -> None:
    go = threading.Event()

    class Slow(Told):
        def launch(self, asked):
            go.wait(30)
            return super().launch(asked)

    app = opened(Slow())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("enter")
        await until(pilot, "8 req/s against")
        await pilot.press("x", "enter")
        await until(pilot, "starting the engine")
        await pilot.press("question_mark")
        await until(pilot, "Esc closes")
        go.set()
        launch = app.screen_stack[-2]
        assert isinstance(launch, Confirm)
        await until(pilot, lambda: launch._waiting != [])
        assert isinstance(app.screen, Help)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Live))


async def test_stop_and_leave_asks_waits_for_the_end_and_says_that_it_was_stopped(until) -> None:
    watch = FakeWatch(snapshot())
    backend = Told(watch)
    app = opened(backend, LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("q")
        await until(pilot, "stop the run, then leave")
        await pilot.press("s")
        await until(pilot, "Stop the run now?")
        await pilot.press("y")
        await until(pilot, "the console closes at its end")
        assert app.is_running
        watch.shown, backend.end = None, RunEnd("interrupted", 130, 340, 800)
        await until(pilot, lambda: not app.is_running or app.return_value is not None)
    assert watch.sent == [Stop()]
    assert app.return_value.lines()[0] == f"run {RUN_DIR.name} was stopped (340/800 tests)"
    assert app.return_value.exit_code == 130


async def test_leaving_while_a_stop_is_under_way_does_not_say_that_the_run_goes_on(until) -> None:
    app = live_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("s")
        await until(pilot, "Stop the run now?")
        await pilot.press("y")
        await until(pilot, "stopping")
        await pilot.press("q")
        await until(pilot, "The run is stopping")
        await pilot.press("enter")
        await pilot.pause()
    assert (
        app.return_value.lines()[0]
        == f"run {RUN_DIR.name} was told to stop, and has not ended yet (338/800 tests)"
    )


async def test_a_refused_stop_keeps_the_console_open(until) -> None:
    watch = FakeWatch(snapshot(), refuse="not now")
    app = live_app(watch)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("q", "s")
        await until(pilot, "Stop the run now?")
        await pilot.press("y")
        await until(pilot, "not done: not now")
        assert isinstance(app.screen, Live)
        assert app.screen.leaving().state == "live"


async def test_no_text_of_a_dialog_is_cut(until) -> None:
    app = live_app()
    async with app.run_test(size=(80, 24)) as pilot:
        for size in ((80, 24), (60, 15), (40, 20)):
            await pilot.resize_terminal(*size)
            await until(pilot, "RUNNING")
            await pilot.press("s")
            words = inside(await until(pilot, "Stop the run now?"))
            assert (
                "133 requests in flight are cancelled; tests under way have no verdict. What is finished is kept."
                in words
            )
            assert "Esc n let it run" in words
            await pilot.press("escape", "question_mark")
            words = inside(await until(pilot, "Esc closes"))
            assert "Pause: send nothing new" in words  # the rest is a page below
            await pilot.press("escape")


async def test_all_of_a_long_launch_failure_can_be_read(until) -> None:
    problems = [
        f"profile.toml:{n}: models.m{n}.provider: there is no provider 'nowhere-{n}' in this file"
        for n in range(30)
    ]
    app = opened(Told(launch_error=ConsoleError("\n".join(problems))))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("enter")
        await until(pilot, "8 req/s against")
        await pilot.press("x", "enter")
        words = inside(await until(pilot, "nowhere-0"))
        assert problems[0] in words
        assert problems[2] in words
        await pilot.press("end")
        assert problems[-1] in inside(await until(pilot, "nowhere-29"))
        assert "Esc back" in inside(await until(pilot, "Enter try"))


def inside(shown: str) -> str:
    """Return the words of the innermost box, its lines joined."""
    rows = [line.split("│") for line in shown.splitlines() if line.count("│") >= 2]
    widest = [max((cell for cell in row[1:-1]), key=len) for row in rows]
    return " ".join(" ".join(widest).replace("▇", " ").replace("▆", " ").split())
