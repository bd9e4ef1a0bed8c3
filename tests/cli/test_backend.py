"""What the console asks of the real program: choices, a preview, an engine, its end and its results."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest
from commands import until

from console.cli.backend import real_backend
from console.screens.launch.needs import Asked
from console.screens.live.needs import RunEnd
from console.screens.results.places import Place
from console.vocabulary.command import Accepted, Stop

SMALL = """\
id = "small"
title = "A small phase"
models = ["qwen2.5-7b-instruct", "gpt-4o-mini"]
instances = {instances}
task_types = ["simple_task", "basic_task"]
"""


def write_phase(instances: int) -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "ultra-console" / "phases"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.toml").write_text(SMALL.format(instances=instances))


def test_choices_are_the_built_in_ones_and_the_users_and_a_broken_one_says_why():
    write_phase(3)
    broken = Path(os.environ["XDG_CONFIG_HOME"]) / "ultra-console" / "profiles" / "broken.toml"
    broken.parent.mkdir(parents=True)
    broken.write_text("name = 3\n")
    backend = real_backend()
    profiles = {choice.name: choice for choice in backend.profiles.choices()}
    assert next(iter(profiles)) == "sim"
    assert profiles["sim"].simulated
    assert sum(row.workers or 0 for row in profiles["sim"].totals if row.model == "DeepSeek-V3-0324") == 150
    assert (profiles["broken"].origin, profiles["broken"].totals) == ("yours", ())
    assert "broken.toml" in (profiles["broken"].error or "")
    phases = {phase.id: phase for phase in backend.launch.matrix(Asked()).phases}
    assert phases["5.1"].tests == 800
    assert (phases["small"].origin, phases["small"].tests) == ("yours", 12)


def test_a_launched_run_is_watched_to_its_end_and_its_results_are_read():
    write_phase(3)
    backend = real_backend()
    asked = Asked(phases=("small",))
    planned = backend.launch.plan(asked, lambda: False)
    assert (planned.tests, planned.jobs, planned.lanes, planned.simulated) == (12, 2, 4, True)
    assert planned.requests > 3 * planned.tests, "a test is of several turns"
    run_dir = backend.launch.launch(asked)
    until(lambda: backend.live.ended(run_dir) is not None, "the end of the run")
    assert backend.live.ended(run_dir) == RunEnd("finished", 0, 12, 12)
    until(lambda: backend.runs.runs()[0].kind == "finished", "the engine to let go")
    results = backend.results.read(run_dir, lambda share: None)
    assert results.head.simulated
    models = results.sheet(Place("models"))
    assert models.row(len(models) - 1).cells[:2] == ("all", "12")
    assert [run.id for run in backend.runs.runs()] == [run_dir.name]


def test_a_launched_run_takes_commands():
    write_phase(5000)
    backend = real_backend()
    run_dir = backend.launch.launch(Asked(phases=("small",)))

    async def steer():
        watch = backend.live.watch(run_dir)
        try:
            picture = await watch.look()
            assert (picture.planned, picture.simulated) == (20000, True)
            assert isinstance(await watch.send(Stop()), Accepted)
        finally:
            await watch.aclose()

    anyio.run(steer)
    until(lambda: backend.live.ended(run_dir) is not None, "the end of the run")
    ended = backend.live.ended(run_dir)
    assert ended is not None
    assert (ended.state, ended.exit_code) == ("interrupted", 130)


@pytest.mark.parametrize(("profile", "phase"), [("sim", "none"), ("corrected-0824", "5.1")])
def test_a_launch_that_cannot_start_says_why_and_leaves_nothing(profile, phase):
    from console.vocabulary.errors import ConsoleError

    with pytest.raises(ConsoleError) as caught:
        real_backend().launch.launch(Asked(profile=profile, phases=(phase,)))
    assert caught.value.exit_code == 2
    assert ("no phase" if phase == "none" else "AZURE_OPENAI") in "\n".join(caught.value.lines())
    assert real_backend().runs.runs() == []
