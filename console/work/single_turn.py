"""The plain form of a test: one turn, in which the model names the tools of a task in their order.

A task is drawn from (seed, task type, instance) alone, so every model, prompt type and difficulty sees the
same task; the difficulty changes its wording and nothing else. Nothing is executed, so the tool success rate
has no effect on this form.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from console.vocabulary.chat import ChatRequest, Message
from console.vocabulary.names import DIFFICULTIES, PLAIN_PROMPT_TYPES, TASK_TYPES
from console.vocabulary.outcome import Verdict
from console.vocabulary.test_id import TestId
from console.vocabulary.trace import Said
from console.work.contract import Ask, TestResult
from console.work.tools import TOOLS, Tool

STEPS: Final = {
    "simple_task": (1, 3),
    "basic_task": (2, 4),
    "data_pipeline": (3, 5),
    "api_integration": (3, 5),
    "multi_stage_pipeline": (4, 7),
}
"""Fewest and most tools of a task, per task type."""

SYSTEM: Final = (
    "You plan work with tools. Answer with one JSON object and nothing else: "
    '{"plan": ["first_tool", "second_tool"]}. Name each tool that the task needs once, in the order of use.'
)
MAX_TOKENS: Final = 256
"""What a test asks for at most in answer."""
_OPTIMAL_MARK: Final = "Proven plan:"
_PARTIAL_SCORE: Final = 0.5
_MOST_NAMES: Final = 100


class Task(msgspec.Struct, frozen=True):
    """One task: its tools in the order in which they are needed."""

    tools: tuple[Tool, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Tool names in order: the right answer."""
        return tuple(tool.name for tool in self.tools)


def make_task(seed: int, task_type: str, instance: int) -> Task:
    """Draw the task of one instance; the same for ever for the same arguments."""
    digest = hashlib.blake2b(f"single-turn/{seed}/{task_type}/{instance}".encode(), digest_size=8).digest()
    rng = random.Random(int.from_bytes(digest, "big"))
    fewest, most = STEPS[task_type]
    return Task(tuple(rng.sample(TOOLS, rng.randint(fewest, most))))


def describe(task: Task, difficulty: str) -> str:
    """Word the task: from tool names (very easy) over keywords to business language (hard and above)."""
    if difficulty == "very_easy":
        steps = [f"{tool.keyword} with {tool.name}" for tool in task.tools]
    elif difficulty in ("easy", "medium"):
        steps = [tool.keyword for tool in task.tools]
    else:
        steps = [tool.abstract for tool in task.tools]
    if difficulty in ("very_easy", "easy"):
        return "Task: first " + ", then ".join(steps) + "."
    return "Task: " + "; ".join(steps) + "."


def build_messages(task: Task, prompt_type: str, difficulty: str) -> tuple[Message, ...]:
    """Return the messages of a test."""
    parts = [describe(task, difficulty), "Tools: " + ", ".join(tool.name for tool in TOOLS) + "."]
    if prompt_type == "cot":
        parts.append("Think through the steps one by one before you decide, then give only the JSON object.")
    elif prompt_type == "optimal":
        plan = "\n".join(f"{number}. {name}" for number, name in enumerate(task.names, 1))
        parts.append(f"{_OPTIMAL_MARK}\n{plan}")
    return ({"role": "system", "content": SYSTEM}, {"role": "user", "content": "\n".join(parts)})


def read_plan(text: str) -> tuple[str, ...] | None:
    """Read the tool names out of an answer; None where it holds no JSON object with a `plan` list.

    Text around the object and code fences are tolerated: they say nothing about the plan. Entries beyond the
    hundredth are not read: no task needs as many.
    """
    for found in re.finditer(r"\{[^{}]*\}", text):
        try:
            value: Any = msgspec.json.decode(found.group().encode())
        except (msgspec.DecodeError, RecursionError):  # the second: brackets nested without end
            continue
        plan: Any = value.get("plan") if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(plan, list):
            names: list[Any] = plan[:_MOST_NAMES]  # pyright: ignore[reportUnknownVariableType]
            if all(isinstance(name, str) for name in names):
                return tuple(names)
    return None


def score_plan(plan: Sequence[str], truth: Sequence[str]) -> float:
    """Score by longest common subsequence over the longer of the two: order, gaps and extras all count."""
    row = [0] * (len(truth) + 1)
    for name in plan:
        previous = 0
        for column, wanted in enumerate(truth, 1):
            previous, row[column] = (
                row[column],
                previous + 1 if name == wanted else max(row[column], row[column - 1]),
            )
    return row[-1] / max(len(plan), len(truth), 1)


class SingleTurnWork:
    """Plays tests of the single-turn form."""

    def __init__(self, seed: int, *, max_tokens: int = MAX_TOKENS) -> None:
        self._seed = seed
        self._max_tokens = max_tokens

    def refusal(self, test: TestId) -> str | None:
        """Say why this form cannot play `test`."""
        if test.prompt_type not in PLAIN_PROMPT_TYPES:
            return f"prompt type {test.prompt_type!r} is not available yet (available: {', '.join(PLAIN_PROMPT_TYPES)})"
        if test.task_type not in TASK_TYPES:
            return f"task type {test.task_type!r} is unknown (known: {', '.join(TASK_TYPES)})"
        if test.difficulty not in DIFFICULTIES:
            return f"difficulty {test.difficulty!r} is unknown (known: {', '.join(DIFFICULTIES)})"
        return None

    async def run(self, test: TestId, ask: Ask, said: list[Said]) -> TestResult:
        """Ask once and hold the named plan against the task's own."""
        task = make_task(self._seed, test.task_type, test.instance)
        request = ChatRequest(
            messages=build_messages(task, test.prompt_type, test.difficulty), max_tokens=self._max_tokens
        )
        answer = await ask(request)
        plan = read_plan(answer.content)
        if plan is None:
            cut = " (cut at max_tokens)" if answer.finish_reason == "length" else ""
            return TestResult(
                verdict=Verdict.FAILURE,
                score=0.0,
                detail=f"no plan in the answer{cut}: {answer.content[:200]!r}",
            )
        score = score_plan(plan, task.names)
        if plan == task.names:
            return TestResult(verdict=Verdict.FULL, score=score)
        verdict = Verdict.PARTIAL if score >= _PARTIAL_SCORE else Verdict.FAILURE
        detail = f"planned {' > '.join(plan) or 'nothing'}, needed {' > '.join(task.names)}"
        return TestResult(verdict=verdict, score=score, detail=detail[:500])


def recognise(messages: Sequence[Message]) -> tuple[str, ...] | None:
    """Return the right plan of a single-turn prompt, or None if it is not one. For the simulated model."""
    if len(messages) < 2 or messages[0].get("content") != SYSTEM:
        return None
    text = str(messages[1].get("content", ""))
    if _OPTIMAL_MARK in text:
        return tuple(re.findall(r"^\d+\. (\S+)$", text.split(_OPTIMAL_MARK, 1)[1], re.MULTILINE))
    description = text.split("\n", 1)[0]
    found = [
        (description.find(hint), tool.name)
        for tool in TOOLS
        for hint in (tool.keyword, tool.abstract)
        if hint in description
    ]
    return tuple(name for _, name in sorted(found))
