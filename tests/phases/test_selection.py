"""What a user picks is checked at its flag, all of it at once, and only what is available is offered."""

from __future__ import annotations

import pytest

from console.phases.matrix import ModelChoice
from console.phases.models import models_of
from console.phases.phase import Phase
from console.phases.selection import Selection, ad_hoc_phase, class_conflicts, narrowed
from console.vocabulary.errors import ConsoleError, Problems
from console.vocabulary.names import PROMPT_TYPES

PHASE = Phase(id="p")
CHOICES = [ModelChoice("small", "lab", "open"), ModelChoice("large", "lab", "closed")]

WRONG = [
    (
        Selection(policy="foo"),
        "--policy: 'foo' is not as-is, serial, batches-of-N, key-pool, groups-spread or groups-serial",
    ),
    (
        Selection(policy="batches-of-0"),
        (
            "--policy: 'batches-of-0' is not as-is, serial, batches-of-N, key-pool, groups-spread or groups-serial "
            "(N is a whole number ≥ 1, such as batches-of-3)"
        ),
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
        f"--prompt-types: 'x' is no prompt type (known: {', '.join(PROMPT_TYPES)})",
    ),
    (
        Selection(prompt_types=("flawed_misng_step",)),
        "--prompt-types: 'flawed_misng_step' is no prompt type (did you mean flawed_missing_step?)",
    ),
    (
        Selection(prompt_types=("flawed_missing_step@mild", "flawed_missing_step@light")),
        "--prompt-types: 'flawed_missing_step@light' is there more than once",
    ),
    (
        Selection(prompt_types=("flawed_missing_step", "flawed_missing_step@severe")),
        "--prompt-types: 'flawed_missing_step' is there more than once",
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
    (
        Selection(policy="\x1b[2J"),
        "--policy: '␛' is not as-is, serial, batches-of-N, key-pool, groups-spread or groups-serial",
    ),
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


@pytest.mark.parametrize(
    "policy",
    ["as-is", "serial", "batches-of-1", "batches-of-3", "key-pool", "groups-spread", "groups-serial"],
)
def test_a_policy_is_the_same_word_in_a_phase_file_and_on_the_command_line(policy: str):
    assert Phase.model_validate({"id": "p", "order": {"policy": policy}}).order.policy == policy
    assert narrowed(PHASE, Selection(policy=policy)).order.policy == policy


def test_ultra_parallel_puts_every_axis_side_by_side_and_leaves_stagger_and_key_policy():
    phase = Phase.model_validate(
        {"id": "p", "order": {"together_when": {"group": "lab"}, "stagger_s": 15, "policy": "key-pool"}}
    )
    order = narrowed(phase, Selection(ultra_parallel=True)).order
    assert set(order.together) == {"provider", "model", "difficulty", "group", "rate", "prompt_type"}
    assert (order.together_when, order.stagger_s, order.policy) == ({}, 15, "key-pool")


@pytest.mark.parametrize("policy", ["serial", "batches-of-3", "groups-serial"])
def test_ultra_parallel_and_a_policy_in_series_are_a_contradiction(policy: str):
    phase = Phase.model_validate({"id": "p", "order": {"policy": policy}})
    for held, selection in (
        (phase, Selection(ultra_parallel=True)),
        (PHASE, Selection(ultra_parallel=True, policy=policy)),
    ):
        with pytest.raises(ConsoleError) as caught:
            narrowed(held, selection)
        assert f"policy {policy} does not" in caught.value.lines()[0]
    assert narrowed(phase, Selection(ultra_parallel=True, policy="as-is")).order.policy == "as-is"


def test_how_tests_run_picks_none():
    assert Selection(policy="serial", ultra_parallel=True).empty
    assert not Selection(instances=1).empty


@pytest.mark.parametrize(
    ("models", "model_class", "kept"),
    [
        ("open", "closed", ["large"]),
        ("all", "open", ["small"]),
        ("open", "all", ["small", "large"]),
        (["small"], "open", ["small"]),
        (["large", "small"], "open", ["small"]),
        (["large", "small"], "all", ["large", "small"]),
        (["small"], "closed", []),
        (["elsewhere"], "closed", []),
    ],
)
def test_a_class_stands_in_place_of_a_class_and_keeps_of_a_list_what_is_of_it(models, model_class, kept):
    phase = narrowed(Phase(id="p", models=models), Selection(model_class=model_class))
    assert [model.name for model in models_of(phase, CHOICES, model_class)] == kept


def test_a_named_model_that_is_not_in_the_profile_is_told_also_beside_a_class():
    phase = Phase(id="p", models=["small", "elsewhere"])
    for model_class in (None, "open", "all"):
        with pytest.raises(ConsoleError, match="no model 'elsewhere' in the profile"):
            models_of(phase, CHOICES, model_class)


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


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("flawed_missing_step@mild", "flawed_missing_step@light"),
        ("flawed_missing_step@medium", "flawed_missing_step@medium"),
        ("flawed_missing_step@severe", "flawed_missing_step"),
        ("optimal", "optimal"),
    ],
)
def test_a_prompt_type_has_one_name_however_its_severity_is_written(written: str, one: str):
    assert Phase.model_validate({"id": "p", "prompt_types": [written]}).prompt_types == [one]
    assert Phase.model_validate({"id": "p", "groups": {"g": [written]}}).groups == {"g": [one]}
    assert narrowed(PHASE, Selection(prompt_types=(written,))).prompt_types == [one]
    assert ad_hoc_phase(Selection(prompt_types=(written,))).prompt_types == [one]


def test_a_flaw_picked_with_a_severity_is_of_the_group_that_has_the_flaw():
    phase = Phase.model_validate(
        {
            "id": "5.3",
            "groups": {
                "one": ["flawed_tool_misuse", "flawed_missing_step"],
                "two": ["flawed_semantic_drift"],
            },
        }
    )
    picked = narrowed(
        phase, Selection(prompt_types=("flawed_missing_step@mild", "flawed_tool_misuse@severe"))
    )
    assert picked.groups == {"one": ["flawed_tool_misuse", "flawed_missing_step@light"]}


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
