"""How many engine processes a run is worth, where it is left to us."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from console.phases.plan import Plan
from console.vocabulary.lane import LaneSetup

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
    """Return the most requests that may be in flight at once: over all jobs that may run side by side."""
    limits = {setup.lane.id: _at_once(setup) for setup in plan.lanes}
    lanes_of = [{shard.lane_id for shard in job.shards} for job in plan.jobs]
    peak = 0
    for index, job in enumerate(plan.jobs):
        beside = set(lanes_of[index])
        for other, other_job in enumerate(plan.jobs):
            if other not in job.before and index not in other_job.before:
                beside |= lanes_of[other]
        peak = max(peak, sum(limits[lane_id] for lane_id in beside))
    return peak


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
