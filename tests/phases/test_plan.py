"""The plan holds what the phase asks, on the lanes that the profile gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.phases.load import builtin_phases, load_phase, load_phases
from console.phases.selection import Selection
from console.run import RunRequest, prepare
from console.vocabulary.errors import ConsoleError, Problems


def planned(**asked):
    return prepare(RunRequest(**asked)).plan


def test_phase_5_1_plans_eight_hundred_tests_model_after_model():
    plan = planned(phases=("5.1",))
    assert plan.planned == 800
    assert len(plan.jobs) == 8
    assert [len(job.tests) for job in plan.jobs] == [100] * 8
    assert plan.jobs[3].before == (0, 1, 2)
    assert len({test for job in plan.jobs for test in job.tests}) == 800


def test_the_plan_has_the_limits_that_profile_show_prints():
    plan = planned(profile="corrected-0824", phases=("5.1",))
    workers = {}
    for setup in plan.lanes:
        workers[setup.lane.model] = workers.get(setup.lane.model, 0) + (setup.limits.workers or 0)
    assert workers["DeepSeek-V3-0324"] == 150
    assert workers["qwen2.5-72b-instruct"] == 6


def test_a_selection_replaces_models_and_counts():
    plan = planned(
        phases=("5.1",), selection=Selection(models=("kimi-k2",), instances=1, task_types=("basic_task",))
    )
    assert [str(test) for job in plan.jobs for test in job.tests] == ["kimi-k2/optimal/easy/0.8/basic_task/1"]


def test_prompt_types_of_an_ad_hoc_run_share_one_job_and_multiply_its_workers(tmp_path):
    one = planned(profile="summary-0819", selection=Selection(models=("gpt-4o-mini",)))
    three = planned(
        profile="summary-0819",
        selection=Selection(models=("gpt-4o-mini",), prompt_types=("baseline", "cot", "optimal")),
    )
    assert len(three.jobs) == 1
    assert (one.lanes[0].limits.workers, three.lanes[0].limits.workers) == (200, 600)


def test_a_test_that_an_earlier_phase_holds_is_reused_not_run_twice(tmp_path):
    again = tmp_path / "again.toml"
    again.write_text('id = "again"\nmodels = ["kimi-k2"]\ntool_success_rates = [0.8, 0.9]\ninstances = 2\n')
    plan = planned(phases=(str(again), str(again)))
    assert plan.planned == 20  # the same path twice is one phase
    other = tmp_path / "other.toml"
    other.write_text(again.read_text().replace('"again"', '"other"').replace("[0.8, 0.9]", "[0.8]"))
    plan = planned(phases=(str(again), str(other)))
    assert plan.planned == 20
    assert plan.jobs[-1].reused == 10
    assert plan.jobs[-1].before == (0, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "nothing is asked for"),
        ({"phases": ("5.9",)}, "there is no phase '5.9'"),
        ({"phases": ("5.2-keypool",)}, "there is no phase '5.2-keypool'"),
        ({"phases": ("5.1-4.9",)}, "there is no phase '4.9' in '5.1-4.9'"),
        (
            {"phases": ("5.1",), "selection": Selection(models=("gpt-99",))},
            "no model 'gpt-99' in the profile",
        ),
        (
            {"phases": ("5.1",), "selection": Selection(task_types=("nap",))},
            "--task-types: 'nap' is no task type",
        ),
        (
            {"phases": ("5.1-5.2-serial",)},
            "phase '5.2-serial' is a variant of another one, and no end of a range",
        ),
        (
            {"phases": ("5.1",), "selection": Selection(prompt_types=("flawed_mising_step",))},
            "--prompt-types: 'flawed_mising_step' is no prompt type",
        ),
    ],
)
def test_what_cannot_be_planned_is_said_in_words(asked, message):
    with pytest.raises(ConsoleError) as caught:
        planned(**asked)
    assert message in "\n".join(caught.value.lines())
    assert caught.value.exit_code == 2


def test_every_problem_of_a_phase_file_is_located(tmp_path: Path):
    path = tmp_path / "bad.toml"
    path.write_text(
        'id = "bad"\nprompt_type = ["optimal"]\ndifficulties = ["trivial"]\ninstances = 0\n\n[order]\npolicy = "fast"\n'
    )
    with pytest.raises(Problems) as caught:
        load_phase(str(path))
    lines = caught.value.lines()
    assert [line.removeprefix(str(path)).split(": ")[0] for line in lines] == [":2", ":3", ":4", ":7"]
    assert "did you mean prompt_types?" in lines[0]
    assert "'trivial', which is no difficulty" in lines[1]


def test_ranges_and_all_go_over_main_phases_so_that_no_test_is_planned_twice():
    assert [phase.id for phase in load_phases(("all",))] == ["5.1", "5.2", "5.3", "5.4", "5.5"]
    assert [phase.id for phase in load_phases(("5.1-5.3",))] == ["5.1", "5.2", "5.3"]
    assert [phase.id for phase in load_phases(("5.1-5.1", "5.1"))] == ["5.1"]
    assert [phase.id for phase in load_phases(("5.2-key-pool,5.1",))] == ["5.2-key-pool", "5.1"]
    assert {phase.variant_of for phase in map(load_phase, builtin_phases()) if "-" in phase.id} == {
        "5.2",
        "5.3",
        "5.4",
    }


def test_a_model_of_another_class_than_the_one_asked_for_is_refused():
    with pytest.raises(ConsoleError) as caught:
        planned(phases=("5.1",), selection=Selection(model_class="closed", models=("qwen2.5-7b-instruct",)))
    assert "qwen2.5-7b-instruct" in caught.value.lines()[0]
