"""The launch screen on the real program: a phase of one's own is chosen, planned, launched and played to its end."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from console.app import ConsoleApp
from console.cli.backend import real_backend
from console.phases.plan import Plan
from console.screens.launch.screen import Launch

pytestmark = pytest.mark.anyio

SMALL = """\
id = "a-small"
title = "A small phase"
models = ["qwen2.5-7b-instruct", "gpt-4o-mini"]
instances = 2
task_types = ["simple_task"]
"""
LONG = 600
"""Tries of `until`: a process is started meanwhile."""


@pytest.fixture
def phase() -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "ultra-console" / "phases"
    folder.mkdir(parents=True)
    (folder / "a-small.toml").write_text(SMALL)
    (folder / "broken.toml").write_text('id = "broken"\ndifficulties = ["hardd"]\n')


@pytest.mark.usefixtures("phase")
async def test_a_phase_of_ones_own_is_launched_as_it_was_planned(until) -> None:
    backend = real_backend()
    app = ConsoleApp(backend)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "A small phase", LONG)
        await until(pilot, "5.5 Prompt sensitivity")
        await pilot.press("slash", *"small", "enter", "G", "space")
        await until(pilot, "4 new tests", LONG)
        await until(pilot, "a-small under sim (fixed)")
        await pilot.press("escape")
        app.screen.query_one("#tree").highlight("model:gpt-4o-mini")
        await pilot.press("space")
        await until(pilot, "2 new tests", LONG)
        await pilot.press("enter")
        await until(pilot, "Enter start")
        await pilot.press("x", "enter")
        await until(pilot, lambda: app.session.watched is not None, LONG)
        run_dir = app.session.watched
        await until(pilot, lambda: backend.live.ended(run_dir) is not None, LONG)
    ended = backend.live.ended(run_dir)
    assert (ended.state, ended.done, ended.planned) == ("finished", 2, 2)
    plan = msgspec.json.decode((run_dir / "plan.json").read_bytes(), type=Plan)
    assert {job.model for job in plan.jobs} == {"qwen2.5-7b-instruct"}


@pytest.mark.usefixtures("phase")
async def test_a_phase_with_an_error_is_shown_and_an_engine_that_refuses_is_heard(until) -> None:
    app = ConsoleApp(real_backend())
    app.session.profile = "corrected-0824"
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "5.5 Prompt sensitivity", LONG)
        app.screen.query_one("#tree").highlight("phase:a-small")
        await pilot.press("j")
        await until(pilot, "names 'hardd', which is no difficulty")
        app.screen.query_one("#tree").highlight("phase:5.1")
        await pilot.press("space")
        await until(pilot, "x cannot start: environment variable", LONG)
        await pilot.press("enter")
        await until(pilot, "Enter try")
        await pilot.press("x", "enter")
        await until(pilot, "variable LAB_KEY_2 is not set (export LAB_KEY_2=…)", LONG)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Launch))
