"""How long a run still takes, from what its tests took so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.engine.gates import NS_PER_S
from console.phases.plan import Job, Plan

_ENOUGH: Final = 5
"""Tests of a job after which its own mean is taken."""


class Durations:
    """What tests took: by job, by provider and over all."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, job_id: str, provider: str, duration_ns: int) -> None:
        """Take in one test."""
        for name in (("job", job_id), ("provider", provider), ("", "")):
            count, total_ns = self._sums.get(name, (0, 0))
            self._sums[name] = (count + 1, total_ns + duration_ns)

    def mean_s(self, job: Job) -> float | None:
        """Return what a test of `job` is likely to take: as its own so far, else as its provider's, else as all."""
        for name in (("job", job.id), ("provider", job.provider), ("", "")):
            count, total_ns = self._sums.get(name, (0, 0))
            if count >= _ENOUGH:
                return total_ns / count / NS_PER_S
        return None


def eta_s(
    plan: Plan, done: Sequence[int], workers: Sequence[int | None], durations: Durations
) -> float | None:
    """Return the seconds until the last job ends, if tests go on to take what they took.

    A job takes (tests left / workers) such tests, but one at least; it begins when the last job before it ends.
    None before enough tests are done, and where no lane of a job works now.

    Args:
        plan: the jobs.
        done: tests of each job whose verdict stands.
        workers: of each job on lanes that work; None: unlimited.
        durations: what tests took so far.
    """
    ends: list[float] = []
    for index, job in enumerate(plan.jobs):
        left = len(job.tests) - done[index]
        begin = max((ends[other] for other in job.before), default=0.0)
        if left <= 0:
            ends.append(begin)
            continue
        at_once = workers[index]
        mean_s = durations.mean_s(job)
        if at_once == 0 or mean_s is None:
            return None
        ends.append(begin + max(1.0, 1.0 if at_once is None else left / at_once) * mean_s)
    return max(ends, default=None)
