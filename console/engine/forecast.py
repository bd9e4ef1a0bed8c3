"""How long a run still takes, from what its tests took so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.engine.gates import NS_PER_S
from console.engine.lane_runtime import LaneRuntime
from console.phases.plan import Job, Plan
from console.vocabulary.rows import TestRow

_ENOUGH: Final = 5
"""Tests of a job after which its own mean is taken."""


class Durations:
    """What tests took: by job, by provider and over all."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, row: TestRow) -> None:
        """Take in one test."""
        for name in (("job", row.job), ("provider", row.lane.provider), ("", "")):
            count, total_ns = self._sums.get(name, (0, 0))
            self._sums[name] = (count + 1, total_ns + row.duration_ns)

    def mean_s(self, job: Job) -> float | None:
        """Return what a test of `job` is likely to take: as its own so far, else as its provider's, else as all."""
        for name in (("job", job.id), ("provider", job.provider), ("", "")):
            count, total_ns = self._sums.get(name, (0, 0))
            if count >= _ENOUGH:
                return total_ns / count / NS_PER_S
        return None


def eta_s(
    plan: Plan, done: Sequence[int], lanes: Sequence[Sequence[LaneRuntime]], durations: Durations
) -> float | None:
    """Return the seconds until the last job ends, if tests go on to take what they took.

    A job takes (tests left / workers) such tests, but one at least; it begins when the last job before it ends.
    None before enough tests are done, and where no lane of a job works now.
    """
    ends: list[float] = []
    for index, job in enumerate(plan.jobs):
        left = len(job.tests) - done[index]
        begin = max((ends[other] for other in job.before), default=0.0)
        if left <= 0:
            ends.append(begin)
            continue
        workers = 0
        for lane in lanes[index]:
            if not lane.off and not lane.resting:
                workers += left if lane.workers is None else lane.workers
        mean_s = durations.mean_s(job)
        if not workers or mean_s is None:
            return None
        ends.append(begin + max(1.0, left / workers) * mean_s)
    return max(ends, default=None)
