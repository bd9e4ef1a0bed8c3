"""Which lane the grid's cursor should stand on while nobody moves it: one where work is done now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.vocabulary.snapshot import LaneView, Snapshot

IDLE_LOOKS: Final = 3
"""Looks at an idle lane before another is taken: between two tests a lane is idle for a moment."""


class Following:
    """Remembers the lane that is followed, and leaves it only when its work is over."""

    def __init__(self) -> None:
        self._lane: tuple[str, str, str] | None = None
        self._idle_looks = 0

    def lane(self, snapshot: Snapshot) -> LaneView | None:
        """Return the first busy lane of the first running job, or the lane followed so far while that still works."""
        candidates = _lanes_of_running_jobs(snapshot)
        now = next((lane for lane in candidates if _identity(lane) == self._lane), None)
        if now is not None:
            self._idle_looks = 0 if _works(now) else self._idle_looks + 1
            if self._idle_looks < IDLE_LOOKS:
                return now
        first = next((lane for lane in candidates if _works(lane)), now or next(iter(candidates), None))
        if first is not None:
            self._lane, self._idle_looks = _identity(first), 0
        return first


def _lanes_of_running_jobs(snapshot: Snapshot) -> Sequence[LaneView]:
    running = dict.fromkeys(job.model for job in snapshot.jobs if job.state == "running")
    if not running:
        return snapshot.lanes if not snapshot.jobs else ()
    return [lane for model in running for lane in snapshot.lanes if lane.model == model]


def _works(lane: LaneView) -> bool:
    return lane.in_flight > 0 or lane.held > 0 or lane.waiting > 0


def _identity(lane: LaneView) -> tuple[str, str, str]:
    return lane.provider, lane.deployment, lane.key
