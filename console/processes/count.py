"""How many engine processes a run is worth, where it is left to us."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

from console.phases.plan import Plan
from console.vocabulary.lane import LaneSetup, LeaseRule

CHUNKS_PER_PROCESS: Final = 25_000
"""Chunks per second that one process reads with its clock right, with room for the ends of answers (`make bench`)."""
CHUNKS_PER_STREAM: Final = 50.0
"""Of one stream in a second, where the profile has no guess: a fast model read by one user."""
UNLIMITED_AT_ONCE: Final = 1_000
"""Requests at once that a lane without a limit is taken for."""


def processes_for(at_once: int, *, chunks_per_stream: float = CHUNKS_PER_STREAM, cores: int) -> int:
    """Return how many processes read that many streams, at least one and at most one a core."""
    wanted = -(-int(at_once * chunks_per_stream) // CHUNKS_PER_PROCESS)
    return max(1, min(wanted, cores))


def usable_cores(*, simulated: bool) -> int:
    """Return the cores that this process may use, without one for the simulator where it runs beside."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - simulated)


def peak_of_plan(plan: Plan) -> int:
    """Return the most requests that may be in flight at once: over all jobs that may run side by side.

    Where jobs lease keys it is a bound: each key may be held by those with most workers on it.
    """
    before = [frozenset(job.before) for job in plan.jobs]
    lanes = [_lanes_by_key(plan, index) for index in range(len(plan.jobs))]
    peak = 0
    for index in range(len(plan.jobs)):
        beside = [
            other
            for other in range(len(plan.jobs))
            if other not in before[index] and index not in before[other]
        ]
        fixed = {
            lane: slots
            for other in beside
            if plan.jobs[other].lease is None
            for held in lanes[other].values()
            for lane, slots in held.items()
        }
        leasing = [
            (plan.jobs[other].model, lanes[other]) for other in beside if plan.jobs[other].lease is not None
        ]
        peak = max(peak, sum(fixed.values()) + _most_leased(leasing, plan.leases))
    return peak


Slots = dict[tuple[str, int], int]
"""Lane id, and the job where each job has its own copy of the limits (else -1) → requests at once."""


def _lanes_by_key(plan: Plan, index: int) -> dict[str, Slots]:
    setups = {setup.lane.id: setup for setup in plan.lanes}
    found: dict[str, Slots] = {}
    for shard in plan.jobs[index].shards:
        setup = setups[shard.lane_id]
        key = setup.lane.key_scope
        found.setdefault(key, {})[setup.lane.id, index if setup.per == "job" else -1] = _at_once(setup)
    return found


def _most_leased(jobs: Sequence[tuple[str, dict[str, Slots]]], rules: Mapping[str, LeaseRule]) -> int:
    """Return the most that jobs, each with its model, have in flight if each holds one key.

    A key is held by as many jobs or models as its rule says.
    """
    by_job = sum(max(sum(slots.values()) for slots in lanes.values()) for _, lanes in jobs if lanes)
    by_key = 0
    for key in dict.fromkeys(key for _, lanes in jobs for key in lanes):
        rule = rules.get(key) or LeaseRule()
        holders: dict[Hashable, Slots] = {}
        for model, lanes in jobs:
            if key in lanes:
                # Jobs with the very same lanes share their slots: one such holder is as many as all.
                holder = model if rule.to == "model" else frozenset(lanes[key])
                holders.setdefault(holder, {}).update(lanes[key])
        held = sorted((sum(slots.values()) for slots in holders.values()), reverse=True)
        by_key += sum(held[: rule.holders])
    return min(by_job, by_key)


def peak_of_lanes(lanes: Iterable[LaneSetup], most: int | None) -> int:
    """Return the most requests that a level has in flight."""
    together = sum(_at_once(setup) for setup in lanes)
    return together if most is None else min(most, together)


def parts_text(lanes: Sequence[LaneSetup], parts: Sequence[Sequence[LaneSetup]]) -> str:
    """Say how lanes were dealt: `2 processes: 3 lanes split over them, 5 whole on one, as rates are not split`."""
    places: dict[str, int] = {}
    for part in parts:
        for setup in part:
            places[setup.lane.id] = places.get(setup.lane.id, 0) + 1
    split = sum(count > 1 for count in places.values())
    whole = len(lanes) - split
    processes = "1 engine process" if len(parts) == 1 else f"{len(parts)} engine processes"
    text = f"{processes}: {split} lane{'' if split == 1 else 's'} split over them"
    return f"{text}, {whole} whole on one (a rate, or few workers, is not split)" if whole else text


def _at_once(setup: LaneSetup) -> int:
    return UNLIMITED_AT_ONCE if setup.limits.workers is None else setup.limits.workers
