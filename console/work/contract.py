"""What the engine asks of work, and what work may ask of the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from console.vocabulary.chat import ChatRequest, ChatResult
from console.vocabulary.marks import Marks
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.test_id import TestId
from console.vocabulary.trace import Said

Ask = Callable[[ChatRequest], Awaitable[ChatResult]]
"""Sends one turn through gates and retries. Returns only complete answers; raises Unanswered otherwise."""


class Unanswered(Exception):  # noqa: N818 - a fact, not a fault of ours
    """No complete answer came, retries included. The engine makes the verdict of it."""

    def __init__(self, outcome: Outcome, text: str) -> None:
        super().__init__(f"{outcome}: {text}" if text else str(outcome))
        self.outcome = outcome


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt of a test came to."""

    __test__ = False

    verdict: Verdict
    score: float | None = None
    """0 … 1."""
    turns: int = 1
    detail: str = ""
    marks: Marks | None = None
    """Of a tool-use test."""


class Work(Protocol):
    """One kind of test."""

    async def run(self, test: TestId, ask: Ask, said: list[Said]) -> TestResult:
        """Play one attempt of `test`, adding to `said` what is said. Lets Unanswered and cancellation pass through."""
        ...
