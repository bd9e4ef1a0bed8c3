"""Tests of tool use: a model is given a task and tools, and what it does to their world is marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
"""What a turn asks for at most in answer, where the profile says nothing."""
DETAIL_CHARS: Final = 500
_FAULT_CHARS: Final = 160
_MOST_FAULTS: Final = 2


class ToolUseWork:
    """Plays tool-use tests."""

    def __init__(
        self,
        seed: int,
        protocols: Mapping[str, str] | None = None,
        max_tokens: Mapping[str, int] | None = None,
    ) -> None:
        """Prepare for the tests of one run.

        Args:
            seed: seed of the run: of its tasks and of the failures of their tools.
            protocols: per model, how it is offered tools; "tools" where it is not named.
            max_tokens: per model, the greatest length of a reply; MAX_TOKENS where it is not named.
        """
        self._seed = seed
        self._text_only = frozenset(model for model, name in (protocols or {}).items() if name == "text")
        self._max_tokens = max_tokens or {}

    async def run(self, test: TestId, ask: Ask, said: list[Said]) -> TestResult:
        """Play one attempt of `test`, adding to `said` what is said."""
        task = task_of(self._seed, test.task_type, test.instance)
        session = Session(task, seed=self._seed, success_rate=float(test.rate))
        protocol: Protocol = "text" if test.model in self._text_only else "tools"
        messages = opening_of(
            self._seed, test.task_type, test.instance, test.prompt_type, test.difficulty, rules(protocol)
        )
        course = await play(
            session,
            messages,
            ask,
            said,
            protocol=protocol,
            max_tokens=self._max_tokens.get(test.model, MAX_TOKENS),
        )
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
