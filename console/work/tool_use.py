"""Tests of tool use: a model is given a task and tools, and what it does to their world is marked."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Final

from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, SEVERITIES, TASK_TYPES
from console.vocabulary.test_id import TestId
from console.vocabulary.trace import Said
from console.work.answers import shortened
from console.work.contract import Ask, TestResult
from console.work.course import Course, Ending
from console.work.library import task_of
from console.work.prompts import opening_of
from console.work.protocol import Protocol, rules
from console.work.scoring import mark
from console.work.session import Session
from console.work.turns import play

MAX_TOKENS: Final = 1_024
"""What a turn asks for at most in answer."""
DETAIL_CHARS: Final = 500
_FAULT_CHARS: Final = 160
_MOST_FAULTS: Final = 2


class ToolUseWork:
    """Plays tool-use tests."""

    def __init__(
        self, seed: int, protocols: Mapping[str, str] | None = None, *, max_tokens: int = MAX_TOKENS
    ) -> None:
        """Prepare for the tests of one run.

        Args:
            seed: seed of the run: of its tasks and of the failures of their tools.
            protocols: per model, how it is offered tools; "tools" where it is not named.
            max_tokens: the greatest length of a reply.
        """
        self._seed = seed
        self._text_only = frozenset(model for model, name in (protocols or {}).items() if name == "text")
        self._max_tokens = max_tokens

    def refusal(self, test: TestId) -> str | None:
        """Say what of `test` is unknown or impossible, or None if it can be played."""
        prompt_type, at, severity = test.prompt_type.partition("@")
        if prompt_type not in PROMPT_TYPES:
            return f"prompt type {prompt_type!r} is unknown (known: {', '.join(PROMPT_TYPES)})"
        if at and not prompt_type.startswith("flawed_"):
            return f"prompt type {prompt_type!r} has no severity: only flawed ones do"
        if at and severity not in SEVERITIES:
            return f"severity {severity!r} is unknown (known: {', '.join(SEVERITIES)})"
        if test.task_type not in TASK_TYPES:
            return f"task type {test.task_type!r} is unknown (known: {', '.join(TASK_TYPES)})"
        if test.difficulty not in DIFFICULTIES:
            return f"difficulty {test.difficulty!r} is unknown (known: {', '.join(DIFFICULTIES)})"
        if test.instance < 1:
            return f"instance {test.instance} does not exist: they count from 1"
        if _rate(test.rate) is None:
            return f"tool success rate {test.rate!r} is no number from 0 to 1"
        return None

    async def run(self, test: TestId, ask: Ask, said: list[Said]) -> TestResult:
        """Play one attempt of `test`, adding to `said` what is said."""
        rate = _rate(test.rate)
        if rate is None:
            raise ValueError(self.refusal(test))
        task = task_of(self._seed, test.task_type, test.instance)
        session = Session(task, seed=self._seed, success_rate=rate)
        protocol: Protocol = "text" if test.model in self._text_only else "tools"
        messages = opening_of(
            self._seed, test.task_type, test.instance, test.prompt_type, test.difficulty, rules(protocol)
        )
        course = await play(session, messages, ask, said, protocol=protocol, max_tokens=self._max_tokens)
        marked = mark(session, course)
        return TestResult(
            verdict=marked.verdict,
            score=marked.score,
            turns=course.turns,
            detail=detail_of(session, course),
            marks=marked.marks,
        )


def detail_of(session: Session, course: Course) -> str:
    """Say in words what is missing, what failed and was not made good, and how it ended; empty if all is well.

    It quotes what the model wrote: hostile text.
    """
    parts: list[str] = []
    met, of = session.conditions_met, len(session.task.goal)
    if met < of:
        parts.append(f"{met} of {of} conditions")
    parts.extend(_faults(session))
    if course.format_errors:
        parts.append(_counted(course.format_errors, "format error"))
    if course.repaired:
        parts.append(f"{_counted(course.repaired, 'call')} read by repair")
    if course.ending is Ending.FINISH:
        if met < of:
            parts.append(f"finished after {_counted(course.turns, 'turn')}")
    else:
        parts.append("turns used up" if course.ending is Ending.TURNS else "gave up after failed calls")
    return shortened("; ".join(parts), DETAIL_CHARS)


def _faults(session: Session) -> list[str]:
    """Return the last failures of tools that did not work afterwards."""
    told: dict[str, str] = {}
    for call in reversed(session.calls):
        if call.ok:
            told.setdefault(call.tool, "")
        else:
            fault = f"{call.tool}: {call.code} {call.error}"
            told.setdefault(call.tool, shortened(fault, _FAULT_CHARS))
    return [fault for fault in told.values() if fault][:_MOST_FAULTS]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if isfinite(rate) and 0.0 <= rate <= 1.0 else None
