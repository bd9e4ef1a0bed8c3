"""One picture out of those of several processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from console.processes.messages import Seen
from console.records.client_rows import worst_health
from console.records.percentile import FLOORS
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.lane import together
from console.vocabulary.learnt import Learnt
from console.vocabulary.log_buckets import merged, quantile_ms
from console.vocabulary.snapshot import LaneState, LaneView

_LOUDEST_FIRST: Final[tuple[LaneState, ...]] = ("parked", "throttled", "busy", "full", "idle", "off")
"""What a lane is that has several parts: off or full only if all of them are."""


class Merged(msgspec.Struct, frozen=True):
    """What processes saw, together."""

    lanes: tuple[LaneView, ...]
    verdicts: dict[str, int]
    requests: dict[str, int]
    simulated: bool
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    health: ClientHealth | None
    blocked: bool
    """Whether the disk takes no rows of one of them."""
    notice: str


def remains_of(seen: Seen) -> Seen:
    """Return what is left of the picture of a process that is gone: what it counted, and nothing that goes on."""
    lanes = tuple(
        msgspec.structs.replace(
            view,
            state="off",
            in_flight=0,
            held=0,
            waiting=0,
            workers=0,
            profile_workers=0,
            rate=0.0,
            tokens_per_s=0.0,
            resume_in_s=None,
            note="its engine process died",
        )
        for view in seen.snapshot.lanes
    )
    return Seen(
        msgspec.structs.replace(
            seen.snapshot, lanes=lanes, health=None, notice="", state="running", queued=0
        ),
        seen.ttft,
        seen.learnt,
    )


def merge(seen: Sequence[tuple[int, Seen]], order: Sequence[str]) -> Merged:
    """Put pictures together.

    Args:
        seen: processes and their pictures; one that took the place of another comes after what is left of that.
        order: ids of the lanes as they are to be shown; those that nobody has shown yet are left out.
    """
    views: dict[str, list[LaneView]] = {}
    counts: dict[str, list[Mapping[int, int]]] = {}
    for _, picture in seen:
        for view in picture.snapshot.lanes:
            views.setdefault(view.lane_id, []).append(view)
            counts.setdefault(view.lane_id, []).append(picture.ttft.get(view.lane_id, {}))
    all_counts = merged(found for several in counts.values() for found in several)
    snapshots = [picture.snapshot for _, picture in seen]
    notices = sorted({snapshot.notice for snapshot in snapshots if snapshot.notice})
    return Merged(
        lanes=tuple(
            merge_lane(views[lane_id], merged(counts[lane_id])) for lane_id in order if lane_id in views
        ),
        verdicts=_added(snapshot.verdicts for snapshot in snapshots),
        requests=_added(snapshot.requests for snapshot in snapshots),
        simulated=any(snapshot.simulated for snapshot in snapshots),
        ttft_p50_ms=quantile_ms(all_counts, 0.5, FLOORS[50]),
        ttft_p95_ms=quantile_ms(all_counts, 0.95, FLOORS[95]),
        health=worst_health(
            {
                process: picture.snapshot.health
                for process, picture in seen
                if picture.snapshot.health is not None
            }
        ),
        blocked=any(snapshot.state == "blocked" for snapshot in snapshots),
        notice="; ".join(notices),
    )


def latest_learnt(seen: Iterable[Seen]) -> dict[str, Learnt]:
    """Return what was learnt of each lane last. Nobody but one process at a time has an adaptive lane."""
    latest: dict[str, Learnt] = {}
    for picture in seen:
        for lane_id, learnt in picture.learnt.items():
            if lane_id not in latest or latest[lane_id].at_s <= learnt.at_s:
                latest[lane_id] = learnt
    return latest


def merge_lane(views: Sequence[LaneView], ttft: Mapping[int, int]) -> LaneView:
    """Put the pictures of one lane together, the latest of a process that was replaced last."""
    if len(views) == 1:
        return views[0]
    states = {view.state for view in views}
    state = next(state for state in _LOUDEST_FIRST if state in states)
    waits = [view.resume_in_s for view in views if view.resume_in_s is not None]
    return msgspec.structs.replace(
        views[-1],  # what is on one process only, as rates are, is what the latest one says
        state=state,
        in_flight=sum(view.in_flight for view in views),
        held=sum(view.held for view in views),
        waiting=sum(view.waiting for view in views),
        workers=together(view.workers for view in views),
        profile_workers=together(view.profile_workers for view in views),
        rate=sum(view.rate for view in views),
        tokens_per_s=sum(view.tokens_per_s for view in views),
        ok=sum(view.ok for view in views),
        rate_limited=sum(view.rate_limited for view in views),
        errors=sum(view.errors for view in views),
        ttft_p50_ms=quantile_ms(ttft, 0.5, FLOORS[50]),
        ttft_p95_ms=quantile_ms(ttft, 0.95, FLOORS[95]),
        resume_in_s=max(waits, default=None),
        holder=next((view.holder for view in reversed(views) if view.holder), ""),
        note=next((view.note for view in reversed(views) if view.note and view.state == state), ""),
    )


def _added(several: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in several:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total
