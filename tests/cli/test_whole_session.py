"""A whole session in the console against a real engine: edit, save, launch, lower, switch off, pause, leave, come back, raise, read."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path

import pytest

from console.app import ConsoleApp, StartAt
from console.cli.backend import real_backend
from console.profile.effective import lane_setups
from console.profile.load import load_profile
from console.records.read_journal import read_rows
from console.screens.launch.screen import Launch
from console.screens.live.screen import Live
from console.screens.results.screen import Results
from console.vocabulary.outcome import Verdict
from console.vocabulary.rows import EventRow, TestRow

pytestmark = pytest.mark.anyio

MODEL, SCALED = "DeepSeek-V3-0324", "qwen2.5-7b-instruct"
PHASE = f"""\
id = "short"
title = "5.1 on two models"
models = ["{MODEL}", "{SCALED}"]
prompt_types = ["optimal"]
difficulties = ["easy"]
instances = 12
"""
COMPLETE = (Verdict.FULL, Verdict.PARTIAL, Verdict.FAILURE)
"""What a test ends with; what was broken off on the lane that was switched off has rows of its own before that."""
LONGEST = 3000
"""Looks of a hundredth of a second; a machine that is busy with other tests needs many."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def lab() -> Path:
    """A profile of one's own whose simulated servers are slow enough to be watched, and a short phase."""
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "ultra-console"
    for folder in ("profiles", "phases"):
        (config / folder).mkdir(parents=True)
    (config / "phases" / "short.toml").write_text(PHASE)
    text = resources.files("profiles").joinpath("sim.toml").read_text()
    slower = re.sub(r"(?m)^ttft_ms = .*$", "ttft_ms = 350", text.replace('name = "sim"', 'name = "lab"'))
    assert slower.count("ttft_ms = 350") >= 2
    path = config / "profiles" / "lab.toml"
    path.write_text(slower)
    return path


async def press(pilot, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def type_text(pilot, text: str) -> None:
    for character in text:
        await pilot.press({" ": "space"}.get(character, character))


async def until(pilot, what: str, holds) -> None:
    for _ in range(LONGEST):
        await pilot.pause(0.01)
        if holds():
            return
    shown = "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())
    pytest.fail(f"never came: {what}\n{shown}")


def shown(app) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def lanes(app, model: str):
    snapshot = app.screen.view.snapshot
    return [] if snapshot is None else [lane for lane in snapshot.lanes if lane.model == model]


async def test_a_whole_session(lab: Path) -> None:
    app = ConsoleApp(real_backend("lab"), StartAt(profile="lab"))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "the launch screen", lambda: "short" in shown(app))
        run_dir = await edit_save_and_launch(pilot, lab)
        await lower_a_lane(pilot)
        await switch_a_key_off(pilot)
        await press(pilot, "space")
        await until(pilot, "the pause", lambda: app.screen.view.snapshot.state == "paused")
        await press(pilot, "q")
        await until(pilot, "the question", lambda: "Leave the console?" in shown(app))
        await press(pilot, "enter")
        await pilot.pause()
    assert app.return_value is not None
    assert app.return_value.state == "live"

    back = ConsoleApp(real_backend(), StartAt("live", run_dir))
    async with back.run_test(size=(120, 40)) as pilot:
        await until(pilot, "the paused run", lambda: "PAUSED" in shown(back))
        await press(pilot, "space")
        await until(pilot, "what runs on", lambda: f"{SCALED}@" in shown(back))
        await press(pilot, "equals_sign")
        await type_text(pilot, "workers 60")  # more than there is to do: the rest is done at once
        await press(pilot, "enter")
        await until(pilot, "the results", lambda: isinstance(back.screen, Results))
        await until(pilot, "the overview", lambda: "120 of 120" in shown(back))
        await open_a_test_that_failed(pilot)

    rows = list(read_rows(run_dir))
    tests = [row.test for row in rows if isinstance(row, TestRow) and row.verdict in COMPLETE]
    assert len(tests) == len(set(tests)) == 120
    kinds = [row.kind for row in rows if isinstance(row, EventRow)]
    assert {"tune", "pause", "resume"} <= set(kinds)


async def edit_save_and_launch(pilot, lab: Path) -> Path:
    app = pilot.app
    await press(pilot, "1")
    await until(pilot, "the profile", lambda: "lab" in shown(app))
    await press(pilot, "e")
    await until(pilot, "the limits", lambda: "azure/open" in shown(app))
    await press(pilot, "enter")
    await press(pilot, "backspace", "backspace", "4", "enter")
    await until(pilot, "the new total", lambda: "4 × 3 = 12" in shown(app))
    await press(pilot, "ctrl+s")
    await until(
        pilot,
        "the question before saving, or the end of it",
        lambda: "workers = 4" in lab.read_text() or app.screen.is_modal,
    )
    if app.screen.is_modal:
        await press(pilot, "y")
    await until(pilot, "the file", lambda: "workers = 4" in lab.read_text())
    workers = [setup.limits.workers for setup in lane_setups(load_profile("lab").profile)]
    assert workers.count(4) == 9
    await press(pilot, "2")
    await until(pilot, "the launch screen", lambda: isinstance(app.screen, Launch))
    await press(pilot, "slash")
    await type_text(pilot, "short")
    await press(pilot, "enter")
    await until(pilot, "the phase alone", lambda: "Baseline" not in shown(app))
    await press(pilot, "G", "space")
    await until(pilot, "the plan", lambda: "120 new tests" in shown(app))
    await press(pilot, "L")
    await until(pilot, "the essentials", lambda: "Enter start" in shown(app))
    await pilot.pause(0.6)  # the same key so soon would be an echo
    await press(pilot, "enter")
    await until(pilot, "the run", lambda: isinstance(app.screen, Live))
    await until(pilot, "work", lambda: any(lane.in_flight > 1 for lane in lanes(app, MODEL)))
    return app.session.watched


async def lower_a_lane(pilot) -> None:
    app = pilot.app
    place = lambda: next(lane for lane in lanes(app, MODEL) if lane.deployment == MODEL)  # noqa: E731
    await until(pilot, "a busy lane", lambda: place().in_flight > 1)
    await press(pilot, "equals_sign")
    await type_text(pilot, "workers 1")
    await press(pilot, "enter")
    await until(pilot, "the new limit", lambda: place().workers == 1)
    await until(pilot, "in-flight that followed", lambda: place().in_flight <= 1 and place().held <= 1)


async def switch_a_key_off(pilot) -> None:
    app = pilot.app
    await until(
        pilot,
        "work on all keys",
        lambda: all(lane.in_flight for lane in lanes(app, SCALED)) and bool(lanes(app, SCALED)),
    )
    await press(pilot, "f")
    await until(pilot, "the lane of the scaled model", lambda: f"{SCALED}@" in shown(app))
    await press(pilot, "o")
    await until(pilot, "the question, or the lane off", lambda: app.screen.is_modal)
    await press(pilot, "y")
    off = lambda: [lane for lane in lanes(app, SCALED) if lane.state == "off"]  # noqa: E731
    await until(pilot, "a lane that is off", lambda: isinstance(app.screen, Live) and len(off()) == 1)
    await until(
        pilot,
        "its work elsewhere",
        lambda: off()[0].in_flight == 0 and sum(lane.in_flight for lane in lanes(app, SCALED)) > 0,
    )


async def open_a_test_that_failed(pilot) -> None:
    app = pilot.app
    await press(pilot, "V")
    await until(pilot, "the tests", lambda: "[tests]" in shown(app) and "api_integration" in shown(app))
    await press(pilot, "f")
    await until(pilot, "those not full", lambda: "not full" in shown(app))
    await press(pilot, "enter")
    await until(pilot, "what was said", lambda: "Ticket" in shown(app))
    assert "partial" in shown(app) or "failure" in shown(app)
