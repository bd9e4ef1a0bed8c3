"""Flawed plans: each flaw changes what a model sees, and whoever follows it blindly fares worse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.vocabulary.names import FLAWS, FLAWS_OF_SEED_003, SEVERITIES, TASK_TYPES
from console.work.flaws import flawed_plan, serves_worse
from console.work.library import task_of
from console.work.prompts import opening, plan_text
from console.work.registry import TOOLS

ALL_FLAWS = tuple(dict.fromkeys(FLAWS + FLAWS_OF_SEED_003))


@pytest.mark.parametrize("flaw", ALL_FLAWS)
def test_every_flaw_changes_the_prompt_of_every_instance_and_leads_astray(flaw):
    for task_type in TASK_TYPES:
        for instance in range(1, 101):
            task = task_of(0, task_type, instance)
            whole = opening(task, "optimal", "easy", "")[1]["content"]
            damaged = opening(task, f"flawed_{flaw}", "easy", "")[1]["content"]
            assert damaged != whole
            assert damaged.split("Plan:")[0] == whole.split("Plan:")[0], "only the plan differs"
            assert serves_worse(task, flawed_plan(task, flaw))
    assert not serves_worse(task, task.plan)


@given(
    st.builds(task_of, st.integers(0, 9), st.sampled_from(TASK_TYPES), st.integers(1, 10_000)),
    st.sampled_from(ALL_FLAWS),
    st.sampled_from(SEVERITIES),
)
def test_severities(task, flaw, severity):
    plan = flawed_plan(task, flaw, severity)
    assert plan != task.plan
    assert plan == flawed_plan(task, flaw, severity)
    assert serves_worse(task, plan)
    assert all(step.tool in TOOLS for step in plan)
    assert plan_text(plan).isascii() or "…" not in plan_text(plan)


@given(st.builds(task_of, st.just(0), st.sampled_from(TASK_TYPES), st.integers(1, 10_000)))
def test_what_each_flaw_does(task):
    true = task.plan
    tools = [step.tool for step in true]
    assert flawed_plan(task, "sequence_disorder") == true[::-1]
    missing = flawed_plan(task, "missing_step")
    assert len(missing) == (2 if len(true) > 2 else 1)
    assert missing[-1] == true[-1]
    assert len(flawed_plan(task, "redundant_operations")) == 2 * len(true)
    misused = flawed_plan(task, "tool_misuse")
    changed = [place for place, step in enumerate(misused) if step.tool != tools[place]]
    assert len(changed) == len(true) // 2 + 1
    assert all(TOOLS[misused[place].tool].category == TOOLS[tools[place]].category for place in changed)
    drifted = flawed_plan(task, "semantic_drift")
    assert drifted[: min(2, len(true) - 1)] == true[: min(2, len(true) - 1)]
    assert all(not step.arguments for step in flawed_plan(task, "insufficient_detail"))
    for flaw in ("parameter_error", "parameter_issues", "logical_inconsistency", "incomplete_description"):
        damaged = flawed_plan(task, flaw)
        assert [step.tool for step in damaged] == tools, f"{flaw} keeps the tools"
        assert damaged != true
    contradicting = flawed_plan(task, "contradictory_instructions")
    assert contradicting[::2] == true
    assert all(
        one.tool == two.tool and one != two
        for one, two in zip(contradicting[::2], contradicting[1::2], strict=True)
    )


def test_a_lighter_flaw_damages_less():
    for task_type in TASK_TYPES:
        for instance in range(1, 41):
            task = task_of(0, task_type, instance)
            for flaw in ("parameter_error", "insufficient_detail", "parameter_issues"):
                counts = [
                    sum(
                        one != two
                        for one, two in zip(flawed_plan(task, flaw, severity), task.plan, strict=True)
                    )
                    for severity in SEVERITIES
                ]
                assert counts == sorted(counts)
                assert counts[0] == 1
                assert counts[-1] == len(task.plan)


def test_prompt_types_differ_only_in_what_they_add():
    task = task_of(0, "data_pipeline", 3)
    texts = {kind: opening(task, kind, "easy", "")[1]["content"] for kind in ("baseline", "cot", "optimal")}
    assert texts["cot"].startswith(texts["baseline"])
    assert texts["optimal"].startswith(texts["baseline"])
    assert "step by step" in texts["cot"]
    assert all(step.tool in texts["optimal"] and step.tool not in texts["baseline"] for step in task.plan)
