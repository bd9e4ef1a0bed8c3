"""How many requests a test is likely to take, before one is sent: what preflight multiplies latencies by."""

from __future__ import annotations

from typing import Final

from console.vocabulary.test_id import TestId

NEEDED_CALLS: Final = {
    "simple_task": (1, 3),
    "basic_task": (2, 4),
    "data_pipeline": (3, 5),
    "api_integration": (3, 5),
    "multi_stage_pipeline": (4, 7),
}
"""Fewest and most calls that a task needs, per task type."""
MOST_TURNS: Final = 10
"""After which a test ends in any case."""


def expected_turns(test: TestId) -> float:
    """Return the requests of a test whose model makes the needed calls one by one, then finishes.

    A call that fails by chance is made again, 1 / rate times on average. One that wanders about takes longer and
    one that calls several tools at once takes less; both are within the bound of turns.
    """
    calls = sum(NEEDED_CALLS.get(test.task_type, (MOST_TURNS, MOST_TURNS))) / 2
    rate = float(test.rate)
    return min(float(MOST_TURNS), calls / rate + 1) if rate > 0 else float(MOST_TURNS)
