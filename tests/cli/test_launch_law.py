"""What the launch screen shows is what is planned, and what is planned is what a shell runs (law 1)."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import msgspec
import pytest
from commands import ultra, ultra_here
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from seeds import examples

from console.cli.backend.launch import Launching
from console.cli.backend.launch.asking import request_of
from console.cli.backend.launch.matrix import matrix_of
from console.phases.plan import Plan
from console.prepare import prepare
from console.screens.launch.choosing import PHASE, Picks, checked_leaves, picks_of, with_picks
from console.screens.launch.command_line import arguments, command_line, cured
from console.screens.launch.needs import Asked, PolicyTable, Rehearsed
from console.screens.launch.options import OPTIONS, stepped
from console.screens.launch.state import nothing_asked
from console.vocabulary.errors import ConsoleError
from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, TASK_TYPES

SMALL = """\
id = "small"
title = "A small phase"
models = ["qwen2.5-7b-instruct", "gpt-4o-mini"]
difficulties = ["easy", "hard"]
prompt_types = ["baseline", "flawed_missing_step@light"]
instances = 2
task_types = ["simple_task", "basic_task"]
"""


@pytest.fixture
def small() -> str:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "ultra-console" / "phases"
    folder.mkdir(parents=True)
    (folder / "small.toml").write_text(SMALL)
    return "small"


def some(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=3).map(tuple)


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
spaceless = st.from_regex(r"[^\s,\x00-\x1f]{1,12}", fullmatch=True)


@settings(max_examples=examples(40), deadline=None)
@given(
    st.builds(
        Asked,
        profile=words,
        changes=st.lists(words, max_size=2).map(tuple),
        phases=some(("5.1", "5.2-serial", "mine", "-odd")),
        model_class=st.sampled_from((None, "open", "closed", "all")),
        models=st.lists(spaceless, unique=True, max_size=3).map(tuple),
        prompt_types=some(PROMPT_TYPES),
        difficulties=some(DIFFICULTIES),
        rates=some(("1", "0.9", "0.75", "0")),
        task_types=some(TASK_TYPES),
        instances=st.none() | st.integers(1, 500),
        policy=st.sampled_from((None, "serial", "batches-of-2", "key-pool")),
        ultra_parallel=st.booleans(),
        rate_mode=st.sampled_from((None, "fixed", "adaptive")),
        seed=st.integers(-5, 2**40),
        reuse=st.none() | words,
        processes=st.sampled_from(("1", "auto", "3")),
        content=st.booleans(),
        run_id=st.none() | st.just("night-1"),
    )
)
def test_the_command_line_says_all_that_is_asked_and_a_shell_reads_it_back(asked: Asked) -> None:
    request = request_of(asked)
    assert shlex.split(command_line(asked))[2:] == arguments(asked)
    selection = request.selection
    assert (request.profile, request.overrides) == (asked.profile, asked.changes)
    assert (request.phases, selection.model_class, selection.models) == (
        asked.phases,
        asked.model_class,
        asked.models,
    )
    assert (selection.prompt_types, selection.difficulties) == (asked.prompt_types, asked.difficulties)
    assert (selection.tool_success_rates, selection.task_types) == (
        tuple(map(float, asked.rates)),
        asked.task_types,
    )
    assert (selection.instances, selection.policy) == (asked.instances, asked.policy)
    assert (selection.ultra_parallel, request.rate_mode) == (asked.ultra_parallel, asked.rate_mode)
    assert (request.seed, request.reuse, request.content) == (asked.seed, asked.reuse, asked.content)
    assert request.processes == (None if asked.processes == "auto" else int(asked.processes))
    assert request.run_id == asked.run_id
    assert nothing_asked(asked) == (not request.phases and selection.empty)


@settings(max_examples=examples(15), deadline=None)
@given(st.data())
def test_what_the_tree_shows_is_what_is_planned(data: st.DataObject) -> None:
    profile = data.draw(st.sampled_from(("sim", "repaired")))
    model_class = data.draw(st.sampled_from((None, None, "open", "closed")))
    usual = Asked(profile=profile, instances=1, model_class=model_class)
    picks, matrix = Picks(), matrix_of(usual)
    names = [phase.id for phase in matrix.phases]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    toggles = [f"{PHASE}:{name}" for name in chosen]
    leaves = [f"{axis.name}:{value.name}" for axis in matrix.axes for value in axis.values]
    toggles += data.draw(st.lists(st.sampled_from(leaves), max_size=4))
    for toggle in toggles:
        picks = picks_of(matrix, picks, checked_leaves(matrix, picks) ^ {toggle})
        matrix = matrix_of(with_picks(usual, picks))
    assume(not picks.emptied)
    asked = with_picks(usual, picks)
    try:
        plan = prepare(request_of(asked)).plan
    except ConsoleError:
        assert any(phase.tests in (None, 0) for phase in matrix.phases if phase.id in picks.phases)
        return
    assert matrix.tests == plan.planned + sum(job.reused for job in plan.jobs)
    tests = [test.rsplit("/", 5) for job in plan.jobs for test in (*job.tests, *job.reused_tests)]
    places = {"model": 0, "prompt": 1, "difficulty": 2, "rate": 3, "task": 4}
    shown = checked_leaves(matrix, picks)
    for axis in matrix.axes:
        planned = {test[places[axis.name]] for test in tests}
        assert {value.name for value in axis.values if value.tests} == planned
        assert {value.name for value in axis.values if f"{axis.name}:{value.name}" in shown} == planned
        for value in axis.values:
            assert value.tests == sum(test[places[axis.name]] == value.name for test in tests)


@settings(max_examples=examples(20), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(OPTIONS), st.sampled_from((-1, 1))), max_size=8),
)
def test_every_setting_that_can_be_reached_is_one_that_run_takes(steps: list[tuple[str, int]]) -> None:
    asked = Asked(phases=("5.2",))
    for name, step in steps:
        asked = stepped(asked, name, step)
    request_of(asked)


def test_the_plan_of_the_screen_is_that_of_the_command_line_in_a_shell(small: str) -> None:
    asked = Asked(
        phases=("5.2", small),
        models=("qwen2.5-7b-instruct", "gpt-4o-mini"),
        difficulties=("hard",),
        instances=3,
        policy="key-pool",
        changes=("limits.ideallab.open.fixed.workers=3",),
        seed=7,
    )
    program, run, *rest = shlex.split(command_line(asked))
    assert (program, run) == ("ultra-console", "run")
    code, out, _ = ultra("plan", *rest, "--json")
    assert code == 0
    plan = msgspec.json.decode(out.splitlines()[0], type=Plan)
    assert plan == prepare(request_of(asked)).plan
    shown = Launching().plan(asked, lambda: False)
    assert shown is not None
    ahead = json.loads(out.splitlines()[1])
    assert (shown.tests, shown.jobs, shown.lanes) == (plan.planned, len(plan.jobs), len(plan.lanes))
    assert shown.duration_s == ahead["duration_s"]
    assert [key.name for key in shown.keys] == [
        load["name"] for load in ahead["loads"] if load["kind"] == "key"
    ]
    assert [list(one.change) for one in shown.warnings if one.code] == [
        one["change"] for one in ahead["findings"]
    ]


def test_every_cure_is_a_setting_of_the_screen_and_changes_the_plan() -> None:
    asked = Asked(profile="phase-analysis", phases=("5.2",))
    shown = Launching().plan(asked, lambda: False)
    assert shown is not None
    assert shown.warnings
    for warned in shown.warnings:
        if warned.change:
            after = cured(asked, warned.change)
            assert after is not None, warned
            better = Launching().plan(after, lambda: False)
            assert better is not None
            assert warned not in better.warnings


def test_a_picked_list_that_gives_a_phase_more_than_its_own_is_said() -> None:
    models = ("DeepSeek-V3-0324", "qwen2.5-7b-instruct")
    matrix = matrix_of(Asked(phases=("5.1", "5.2"), models=models))
    assert matrix.notes == ("5.2 gets 1 model that it does not have by itself: picks hold for every phase",)
    assert matrix_of(Asked(phases=("5.2",), models=models)).notes == ()


def test_a_model_that_is_picked_and_not_in_the_profile_is_shown(small: str) -> None:
    matrix = matrix_of(Asked(profile="phase-analysis", phases=(small,), models=("gone",)))
    models = {value.name: value for value in matrix.axes[0].values}
    assert models["gone"].note == "not in the profile"
    assert next(phase for phase in matrix.phases if phase.id == small).why.startswith(
        "phase small: no model 'gone' in the profile"
    )


def test_a_phase_file_that_phase_cannot_name_is_shown_with_the_reason(small: str) -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "ultra-console" / "phases"
    (folder / "a,b.toml").write_text(SMALL)
    errors = {phase.id: phase.error for phase in matrix_of(Asked()).phases}
    assert "which --phase cannot name" in (errors["a,b"] or "")
    assert errors[small] is None


def test_a_profile_with_an_error_leaves_the_phases_in_sight() -> None:
    matrix = matrix_of(Asked(profile="nowhere", phases=("5.1",)))
    assert "nowhere" in matrix.error
    assert {phase.tests for phase in matrix.phases} == {None}


def test_secrets_that_are_not_set_are_named_before_a_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(profile="corrected-0824", phases=("5.1",))
    shown = Launching().plan(asked, lambda: False)
    assert shown is not None
    assert any("AZURE_OPENAI" in said for said in shown.missing)
    (said,) = shown.missing
    for name in said.removeprefix("environment variables ").removesuffix(" are not set").split(", "):
        monkeypatch.setenv(name, "x")
    shown = Launching().plan(asked, lambda: False)
    assert shown is not None
    assert shown.missing == ()
    assert not shown.simulated


def test_a_plan_that_nobody_wants_any_more_is_not_made_to_its_end() -> None:
    assert Launching().plan(Asked(phases=("5.1",)), lambda: True) is None


def test_rehearsal_and_comparison_are_those_of_the_command_line(small: str) -> None:
    asked = Asked(phases=(small,), run_id="night-1")
    reached: list[float] = []
    rehearsed = Launching().rehearse(asked).wait(lambda progress: reached.append(progress.virtual_s))
    assert isinstance(rehearsed, Rehearsed)
    told = ultra_here("run", "--phase", small, "--rehearse")[1]
    assert [line for line in rehearsed.lines(80) if "forecast" not in line] == [
        line for line in told.splitlines() if "forecast" not in line
    ]
    table = Launching().compare(Asked(phases=(small,), policy="serial")).wait(lambda _progress: None)
    assert isinstance(table, PolicyTable)
    assert [row.name for row in table.rows] == ["as-is", "serial", "batches-of-3", "key-pool"]
    assert table.choose in table.why


def test_a_rehearsal_that_cannot_be_and_one_that_is_cancelled_say_so(small: str) -> None:
    with pytest.raises(ConsoleError, match="no phase"):
        Launching().rehearse(Asked(phases=("none",))).wait(lambda _progress: None)
    playing = Launching().rehearse(Asked(phases=("5.3",)))
    with pytest.raises(ConsoleError, match="cancelled"):
        playing.wait(lambda _progress: playing.cancel())
