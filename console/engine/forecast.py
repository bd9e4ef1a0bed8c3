"""How long a run still takes, from what its tests took so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

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


class Outlook(msgspec.Struct, frozen=True):
    """One job as far as its end is concerned."""

    done: int
    """Tests whose verdict stands."""
    workers: int | None
    """On lanes that work now and are open to it; None: unlimited."""
    key: str | None = None
    """The key that it holds."""
    keys: dict[str, int | None] = {}
    """Of a job that leases one: its keys that serve it, and its workers on each."""
    started_s: float | None = None
    """When it started, seconds from now, so never more than 0; None: it has not."""


def began(outlook: Outlook, started_ns: int | None, now_ns: int) -> Outlook:
    """Return an outlook with when its job started."""
    if started_ns is None:
        return outlook
    return msgspec.structs.replace(outlook, started_s=(started_ns - now_ns) / NS_PER_S)


def eta_s(plan: Plan, outlooks: Sequence[Outlook], durations: Durations) -> float | None:
    """Return the seconds until the last job ends, if tests go on to take what they took.

    A job takes (tests left / workers) such tests, but one at least; it begins when the last job before it has ended,
    its stagger is over, and, where it leases a key, the first of its keys is free: keys go to jobs in the order of
    the plan.
    None before enough tests are done, and where no lane of a job works now.
    """
    free = {outlook.key: 0.0 for outlook in outlooks if outlook.key is not None}
    # Who holds a key comes before who waits for it.
    order = sorted(range(len(outlooks)), key=lambda index: outlooks[index].key is None)
    end_of: dict[int, float] = {}
    starts = {index: at for index, one in enumerate(outlooks) if (at := one.started_s) is not None}
    for index in order:
        job, outlook = plan.jobs[index], outlooks[index]
        left = len(job.tests) - outlook.done
        begin = max((end_of.get(other, 0.0) for other in job.before), default=0.0)
        if left <= 0:
            end_of[index] = begin
            continue
        if index not in starts:
            begin = max(begin, _staggered(plan, index, starts))
        key, at_once = outlook.key, outlook.workers
        if job.lease is not None and key is None:
            if not outlook.keys:
                return None
            key = min(outlook.keys, key=lambda name: free.get(name, 0.0))
            at_once = outlook.keys[key]
            begin = max(begin, free.get(key, 0.0))
        starts.setdefault(index, begin)
        mean_s = durations.mean_s(job)
        if at_once == 0 or mean_s is None:
            return None
        end_of[index] = begin + max(1.0, 1.0 if at_once is None else left / at_once) * mean_s
        if key is not None:
            free[key] = end_of[index]
    return max(end_of.values(), default=None)


def _staggered(plan: Plan, index: int, starts: Mapping[int, float]) -> float:
    """Return when the stagger of a job is over: so long after the last start of a job side by side with it."""
    job = plan.jobs[index]
    beside = [
        at for other, at in starts.items() if other not in job.before and index not in plan.jobs[other].before
    ]
    return max(beside) + job.stagger_s if job.stagger_s and beside else 0.0
