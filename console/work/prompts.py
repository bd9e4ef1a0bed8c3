"""What a test says first: the rules, the task, and the plan that its prompt type shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from console.vocabulary.chat import Message
from console.work.flaws import flawed_plan, read_prompt_type
from console.work.library import task_of
from console.work.reading import FINISH
from console.work.task import Step, Task
from console.work.wording import describe

PLAN_MARK: Final = "Plan:"
TICKET_MARK: Final = "Ticket "
_STEP_BY_STEP: Final = (
    "Think step by step: before the first call, work out which calls the task needs, what each of them works on, and "
    "in which order they have to come; before each further call, look at what the last one answered."
)


def opening(task: Task, prompt_type: str, difficulty: str, rules: str) -> tuple[Message, Message]:
    """Return the first two messages of a test.

    Args:
        task: the instance.
        prompt_type: `baseline`, `cot`, `optimal` or `flawed_…`, with its severity after `@`.
        difficulty: how plainly the task is worded.
        rules: what the model may do and how it calls tools, as its protocol has it.
    """
    parts = [f"{TICKET_MARK}{task.id}", f"Task: {describe(task, difficulty)}"]
    if prompt_type == "cot":
        parts.append(_STEP_BY_STEP)
    plan = shown_plan(task, prompt_type)
    if plan is not None:
        parts.append(plan_text(plan))
    return (
        {"role": "system", "content": rules},
        {"role": "user", "content": "\n".join(parts)},
    )


def shown_plan(task: Task, prompt_type: str) -> tuple[Step, ...] | None:
    """Return the plan that a prompt type shows: the true one, a flawed one, or none."""
    kind, flaw, severity = read_prompt_type(prompt_type)
    if kind == "flawed":
        return flawed_plan(task, flaw, severity)
    return task.plan if kind == "optimal" else None


def plan_text(plan: Sequence[Step]) -> str:
    """Return a plan as prompts show it: a numbered line a step, and `finish` at the end."""
    steps = [f"{step.tool} {json.dumps(step.arguments, ensure_ascii=False)}" for step in plan]
    lines = [f"{number}. {step}" for number, step in enumerate([*steps, f"{FINISH} {{}}"], 1)]
    return "\n".join([PLAN_MARK, *lines])


@lru_cache(maxsize=8192)
def opening_of(
    seed: int, task_type: str, instance: int, prompt_type: str, difficulty: str, rules: str
) -> tuple[Message, Message]:
    """Return the opening of an instance; kept, as every model is asked the same."""
    return opening(task_of(seed, task_type, instance), prompt_type, difficulty, rules)
