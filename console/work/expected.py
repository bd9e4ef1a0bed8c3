"""How many requests a test is likely to take, before one is sent: what preflight multiplies latencies by."""

from __future__ import annotations

from statistics import fmean
from typing import Final

from console.vocabulary.test_id import TestId
from console.work.protocol import MAX_TURNS
from console.work.templates import TEMPLATES

_NEEDED_CALLS: Final = {
    task_type: fmean(len(tools) for tools in templates) for task_type, templates in TEMPLATES.items()
}
"""Calls that a task needs on average: instances go over all templates of their type."""


def expected_turns(test: TestId) -> float:
    """Return the requests of a test whose model makes the needed calls one by one, then finishes.

    A call that fails by chance is made again, 1 / rate times on average. One that wanders about takes longer and
    one that calls several tools at once takes less; both are within the bound of turns.
    """
    calls = _NEEDED_CALLS.get(test.task_type, MAX_TURNS)
    rate = float(test.rate)
    return min(float(MAX_TURNS), calls / rate + 1) if rate > 0 else float(MAX_TURNS)
