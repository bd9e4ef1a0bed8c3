"""What an engine that plays a part of a run says to the coordinator of its processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from console.vocabulary.chat import ChatRequest
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome


class Prompt(msgspec.Struct, frozen=True, array_like=True):
    """One prompt of a level."""

    index: int
    request: ChatRequest
    due_ns: int | None = None
    """When it is to be sent, on the monotonic clock; None: as soon as there is a slot."""


class Link(Protocol):
    """The way to the coordinator. Nothing here waits, and nothing raises."""

    def want(self, job: int, now: int, ahead: int, stint: int = 0) -> None:
        """Ask for tests of a job, or prompts of a level (job 0), until so many have come in all.

        Args:
            job: index in the plan.
            now: with work for everybody who is idle.
            ahead: and with some at hand besides.
            stint: which start of the job it counts from.
        """
        ...

    def done(self, job: int, test: str, duration_ns: int, *, answered: bool) -> None:
        """Tell that the verdict on a test stands."""
        ...

    def job_ended(self, job: int, left: Sequence[str], attempts: Mapping[str, int], stint: int = 0) -> None:
        """Give back the tests of a job that could not be played here; `stint` is the start of it that has ended."""
        ...

    def held(self, lane: Lane, seconds: float) -> None:
        """Tell that a server asked to wait on a lane, which other processes may have a part of."""
        ...

    def switched_off(self, lane: Lane, outcome: Outcome, reason: str) -> None:
        """Tell that a lane was switched off, and by what."""
        ...
