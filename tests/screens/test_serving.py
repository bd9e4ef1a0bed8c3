"""What the app does for every screen: the palette, help, the way back, copies, and keys that do not clash."""

from __future__ import annotations

import base64

import pytest
from fakes import RUN_DIR, FakeWatch, Told, opened, snapshot
from hypothesis import given
from hypothesis import strategies as st
from textual.binding import Binding

from console.app import ConsoleApp, StartAt
from console.screens.clipboard import MOST_BYTES, copy_of, keep_copy
from console.screens.commands import Command, matching
from console.screens.palette import Palette
from console.screens.preferences import read_preferences
from console.vocabulary.command import Pause

pytestmark = pytest.mark.anyio
LIVE = StartAt("live", RUN_DIR)


async def test_the_palette_finds_a_command_by_a_few_letters_and_does_it(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "space pause")
        await pilot.press("colon")
        shown = await until(pilot, "Enter does it")
        assert "> Pause: send nothing new" in shown
        await pilot.press(*"go prof")
        await until(pilot, "> Go to profiles")
        await pilot.press("enter")
        await until(pilot, "[1 PROFILES]")
        await pilot.press("3")
        await until(pilot, "space pause")
        await pilot.press("ctrl+p", *"pau", "enter")
        await until(pilot, "PAUSED")
        assert watch.sent == [Pause()]


async def test_the_palette_offers_only_what_works_now_and_closes_without_doing_anything(until) -> None:
    watch = FakeWatch(snapshot(state="paused"))
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "space resume")
        await pilot.press("colon", *"pause")
        shown = await until(pilot, "Go on after a pause")
        assert "Pause: send nothing new" not in shown
        for key in ("q", "3", "s"):
            await pilot.press(key)
        assert isinstance(app.screen, Palette)
        await until(pilot, "no command of this name")
        await pilot.press("escape")
        await until(pilot, "space resume")
    assert watch.sent == []


async def test_a_command_is_typed_with_its_figures(until) -> None:
    watch = FakeWatch(snapshot())
    app = opened(Told(watch), LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "held 50")
        await pilot.press("colon", *"workers many", "enter")
        await until(pilot, "`many` is not a figure")
        await pilot.press(*["backspace"] * 4, *"40", "enter")
        await until(pilot, lambda: not isinstance(app.screen, Palette))
        await until(pilot, lambda: len(watch.sent) == 1)
        assert watch.sent[0].workers.value == 40
        await pilot.press("colon", *"refresh 5 s", "enter")
        await until(pilot, "every 5 s")
        await pilot.press("colon", *"refresh never", "enter")
        await until(pilot, "0.25 to 5 seconds")


async def test_a_theme_is_chosen_and_kept(until) -> None:
    app = opened(Told())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[2 LAUNCH]")
        await pilot.press("colon", *"theme light", "enter")
        await until(pilot, lambda: app.theme == "light")
        assert read_preferences().theme == "light"
        await pilot.press("colon", *"theme green", "enter")
        await until(pilot, "theme auto, dark or light")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (60, 15)])
async def test_the_palette_fits(size, until) -> None:
    app = opened(Told(FakeWatch(snapshot())), LIVE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "RUNNING")
        await pilot.press("colon")
        shown = await until(pilot, "Enter does it, Esc closes")
        assert "Pause: send nothing new" in shown
        await pilot.press(*["pagedown"] * 12)
        await until(pilot, "> Theme: light")


async def test_escape_goes_back_the_way_one_came(until) -> None:
    app = opened(Told(FakeWatch(snapshot())))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[2 LAUNCH]")
        for key, place in (("4", "CAPACITY"), ("6", "RUNS"), ("4", "CAPACITY")):
            await pilot.press(key)
            await until(pilot, f"[{key} {place}]")
        for place in ("6 RUNS", "4 CAPACITY", "2 LAUNCH", "2 LAUNCH"):
            await pilot.press("escape")
            await until(pilot, f"[{place}]")


async def test_help_tells_where_each_key_works(until) -> None:
    app = opened(Told(FakeWatch(snapshot())), LIVE)
    async with app.run_test(size=(100, 80)) as pilot:
        await until(pilot, "space pause")
        await pilot.press("question_mark")
        shown = await until(pilot, "Esc closes")
        here, everywhere = shown.index("where you are now"), shown.index("everywhere")
        assert shown.index("Pause: send nothing new") < here < everywhere < shown.index("Go to profiles")


async def test_help_gives_the_reason_where_a_screen_has_one(until, monkeypatch) -> None:
    app = opened(Told(FakeWatch(snapshot(state="paused"))), LIVE)
    async with app.run_test(size=(100, 80)) as pilot:
        await until(pilot, "space resume")
        monkeypatch.setattr(
            app.screen, "why_not", lambda action: "it is paused" if action == "pause_run" else ""
        )
        await pilot.press("question_mark")
        await until(pilot, "Pause: send nothing new: it is paused")


@pytest.mark.parametrize("key", [*"123456"])
async def test_every_key_has_a_name_a_word_for_it_and_one_meaning(key, until) -> None:
    app = opened(Told(FakeWatch(snapshot())))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[2 LAUNCH]")
        await pilot.press(key)
        await until(pilot, f"[{key} ")
        ids: dict[str, tuple[type, str]] = {}
        for node in (app, app.screen, *app.screen.query("*")):
            if not type(node).__module__.startswith("console."):
                continue
            for bindings in node._bindings.key_to_bindings.values():
                for binding in bindings:
                    where = f"{type(node).__name__}: {binding.key}"
                    of_a_screen = node is app or node is app.screen
                    if binding.description and not binding.system and (of_a_screen or binding.show):
                        assert binding.id, where
                        assert binding.tooltip, where
                        meant = ids.setdefault(binding.id, (type(node), binding.action))
                        assert meant == (type(node), binding.action), (
                            f"{where}: {binding.id} is taken by {meant}"
                        )
        for where, bindings in app.screen._bindings.key_to_bindings.items():
            works = [binding for binding in bindings if app.screen.check_action(*parsed(binding))]
            assert len(works) <= 1, f"{where} means {[binding.action for binding in works]} at once"


def parsed(binding: Binding) -> tuple[str, tuple[object, ...]]:
    from textual.actions import parse

    _, name, parameters = parse(binding.action)
    return name, parameters


COMMANDS = [
    Command(name, (keys,), "x", None)
    for name, keys in (("Pause: send nothing", "Space"), ("Page", "p"), ("Go to live", "3"))
]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", ["Pause: send nothing", "Page", "Go to live"]),
        ("pa", ["Pause: send nothing", "Page"]),
        ("live", ["Go to live"]),
        ("gtl", ["Go to live"]),
        ("p", ["Page", "Pause: send nothing"]),
        ("3", ["Go to live"]),
        ("zz", []),
    ],
)
def test_what_is_found(typed, names) -> None:
    assert [command.name for command in matching(COMMANDS, typed)] == names


def decoded(sequence: str) -> str:
    payload = (
        sequence.removeprefix("\x1bP").removesuffix("\x1b\\").removeprefix("\x1b]52;c;").removesuffix("\x07")
    )
    return base64.b64decode(payload).decode()


@given(st.text(max_size=200))
def test_a_copy_steers_nothing_and_runs_nothing(text) -> None:
    copy = copy_of(text, {"TERM": "xterm-256color"})
    assert decoded(copy.sequence) == copy.text
    assert not copy.text.endswith("\n")
    assert not set(copy.text) & set("\x1b\x07\r\x00\x9b\u202e")
    assert ("\n" in copy.text) == ("lines" in copy.hint)


@pytest.mark.parametrize(
    ("environ", "sure", "asked"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, False, True),
        ({"TERM": "screen"}, False, True),
        ({"TERM": "linux"}, False, False),
        ({}, False, False),
    ],
)
def test_where_a_terminal_may_not_listen_the_text_is_kept_as_well(environ, sure, asked) -> None:
    copy = copy_of("ultra-console attach x\n", environ)
    assert (copy.sure, bool(copy.sequence)) == (sure, asked)
    assert copy.text == "ultra-console attach x"
    assert sure or copy.hint


def test_too_much_goes_into_a_file_that_nobody_else_reads() -> None:
    copy = copy_of("x" * MOST_BYTES, {"TERM": "xterm"})
    assert copy.sequence == ""
    path = keep_copy(copy.text)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text(encoding="utf-8") == copy.text + "\n"


def test_the_app_is_made_of_plain_parts() -> None:
    assert ConsoleApp.ENABLE_COMMAND_PALETTE is False, "Textual's own palette has a spinner"
