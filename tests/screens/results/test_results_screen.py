"""The results of a run by keys, at 80×24, 160×48 and 60×15, on made-up tables."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import Told, opened
from fakes.results import RUN, FakeReading, FakeRun

from console.app import ConsoleApp, StartAt
from console.screens.looks import Looks
from console.screens.results.needs import Export, RunHead
from console.screens.results.screen import Results
from console.vocabulary.errors import ConsoleError

pytestmark = pytest.mark.anyio

SIZES = [(80, 24), (160, 48)]
SHOWN = StartAt("results", RUN)


def app_on(run: FakeRun | None = None):
    told = Told(reading=FakeReading(run or FakeRun()))
    return opened(told, SHOWN), told


async def still(pilot, until, wanted: str) -> str:
    """Wait until the screen shows a text, and nothing on it moves any more."""
    before = ""
    for _ in range(50):
        shown = await until(pilot, wanted)
        if shown == before and "? help" in shown.splitlines()[-1]:
            return shown
        before = shown
        await pilot.pause(0.02)
    raise AssertionError(f"it never comes to rest\n{shown}")


async def go_to(pilot, until, view: str) -> str:
    """Press `v` until a view is in front and filled."""
    await until(pilot, lambda: pilot.app.screen.results is not None)
    for _ in range(8):
        if f"[{view}]" not in await until(pilot, "["):
            await pilot.press("v")
    return await until(pilot, f"[{view}]")


async def test_without_a_run_it_says_where_to_find_one(until, golden) -> None:
    app = opened(Told(), StartAt("launch"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        golden("results-empty-80", await still(pilot, until, "no run is shown: 6 lists runs"))


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_a_finished_run_begins_with_a_screenful(size, until, golden) -> None:
    app, _ = app_on()
    async with app.run_test(size=size) as pilot:
        shown = await still(pilot, until, "workers 100")
        assert "SIMULATED" in shown
        golden(f"results-overview-{size[0]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=["narrow", "wide"])
async def test_the_models_of_a_finished_run(size, until, golden) -> None:
    app, _ = app_on()
    async with app.run_test(size=size) as pilot:
        await go_to(pilot, until, "models")
        golden(f"results-models-{size[0]}", await still(pilot, until, "8 models"))


@pytest.mark.parametrize(
    ("kind", "reason", "wanted"),
    [
        ("live", "the run is live: figures so far", "STILL RUNNING: 338 of 800"),
        ("partial", "the engine ended without saying so", "PARTIAL: 338 of 800"),
    ],
)
async def test_a_run_that_is_not_whole_says_so_above_every_view(kind, reason, wanted, until, golden) -> None:
    head = RunHead(RUN.name, RUN, "5.1", "sim", kind, True, 338, 800, partial_reason=reason)
    app, _ = app_on(FakeRun(head=head))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, wanted)
        await go_to(pilot, until, "models")
        shown = await still(pilot, until, "8 models")
        assert wanted in shown
        assert "SIMULATED" in shown
        assert (reason in shown) is (kind == "partial")
        golden(f"results-{kind}-80", shown)


async def test_enter_goes_down_to_one_test_and_escape_up_again(until, golden, screen_text) -> None:
    app, _ = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "models")
        await until(pilot, "8 models")
        await pilot.press("j", "j", "enter")
        await until(pilot, "Llama-3.3-70B-Instruct › optimal › easy › 0.8   by task type")
        await pilot.press("j", "enter")
        await until(pilot, "20 tests")
        await pilot.press("f", "f")
        await until(pilot, "basic_task › failures")
        await until(pilot, "6 tests")
        await pilot.press("j", "enter")
        shown = await still(pilot, until, "turn 1")
        assert "failures › basic_task/6" in shown
        golden("results-trace-80", shown)
        await pilot.press("n")
        await until(pilot, "basic_task/9   3 of 6")
        await pilot.press("p", "p")
        await until(pilot, "basic_task/3   1 of 6")
        await pilot.press("p")
        await until(pilot, "basic_task/3   1 of 6")
        await pilot.press("escape")
        await until(pilot, ">basic_task/3")
        await pilot.press("escape")
        await until(pilot, ">basic_task ")
        await pilot.press("escape")
        shown = await still(pilot, until, "8 models")
        assert ">Llama-3.3-70B-Instruct" in shown, "the cursor is where it was"
        await pilot.press("escape", "escape")
        assert "8 models" in screen_text(app)


async def test_one_test_on_a_wide_screen(until, golden) -> None:
    app, _ = app_on()
    async with app.run_test(size=(160, 48)) as pilot:
        await go_to(pilot, until, "tests")
        await until(pilot, "20 tests")
        await pilot.press("enter")
        golden("results-trace-160", await still(pilot, until, "turn 2"))


async def test_what_a_model_says_is_never_taken_for_a_heading_or_a_sequence(until) -> None:
    app, _ = app_on(FakeRun(hostile="\x1b]0;owned\x07[red]\x9b2J\u202eprompt"))
    async with app.run_test(size=(80, 48)) as pilot:
        await go_to(pilot, until, "tests")
        await until(pilot, "20 tests")
        await pilot.press("enter")
        shown = await until(pilot, "[red]")
        for forbidden in ("\x1b", "\x07", "\x9b", "\u202e"):
            assert forbidden not in shown
        assert isinstance(app.screen, Results)
        tones = {text: tone for line in app.screen.query_one("#trace").lines for text, tone in line}
        assert tones["turn 2"] == "strong"
        assert tones["    turn 3"] == ""


async def test_a_test_is_searched(until) -> None:
    app, _ = app_on()
    async with app.run_test(size=(60, 15)) as pilot:
        await go_to(pilot, until, "tests")
        await until(pilot, "20 tests")
        await pilot.press("enter")
        await until(pilot, "verdict")
        await pilot.press("slash", *"calls", "enter")
        await until(pilot, "search: calls   line 1 of 2")
        await pilot.press("enter")
        await until(pilot, "search: calls   line 2 of 2")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: app.screen.query_one("#trace").sought == "")
        await pilot.press("escape")
        await until(pilot, "20 tests")


async def test_rows_are_filtered_and_sorted(until, screen_text) -> None:
    app, _ = app_on()
    async with app.run_test(size=(100, 30)) as pilot:
        await go_to(pilot, until, "models")
        await until(pilot, "8 models")
        await pilot.press("slash", *"7b", "enter")
        shown = await until(pilot, "filter: 7b   1 of 9 rows")
        assert "DeepSeek" not in shown
        await pilot.press("escape")
        await until(pilot, "DeepSeek-V3-0324")
        await pilot.press("greater_than_sign", "greater_than_sign", "greater_than_sign")
        shown = await until(pilot, "full ▲")
        lines = [
            line.split()[0]
            for line in shown.splitlines()
            if "instruct" in line.lower() or line.startswith(">")
        ]
        assert lines[0] == ">qwen2.5-3b-instruct"
        await pilot.press("s")
        await until(pilot, "full ▼")
        await until(pilot, ">DeepSeek-V3-0324")


async def test_views_keep_the_level_at_which_they_were_left(until) -> None:
    app, _ = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "errors")
        await until(pilot, "3 classes")
        await pilot.press("enter")
        await until(pilot, "tool_selection   tests")
        await pilot.press("V")
        await until(pilot, "2 tables")
        await pilot.press("tab")
        await until(pilot, "tool_selection   tests")


async def test_t_leads_from_a_row_to_all_its_tests(until) -> None:
    app, _ = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "models")
        await until(pilot, "8 models")
        await pilot.press("t")
        await until(pilot, "DeepSeek-V3-0324   tests   20 tests")


async def test_a_run_is_read_again_and_stays_where_it_was(until) -> None:
    app, told = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "models")
        await until(pilot, "8 models")
        await pilot.press("j", "enter")
        await until(pilot, "DeepSeek-R1-0528 › optimal")
        told.reading.run = replace(
            told.reading.run, head=RunHead(RUN.name, RUN, "5.1", "sim", "live", True, 501, 800)
        )
        await pilot.press("r")
        await until(pilot, "STILL RUNNING: 501 of 800")
        await until(pilot, "DeepSeek-R1-0528 › optimal")
        assert told.reading.read_dirs == [RUN, RUN]


async def test_a_long_reading_tells_how_far_it_is_and_can_be_given_up(until, monkeypatch) -> None:
    go_on, told_share = threading.Event(), threading.Event()

    def slow(watch) -> None:
        while not go_on.is_set():
            watch(0.42)
            told_share.set()
            go_on.wait(0.01)

    told = Told(reading=FakeReading(before=slow))
    app = opened(told, SHOWN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "reading the journal 42 %; Esc gives it up")
        await pilot.press("escape")
        await until(pilot, "given up: r reads it")
        go_on.set()
        await pilot.press("r")
        await until(pilot, "[overview]")


async def test_what_goes_wrong_is_said_and_what_was_there_stays(until) -> None:
    app, told = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[overview]")
        told.reading.error = ConsoleError("cannot be read: Input/output error", where="/runs/x", hint="look")
        await pilot.press("r")
        shown = await until(pilot, "/runs/x: cannot be read")
        assert "verdicts" in shown


async def test_atable_is_exported_where_and_as_it_is_wanted(
    until, golden, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("console.screens.results.export_words.Path.cwd", lambda: Path("/"))
    monkeypatch.setattr("console.screens.results.export_words.os.access", lambda *_: True)
    app, told = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "models")
        await until(pilot, "8 models")
        await pilot.press("x")
        golden("results-export-80", await still(pilot, until, "table as shown"))
        await pilot.press("down", "right", "down")
        await until(pilot, "[JSON]")
        await pilot.press("ctrl+u", *str(tmp_path), *"/a.json", "enter")
        await until(pilot, "written:")
        assert told.reading.run.exported == [(Export("table", "json", tmp_path / "a.json"), 9)]


async def test_a_file_that_is_there_is_written_over_only_after_asking(until, tmp_path: Path) -> None:
    there = tmp_path / "b.csv"
    there.write_text("mine")
    app, told = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[overview]")
        await pilot.press("x")
        shown = await until(pilot, "tests (all columns)")
        assert "table as shown" not in shown, "the overview is no table"
        await pilot.press("up", "ctrl+u", *str(there), "enter")
        await until(pilot, "there is such a file already")
        assert told.reading.run.exported == []
        await pilot.press("left", "enter")
        await until(pilot, "written:")
        assert told.reading.run.exported == [(Export("tests", "csv", there, overwrite=True), 0)]


async def test_rows_andtables_are_copied_as_text(until, monkeypatch) -> None:
    copied: list[str] = []
    app, _ = app_on()
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "keys")
        await until(pilot, "3 keys")
        await pilot.press("y")
        await until(pilot, "copied the row")
        await pilot.press("Y")
        await until(pilot, "copied 3 rows")
    assert copied[0] == "azure/key0\t1,912\t99.1%\t14"
    assert copied[1].splitlines()[0] == "key\trequests\tok\t429"
    assert len(copied[1].splitlines()) == 4


async def test_a_level_of_load_shows_what_there_is(until, screen_text) -> None:
    head = RunHead(RUN.name, RUN, "gpt-4o-mini C=5 rate=inf", "sim", "finished", True, 40, 40, unit="prompts")
    app, _ = app_on(FakeRun(head=head))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "FINISHED: 40 of 40")
        await go_to(pilot, until, "keys")
        await until(pilot, "3 keys")
        footer = screen_text(app).splitlines()[-1]
        assert " tests" not in footer


async def test_a_small_terminal_shows_less_and_breaks_nothing(until) -> None:
    app, _ = app_on()
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, "verdicts")
        for view in ("models", "keys", "deploys", "lanes", "phases", "errors", "tests"):
            shown = await go_to(pilot, until, view)
            assert all(len(line) <= 60 for line in shown.splitlines())
        await until(pilot, "20 tests")
        await pilot.press("enter")
        await until(pilot, "verdict   failure")
        await pilot.resize_terminal(30, 6)
        await pilot.resize_terminal(80, 24)
        await until(pilot, "turn 1")


async def test_plain_signs_where_the_terminal_knows_only_ascii(until) -> None:
    app = ConsoleApp(Told().backend, SHOWN, Looks(ascii_only=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, until, "models")
        await until(pilot, "8 models")
        await pilot.press("enter")
        await until(pilot, "DeepSeek-V3-0324 > optimal > easy > 0.8")
        body = (await until(pilot, "by task type")).splitlines()[1:-1]
        assert all(line.isascii() for line in body)


async def test_s_judges_by_the_other_preset_and_the_headline_says_so(until) -> None:
    app, _ = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        assert "SCORING" not in await until(pilot, "full 568")
        await pilot.press("S")
        assert "SCORING ORIGINAL" in await until(pilot, "full 401, by the preset original")
        await go_to(pilot, until, "models")
        await pilot.press("S")
        await until(pilot, lambda: app.screen.results.scoring == "goal")
        assert "SCORING" not in await until(pilot, "[models]")
