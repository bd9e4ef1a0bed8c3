"""The picture of one lane: in a snapshot, and in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from console.engine.gates import NS_PER_S, Gate
from console.engine.histogram import histogram
from console.engine.lane_runtime import LaneRuntime
from console.records.percentile import FLOORS
from console.vocabulary.inspection import GateView, LaneDetail
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import LaneState, LaneView

_QUIET: Final = frozenset({Outcome.OK, Outcome.RATE_LIMITED, Outcome.CANCELLED})


def lane_view(lane: LaneRuntime, now_ns: int, holders: Mapping[str, str]) -> LaneView:
    """Return the picture of one lane; `holders` says which jobs have which key."""
    outcomes, limits, plan = lane.outcomes, lane.limits, lane.setup.limits
    scope, most_qps = limits.strictest()
    return LaneView(
        provider=lane.lane.provider,
        model=lane.lane.model,
        deployment=lane.lane.deployment,
        key=lane.lane.key,
        state=lane_state(lane),
        in_flight=lane.in_flight,
        held=lane.held,
        waiting=lane.waiting,
        workers=lane.workers,
        window=None if lane.found is None else lane.found.gate.most,
        qps=limits.qps,
        rate=lane.sends.per_second(now_ns),
        tokens_per_s=lane.tokens.per_second(now_ns),
        ok=outcomes.get(Outcome.OK, 0),
        rate_limited=outcomes.get(Outcome.RATE_LIMITED, 0),
        errors=sum(count for outcome, count in outcomes.items() if outcome not in _QUIET),
        ttft_p50_ms=lane.ttft.quantile_ms(0.5, FLOORS[50]),
        ttft_p95_ms=lane.ttft.quantile_ms(0.95, FLOORS[95]),
        resume_in_s=lane.resume_in_s,
        note=safe_line(lane.off, 120),
        qps_scope=scope or "",
        most_qps=most_qps,
        profile_workers=None if plan.workers is None else plan.workers * limits.copies,
        profile_qps=None if plan.qps is None else plan.qps * limits.copies,
        adaptive=lane.adapts,
        moved=lane.recent.direction(now_ns) if lane.adapts else 0,
        holder=safe_line(holders.get(lane.lane.key_scope, ""), 200),
    )


def lane_state(lane: LaneRuntime) -> LaneState:
    """Return the one word for a lane."""
    if lane.off:
        return "off"
    if lane.resting:
        return "parked"
    if lane.resume_in_s is not None:
        return "throttled"
    if lane.workers is not None and lane.held >= lane.workers:
        return "full"
    return "busy" if lane.held or lane.in_flight else "idle"


def lane_detail(
    lane: LaneRuntime, now_ns: int, start_ns: int, holders: Mapping[str, str], jobs: Iterable[str]
) -> LaneDetail:
    """Return everything about one lane; `jobs` are the titles of those with tests on it."""
    view = lane_view(lane, now_ns, holders)
    edges_ms, counts = histogram(lane.ttft.counts)
    return LaneDetail(
        at_s=(now_ns - start_ns) / NS_PER_S,
        lane=view,
        gates=(*_own_gates(lane, view), *map(gate_view, lane.limits.shared)),
        outcomes={str(outcome): count for outcome, count in lane.outcomes.items()},
        ttft_edges_ms=edges_ms,
        ttft_counts=counts,
        changes=lane.recent.changes,
        failures=lane.recent.failures,
        jobs=tuple(safe_line(job, 120) for job in jobs),
        holder=view.holder,
    )


def _own_gates(lane: LaneRuntime, view: LaneView) -> Iterator[GateView]:
    """Yield the lane's own limits, those of all copies together, and what adaptive mode finds below them."""
    limits, copies = lane.limits, lane.limits.copies
    own, plan = limits.own, lane.setup.limits
    changed = (own.workers, own.qps) != (plan.workers, plan.qps)
    yield GateView(
        kind="lane",
        name=lane.lane.id,
        in_flight=view.in_flight,
        most=view.workers,
        waiting=view.waiting,
        qps=limits.own_qps,
        rpm=None if own.rpm is None else own.rpm * copies,
        tpm=None if own.tpm is None else own.tpm * copies,
        profile_qps=view.profile_qps if changed else None,
        profile_most=view.profile_workers if changed else None,
        changed=changed,
    )
    if limits.found is not None:
        gate = limits.found.gate
        yield GateView(
            kind="found",
            name=lane.lane.id,
            in_flight=gate.in_flight,
            most=gate.most,
            waiting=gate.waiting,
            qps=gate.limits.qps,
            tpm=gate.limits.tpm,
        )


def gate_view(gate: Gate) -> GateView:
    """Return the picture of a gate that lanes share."""
    limits, plan = gate.limits, gate.plan
    changed = (limits.workers, limits.qps) != (plan.workers, plan.qps)
    return GateView(
        kind=gate.scope.kind,
        name=gate.scope.name,
        in_flight=gate.in_flight,
        most=limits.workers,
        waiting=gate.waiting,
        qps=limits.qps,
        rpm=limits.rpm,
        tpm=limits.tpm,
        profile_qps=plan.qps if changed else None,
        profile_most=plan.workers if changed else None,
        changed=changed,
    )
