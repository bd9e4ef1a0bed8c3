"""How long a run still takes, from what its tests took so far."""

from __future__ import annotations

from collections.abc import Sequence

from console.engine.lane_runtime import LaneRuntime
from console.phases.plan import Plan


def eta_s(
    plan: Plan, done: Sequence[int], lanes: Sequence[Sequence[LaneRuntime]], mean_test_s: float
) -> float | None:
    """Return the seconds until the last job ends, if tests go on to take what they took on average.

    A job takes ceil(tests left / workers) such tests; it begins when the last job before it ends. None where
    a job has no lane left to run on.
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
            if not lane.off:
                workers += left if lane.workers is None else lane.workers
        if not workers:
            return None
        ends.append(begin + -(-left // workers) * mean_test_s)
    return max(ends, default=None)
