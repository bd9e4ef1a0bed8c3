"""What a user picks is checked at its flag, all of it at once, and only what is available is offered."""

from __future__ import annotations

import pytest

from console.phases.matrix import ModelChoice
from console.phases.phase import Phase
from console.phases.selection import Selection, ad_hoc_phase, class_conflicts, narrowed
from console.vocabulary.errors import ConsoleError, Problems

PHASE = Phase(id="p")
CHOICES = [ModelChoice("small", "lab", "open"), ModelChoice("large", "lab", "closed")]

WRONG = [
    (Selection(policy="foo"), "--policy: 'foo' is not as-is or serial"),
    (
        Selection(policy="key-pool"),
        "--policy: 'key-pool' is not available yet (available: as-is, serial)",
    ),
    (Selection(tool_success_rates=(0.9, 2)), "--tool-success-rate: 2 is not a number from 0 to 1"),
    (Selection(tool_success_rates=(float("nan"),)), "--tool-success-rate: nan is not a number from 0 to 1"),
    (
        Selection(tool_success_rates=(0.8, 0.80000001)),
        "--tool-success-rate: '0.8' is there more than once",
    ),
    (Selection(difficulties=("esy",)), "--difficulty: 'esy' is no difficulty (did you mean easy?)"),
    (
        Selection(prompt_types=("x",)),
        "--prompt-types: 'x' is no prompt type (available: baseline, cot, optimal)",
    ),
    (
        Selection(prompt_types=("optimal@light",)),
        (
            "--prompt-types: 'optimal@light' has a wrong severity: "
            "only flawed prompts bear one, of light, medium, severe"
        ),
    ),
    (
        Selection(task_types=("basic",)),
        "--task-types: 'basic' is no task type (did you mean basic_task?)",
    ),
    (Selection(task_types=("basic_task",) * 2), "--task-types: 'basic_task' is there more than once"),
    (Selection(instances=0), "--num-instances: 0 is not a whole number ≥ 1"),
    (Selection(model_class="shut"), "--class: 'shut' is not open, closed or all"),
    (
        Selection(models=("a b",)),
        "--model: 'a b' is no name (1 to 200 characters without spaces or commas)",
    ),
    (Selection(models=("a", "a")), "--model: 'a' is there more than once"),
    (Selection(policy="\x1b[2J"), "--policy: '␛' is not as-is or serial"),
]


@pytest.mark.parametrize(("selection", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_pick_is_said_at_its_flag(selection: Selection, said: str):
    for use in (lambda: narrowed(PHASE, selection), lambda: ad_hoc_phase(selection)):
        with pytest.raises(Problems) as caught:
            use()
        assert caught.value.lines() == [said]
        assert caught.value.exit_code == 2


def test_all_wrong_picks_are_said_together():
    wrong = Selection(policy="foo", difficulties=("esy",), tool_success_rates=(2,))
    with pytest.raises(Problems) as caught:
        narrowed(PHASE, wrong)
    assert [line.partition(":")[0] for line in caught.value.lines()] == [
        "--difficulty",
        "--tool-success-rate",
        "--policy",
    ]


def test_what_is_valid_in_a_phase_file_is_the_whole_list_of_policies():
    for policy in ("as-is", "serial", "batches-of-3", "key-pool", "groups-spread", "groups-serial"):
        assert Phase.model_validate({"id": "p", "order": {"policy": policy}}).order.policy == policy


def test_right_picks_take_the_place_of_the_phases_own():
    picked = Selection(
        models=("small",),
        prompt_types=("cot", "flawed_missing_step@light"),
        difficulties=("hard",),
        task_types=("basic_task",),
        tool_success_rates=(0, 1),
        instances=1,
        policy="serial",
    )
    phase = narrowed(PHASE, picked)
    assert phase.models == ["small"]
    assert phase.prompt_types == ["cot", "flawed_missing_step@light"]
    assert phase.difficulties == ["hard"]
    assert phase.task_type_names() == ("basic_task",)
    assert (phase.tool_success_rates, phase.instances, phase.order.policy) == ([0, 1], 1, "serial")


def test_a_prompt_type_that_a_phases_groups_do_not_have_is_said_at_the_flag():
    phase = Phase.model_validate({"id": "5.3", "groups": {"one": ["flawed_missing_step"]}})
    with pytest.raises(ConsoleError) as caught:
        narrowed(phase, Selection(prompt_types=("cot",)))
    assert caught.value.lines() == [
        "--prompt-types: phase 5.3 has no prompt type 'cot'",
        "  hint: it has flawed_missing_step",
    ]


@pytest.mark.parametrize(
    ("models", "model_class", "said"),
    [
        (("small",), "closed", ["'small' is open, and --class asks for closed models"]),
        (("small", "large"), "open", ["'large' is closed, and --class asks for open models"]),
        (("small", "large"), "all", []),
        (("small", "large"), None, []),
        (("small", "unknown"), "open", []),
        ((), "open", []),
    ],
)
def test_a_picked_model_of_another_class_than_the_picked_one_is_a_conflict(
    models: tuple[str, ...], model_class: str | None, said: list[str]
):
    assert class_conflicts(Selection(models=models, model_class=model_class), CHOICES) == said
