"""The preset `original`: the scores of the system that this one replaces, from the true plan.

Formulas as its description has them (reference, section 4.5, with the executor's verdict of the same section). What differs,
and why:

* E is the true plan of the task, in flawed prompts too; the original scored against the plan that it had damaged.
* Calling `finish` stands for the nine completion phrases.
* Similarity of tools was taken from embeddings; here a tool is itself or it is none. At most 0.05 of phase2 hangs on it.
* A tool counts as output-like by the words in its name that the description lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.vocabulary.marks import OriginalMarks
from console.vocabulary.outcome import Verdict
from console.work.preset import Preset
from console.work.sequences import common_length
from console.work.session import Call
from console.work.task import Task

ORIGINAL: Final = Preset(
    name="original",
    weights={
        "workflow_coverage": 0.4,
        "workflow_order": 0.3,
        "workflow_successes": 0.2,
        "workflow_exact": 0.1,
        "achievement_output": 0.5,
        "achievement_progress": 0.3,
        "achievement_coverage": 0.2,
        "quality_successes": 0.4,
        "quality_economy": 0.3,
        "quality_workflow": 0.2,
        "quality_recovery": 0.1,
        "phase2_achievement": 0.5,
        "phase2_quality": 0.5,
    },
    thresholds={"full": 0.8, "partial": 0.5, "executor_coverage": 0.6},
    rule=(
        "full: workflow and phase2 reach the threshold of full; partial: one of them reaches that of partial; "
        "failure: anything else. Achievement and quality are lifted by the executor's verdict: "
        "full to 0.8 and 0.7, partial achievement to 0.5; failure lowers both"
    ),
)
_W: Final = ORIGINAL.weights
_EXACT: Final = 0.2
_SUCCESSES: Final = 0.8
_FLOOR_OF_SOMETHING: Final = 0.05
_OUTPUT_LIKE: Final = ("writer", "export", "save", "post", "filter", "aggregator", "compressor")
_MINIMUM: Final = {
    "simple_task": 1,
    "basic_task": 2,
    "data_pipeline": 2,
    "api_integration": 2,
    "multi_stage_pipeline": 3,
}
"""Fewest successes for the executor's partial."""


def mark_original(task: Task, calls: Sequence[Call], *, finished: bool) -> OriginalMarks:
    """Score the calls of a test as the original did."""
    plan = [step.tool for step in task.plan]
    worked = [call.tool for call in calls if call.ok]
    workflow = _workflow(plan, worked, len(calls))
    executor = _executor(task, plan, worked, finished=finished)
    achievement, quality = _lifted(
        _achievement(plan, worked),
        _quality(worked, workflow),
        executor,
        worked=bool(worked),
        made=bool(calls),
    )
    phase2 = _W["phase2_achievement"] * achievement + _W["phase2_quality"] * quality
    full, partial = ORIGINAL.thresholds["full"], ORIGINAL.thresholds["partial"]
    if workflow >= full and phase2 >= full:
        verdict = Verdict.FULL
    elif workflow >= partial or phase2 >= partial:
        verdict = Verdict.PARTIAL
    else:
        verdict = Verdict.FAILURE
    return OriginalMarks(workflow=workflow, phase2=phase2, quality=quality, verdict=verdict)


def _workflow(plan: list[str], worked: list[str], made: int) -> float:
    """Section 4.5, workflow_score: at most 0.92."""
    if not plan or not made:
        return 0.0
    needed = set(plan)
    return min(
        1.0,
        _W["workflow_coverage"] * len(needed & set(worked)) / len(needed)
        + _W["workflow_order"] * common_length(plan, worked) / len(plan)
        + _W["workflow_successes"] * len(worked) / made
        + _W["workflow_exact"] * (_EXACT if worked == plan else 0.0),
    )


def _achievement(plan: list[str], worked: list[str]) -> float:
    """Section 4.5, TA: output is 1 whenever any tool succeeded; two distinct successes are full progress.

    Other weights hold where the output is worth less; but then nothing succeeded, and all parts are 0.
    """
    if not worked:
        return 0.0
    needed, distinct = set(plan), set(worked)
    return (
        _W["achievement_output"]
        + _W["achievement_progress"] * min(1.0, len(distinct) / 2)
        + _W["achievement_coverage"] * len(needed & distinct) / max(len(needed), 1)
    )


def _quality(worked: list[str], workflow: float) -> float:
    """Section 4.5, EQ: real failures never entered it, and recovery was always 0."""
    total, distinct = len(worked), len(set(worked))
    if not total:
        economy = 0.0
    elif total <= 2 * distinct:
        economy = min(1.0, 1.2 * distinct / total)
    else:
        economy = 0.8 * distinct / total
    successes = _SUCCESSES if worked else 0.0
    return (
        _W["quality_successes"] * successes
        + _W["quality_economy"] * economy
        + _W["quality_workflow"] * workflow
        + _W["quality_recovery"] * 0.0
    )


def _lifted(
    achievement: float, quality: float, executor: Verdict, *, worked: bool, made: bool
) -> tuple[float, float]:
    """Section 4.5, floors of TA and EQ by the executor's verdict; a zero of something that was done is 0.05."""
    if executor is Verdict.FULL:
        achievement, quality = max(achievement, 0.8), max(quality, 0.7)
    elif executor is Verdict.PARTIAL:
        achievement = max(achievement, 0.5)
    elif worked:
        achievement, quality = max(0.8 * achievement, 0.2), max(0.8 * quality, 0.2)
    else:
        achievement, quality = 0.5 * achievement, 0.5 * quality
    if made:
        achievement, quality = achievement or _FLOOR_OF_SOMETHING, quality or _FLOOR_OF_SOMETHING
    return achievement, quality


def _executor(task: Task, plan: list[str], worked: list[str], *, finished: bool) -> Verdict:
    """Section 4.5, the executor's own verdict."""
    needed = list(dict.fromkeys(plan))
    first = [tool for tool in dict.fromkeys(worked) if tool in needed]
    if first == needed:
        return Verdict.FULL
    signs = (
        len(first) / max(len(needed), 1) >= ORIGINAL.thresholds["executor_coverage"],
        any(word in tool for tool in worked for word in _OUTPUT_LIKE),
        len(worked) >= _MINIMUM[task.task_type],
        finished,
    )
    return Verdict.PARTIAL if sum(signs) >= 2 else Verdict.FAILURE
