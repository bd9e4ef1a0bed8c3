"""The launch screen driven by keys on fakes: what is chosen, what is planned, and what is started are one."""

from __future__ import annotations

import threading

import pytest
from fakes import FakeWatch, Told, opened, snapshot
from fakes.launch import BROKEN_PHASE

from console.screens.launch.command_line import command_line
from console.screens.launch.confirm import Confirm
from console.screens.launch.needs import Asked
from console.screens.launch.plan_pane import PlanPane
from console.screens.launch.played import ComparisonBox, RehearsalBox
from console.screens.launch.screen import Launch
from console.screens.live.screen import Live
from console.vocabulary.errors import ConsoleError
from widgets.line_paint import text_of

pytestmark = pytest.mark.anyio

SIZES = [(80, 24), (160, 48)]
IDS = ["narrow", "wide"]


async def test_enter_on_a_phase_shows_the_plan_and_enter_again_starts_it(until, golden) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("j", "enter")
        shown = await until(pilot, "8 req/s against a limit")
        assert backend.launched == []
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        shown = await until(pilot, "Enter start")
        golden("launch-confirm-80", shown)
        await pilot.press("x", "enter")  # any key between: it is no echo of the first Enter
        await until(pilot, "DeepSeek-V3-0324@key0")
        assert isinstance(app.screen, Live)
        assert backend.started == [Asked(phases=("5.2",))]
        await pilot.press("2")
        await until(pilot, "[2 LAUNCH]")


async def test_a_launch_that_fails_says_why_and_can_be_left(until) -> None:
    backend = Told(launch_error=ConsoleError("LAB_KEY_0 is not set", hint="export it"))
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("enter")
        await until(pilot, "Enter start")
        await pilot.press("x", "enter")
        await until(pilot, "LAB_KEY_0 is not set")
        await until(pilot, "hint: export it")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Launch))


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_nothing_is_chosen_at_first_and_the_screen_says_what_to_do(size, until, golden) -> None:
    app = opened(Told(own_profiles=False))
    async with app.run_test(size=size) as pilot:
        await until(pilot, "Nothing is chosen yet")
        await until(pilot, "goes on: 3 watches it")
        shown = await until(pilot, "5.4")
        golden(f"launch-empty-{size[0]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_two_phases_with_their_plan_beside(size, until, golden) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", "j", "space")
        await until(pilot, "5.1, 5.2 under sim (fixed)")
        shown = await until(pilot, "1,800")
        golden(f"launch-planned-{size[0]}", shown)
    assert backend.planned[-1] == Asked(phases=("5.1", "5.2"))


async def test_at_60_by_15_one_side_is_shown_and_tab_turns_to_the_other(until, golden) -> None:
    app = opened(Told())
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        golden("launch-choice-60", await until(pilot, "[x] 5.1"))
        await pilot.press("tab")
        golden("launch-settings-60", await until(pilot, "run id"))
        await pilot.press("tab")
        golden("launch-plan-60", await until(pilot, "800 new tests"))
        await pilot.press("tab")
        await until(pilot, "what to run")


async def test_what_is_picked_on_a_branch_is_a_list_for_all_phases(until) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", "j", "space")
        await until(pilot, "1,800")
        await pilot.press("slash", *"llama", "enter", "G", "space")
        await until(pilot, "5.2 gets 2 models that it does not have by itself")
        await until(pilot, "7 picked for every phase")
        asked = app.screen.asked
        assert len(asked.models) == 7
        assert "Llama-3.3-70B-Instruct" not in asked.models
        await until(pilot, lambda: backend.planned[-1] == asked)
        await pilot.press("space")  # back: each phase has its own again
        await until(pilot, lambda: backend.planned[-1] == Asked(phases=("5.1", "5.2")))
        await pilot.press("u", "escape", "o")
        await until(pilot, lambda: app.screen.asked.models == ())


async def test_an_axis_on_which_nothing_is_left_plans_and_launches_nothing(until) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", "G", "space")
        shown = await until(pilot, "No task type is left")
        assert "enter launch" not in shown
        await pilot.press("L")
        assert isinstance(app.screen, Launch)
        await pilot.press("o")
        await until(pilot, "800 new tests")


async def test_a_phase_with_an_error_shows_all_of_it_and_cannot_be_chosen(until) -> None:
    app = opened(Told())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "broken")
        await pilot.press("slash", *"broken", "enter", "G", "space")
        shown = " ".join((await until(pilot, "phase broken cannot be used")).split())
        for word in ("hardd", "instances", "whole number"):
            assert word in shown
        assert BROKEN_PHASE
        assert "[x]" not in shown
        assert app.screen.asked.phases == ()


async def test_the_cure_of_a_warning_at_the_lower_edge_comes_in_sight_with_it(until) -> None:
    app = opened(Told())
    async with app.run_test(size=(80, 18)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "w warnings")
        await pilot.press("w")
        plan = app.screen.query_one(PlanPane)
        assert plan.warning == 0
        assert "cure:" in await until(pilot, "--policy")
        bottom = plan.scroll_offset.y + plan.size.height
        ends = next(
            n for n in range(plan.cursor, plan.line_count()) if "cure:" in text_of(plan.line_at(n, 80))
        )
        assert plan.scroll_offset.y <= plan.cursor < ends < bottom


async def test_a_warning_is_cured_by_enter_and_taken_back_by_u(until) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "w warnings")
        await pilot.press("w", "w", "enter")
        cured = Asked(phases=("5.1",), changes=("limits.ideallab.open.fixed.workers=3",))
        await until(pilot, lambda: backend.planned[-1] == cured)
        await until(pilot, "* not saved:")
        await pilot.press("u")
        await until(pilot, lambda: backend.planned[-1] == Asked(phases=("5.1",)))
        await until(pilot, "w warnings")
        await pilot.press("w", "enter")
        await until(pilot, lambda: backend.planned[-1] == Asked(phases=("5.1",), policy="key-pool"))
        shown = await until(pilot, "policy           key-pool (C)")
        assert "8 req/s" not in shown


async def test_settings_are_stepped_typed_and_chosen(until) -> None:
    app = opened(Told())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", "tab", "right", "right", "j", "l", "l", "j", "j", "enter")
        await until(pilot, "instances of each task type")
        await pilot.press("x")
        await until(pilot, "a whole number ≥ 1")
        await pilot.press("enter")  # is not taken
        await pilot.press("backspace", "5", "enter")
        await until(pilot, lambda: app.screen.asked.instances == 5)
        await pilot.press("j", "l", "l", "j", "space", "j", "enter")
        await until(pilot, "20261119-080100-5.2-mine")
        await pilot.press("j", "enter", "j", "l", "j", "l", "j", "enter", *"night-1", "enter")
        wanted = Asked(
            phases=("5.1",),
            policy="serial",
            rate_mode="adaptive",
            instances=5,
            seed=2,
            ultra_parallel=True,
            reuse="20261119-080100-5.2-mine",
            processes="auto",
            content=False,
            run_id="night-1",
        )
        await until(pilot, lambda: app.screen.asked == wanted)
        await pilot.press("p")
        await until(pilot, "the same from a shell")
        await pilot.press("y")
        await until(pilot, "the command is copied")
        assert app.clipboard == command_line(wanted)
    assert command_line(wanted).count(" --") == 11


async def test_a_newer_choice_takes_the_place_of_a_plan_under_way(until) -> None:
    backend = Told(plan_held=threading.Event())
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "planning …")
        await until(pilot, lambda: len(backend.planned) == 1)
        await pilot.press("j", "space", "j", "space")
        await until(pilot, "planning …")
        backend.plan_held.set()
        await until(pilot, lambda: backend.planned[-1] == Asked(phases=("5.1", "5.2", "5.3")))
        await until(pilot, "5.1, 5.2, 5.3 under sim")
    assert Asked(phases=("5.1", "5.2")) not in backend.planned, "two at a time, or one that nobody wanted"


async def test_what_run_would_refuse_is_said_in_its_words(until) -> None:
    error = ConsoleError("no model 'o4' in the profile", where="phase 5.4", hint="it has gpt-4o-mini, o3")
    app = opened(Told(plan_error=error))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "phase 5.4: no model 'o4' in the profile")
        await until(pilot, "hint: it has gpt-4o-mini, o3")


async def test_missing_secrets_are_said_before_the_start(until) -> None:
    app = opened(Told(missing=("environment variable AZURE_OPENAI_API_KEY is not set",)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "x cannot start: environment variable")
        await pilot.press("enter")
        shown = await until(pilot, "x environment variable AZURE_OPENAI_API_KEY is not set")
        assert "Enter try" in shown


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_policies_are_compared_and_enter_takes_one(size, until, golden) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "w warnings")
        await pilot.press("c")
        await until(pilot, "serial [############------------] 50%  1:01 into the run  0:04 to go")
        backend.played.go.set()
        shown = await until(pilot, "choose key-pool: 14 min 41 s")
        golden(f"launch-compared-{size[0]}", shown)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Launch))
        await until(pilot, lambda: backend.planned[-1] == Asked(phases=("5.1",), policy="key-pool"))


async def test_a_rehearsal_is_read_to_its_end(until, golden) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", "R")
        await until(pilot, "50%")
        backend.played.go.set()
        golden("launch-rehearsed-80", await until(pilot, "forecast: 12 min 05 s"))
        await pilot.press("G")
        await until(pilot, "line 59")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Launch))


@pytest.mark.parametrize(("key", "box"), [("c", ComparisonBox), ("R", RehearsalBox)])
async def test_escape_ends_what_is_played(key, box, until) -> None:
    backend = Told()
    app = opened(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", key)
        await until(pilot, "50%")
        assert isinstance(app.screen, box)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Launch))
        await until(pilot, lambda: backend.played.cancelled)


async def test_y_copies_the_command_line(until) -> None:
    app = opened(Told())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space", "y")
        await until(pilot, "the command is copied")
        assert app.clipboard == "ultra-console run --profile sim --phase 5.1"


async def test_unsaved_changes_of_the_profile_are_launched_and_listed(until) -> None:
    backend = Told()
    app = opened(backend)
    app.session.changes = ("retries.attempts=2",)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        await until(pilot, "* not saved: retries.attempts=2")
        await pilot.press("enter")
        await until(pilot, "Enter start")
        await pilot.press("x", "enter")
        await until(pilot, lambda: bool(backend.started))
    assert backend.started == [Asked(phases=("5.1",), changes=("retries.attempts=2",))]


async def test_without_phases_it_says_where_they_go(until) -> None:
    app = opened(Told(empty=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "There are no phases")


async def test_hostile_names_reach_no_cell(until) -> None:
    evil = "\x1b]0;owned\x07[red]\x1b[31mX\u202e\x9b2J"
    backend = Told(FakeWatch(snapshot()), plan_error=ConsoleError(evil, hint=evil))
    app = opened(backend)
    app.session.profile = evil
    app.session.changes = (f"a={evil}",)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "5.2")
        await pilot.press("space")
        text = await until(pilot, "[red]")
        await pilot.press("p")
        text += await until(pilot, "the same from a shell")
        backend.plan_error = None
        await pilot.press("escape", "j", "space")
        text += await until(pilot, "not saved")
        await pilot.press("enter")
        text += await until(pilot, "Enter start")
    for forbidden in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert forbidden not in text
