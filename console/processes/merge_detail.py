"""One lane in full out of what several processes say of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from console.engine.histogram import histogram
from console.engine.recent import CHANGES_KEPT, FAILURES_KEPT
from console.processes.merge import merge_lane
from console.processes.messages import AboutLane, Seen
from console.vocabulary.inspection import GateView, LaneDetail, LimitChange
from console.vocabulary.lane import together
from console.vocabulary.log_buckets import merged


def merge_detail(
    lane_id: str,
    told: Sequence[AboutLane],
    living: Iterable[Seen],
    remains: Iterable[Seen],
    by_hand: Iterable[LimitChange],
) -> LaneDetail | None:
    """Return a lane in full; None: no process that has it says anything.

    Args:
        lane_id: the lane.
        told: what living processes say about it.
        living: what these showed last.
        remains: what is left of those that are gone.
        by_hand: what somebody changed, in the figures of the whole run.
    """
    details = [about.detail for about in told if about.detail is not None]
    if not details:
        return None
    left = list(remains)
    gone = [view for seen in left for view in seen.snapshot.lanes if view.lane_id == lane_id]
    ttft = merged(seen.ttft.get(lane_id, {}) for seen in (*left, *living))
    edges_ms, counts = histogram(ttft)
    lane = merge_lane([*gone, *(detail.lane for detail in details)], ttft)
    outcomes: dict[str, int] = {}
    lost = [{"ok": one.ok, "rate_limited": one.rate_limited, "errors": one.errors} for one in gone]
    for several in (*lost, *(detail.outcomes for detail in details)):
        for outcome, count in several.items():
            if count:
                outcomes[outcome] = outcomes.get(outcome, 0) + count
    changes = [*by_hand, *(change for detail in details for change in detail.changes)]
    failures = [failed for detail in details for failed in detail.failures]
    return LaneDetail(
        at_s=max(detail.at_s for detail in details),
        lane=lane,
        gates=_gates(told),
        outcomes=outcomes,
        ttft_edges_ms=edges_ms,
        ttft_counts=counts,
        changes=tuple(sorted(changes, key=lambda change: change.at_s)[-CHANGES_KEPT:]),
        failures=tuple(sorted(failures, key=lambda failed: failed.at_s)[-FAILURES_KEPT:]),
        jobs=tuple(dict.fromkeys(job for detail in details for job in detail.jobs)),
        holder=lane.holder,
    )


def _gates(told: Sequence[AboutLane]) -> tuple[GateView, ...]:
    """Put the parts of each gate together; the lane's own come first, as every process tells them."""
    parts: dict[tuple[str, str], list[GateView]] = {}
    for about in sorted(told, key=lambda one: one.detail is None):
        for gate in about.gates if about.detail is None else about.detail.gates:
            parts.setdefault((gate.kind, gate.name), []).append(gate)
    return tuple(_gate(several) for several in parts.values())


def _gate(parts: Sequence[GateView]) -> GateView:
    if len(parts) == 1:
        return parts[0]
    changed = any(part.changed for part in parts)
    return msgspec.structs.replace(
        parts[0],
        in_flight=sum(part.in_flight for part in parts),
        most=together(part.most for part in parts),
        waiting=sum(part.waiting for part in parts),
        profile_most=together(part.profile_most for part in parts) if changed else None,
        changed=changed,
    )
