"""From the ledger of a rehearsal to its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from console.engine.gates import NS_PER_S
from console.phases.plan import Plan
from console.rehearsal.ledger import LaneBook, Ledger
from console.rehearsal.load import Spans, curve, most_at_once, step_s
from console.rehearsal.report import FoundLimits, JobSpan, LaneCounts, LeaseSpan, Rehearsal, ScopeLoad
from console.rehearsal.supposed import Supposed
from console.vocabulary.lane import Lane, LaneSetup, ScopeKind, together
from console.vocabulary.learnt import Learnt
from console.vocabulary.outcome import Outcome
from console.vocabulary.simulated import SimBehaviour

_DIGITS: Final = 3


def report(plan: Plan, ledger: Ledger, supposed: Supposed, found: Sequence[Found]) -> Rehearsal:
    """Return what the rows come to, with what adaptive mode had found in the end."""
    model_of = {job.id: job.model for job in plan.jobs}
    duration_ns = ledger.now_ns
    outcomes: Counter[str] = Counter()
    for book in ledger.lanes.values():
        outcomes.update({str(outcome): count for outcome, count in book.outcomes.items()})

    def scopes(kind: ScopeKind, name: Callable[[Lane], str]) -> tuple[ScopeLoad, ...]:
        groups: dict[str, list[LaneSetup]] = {}
        for setup in plan.lanes:
            groups.setdefault(name(setup.lane), []).append(setup)
        return tuple(
            _load(kind, scope, setups, ledger, supposed.behaviours[setups[0].lane.provider], duration_ns)
            for scope, setups in groups.items()
        )

    return Rehearsal(
        title=plan.title,
        profile=plan.profile,
        rate_mode=plan.rate_mode,
        seed=plan.seed,
        state="finished" if ledger.ended is not None and ledger.ended.state == "finished" else "interrupted",
        duration_s=_seconds(duration_ns),
        planned=plan.planned,
        answered=ledger.done,
        unanswered=plan.planned - ledger.done,
        verdicts={str(verdict): count for verdict, count in sorted(ledger.verdicts.items())},
        requests=dict(sorted(outcomes.items())),
        service_s=_seconds(ledger.service_ns),
        limiter_wait_s=_seconds(ledger.limiter_wait_ns),
        held_s=_seconds(ledger.held_ns),
        retry_wait_s=_seconds(ledger.retry_wait_ns),
        step_s=step_s(duration_ns / NS_PER_S),
        keys=scopes("key", lambda lane: lane.key_scope),
        deployments=scopes("deployment", lambda lane: f"{lane.provider}/{lane.deployment}"),
        lanes=tuple(
            LaneCounts(
                lane=lane.id, requests={str(one): count for one, count in sorted(book.outcomes.items())}
            )
            for lane, book in ledger.lanes.items()
        ),
        jobs=tuple(
            JobSpan(
                job=job.id,
                tests=len(job.tests),
                start_s=_when(ledger.job_starts.get(job.id)),
                end_s=_when(ledger.job_ends.get(job.id)),
            )
            for job in plan.jobs
        ),
        leases=tuple(
            LeaseSpan(
                key=held.key,
                job=held.job,
                model=model_of[held.job],
                start_s=_seconds(held.start_ns),
                end_s=_when(held.end_ns),
            )
            for held in ledger.leases
        ),
        found=tuple(_found(one, ledger.lanes[one.lane]) for one in found),
        assumptions=(*supposed.assumptions, *_of_plan(plan)),
    )


def _of_plan(plan: Plan) -> list[str]:
    """Say what of the plan itself is not played as it would be run."""
    said: list[str] = []
    if any(setup.adaptive for setup in plan.lanes):
        said.append("adaptive lanes begin with nothing learnt from an earlier run")
    return said


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the controller of a lane says in the end."""

    lane: Lane
    per_s: float | None
    in_flight: int | None
    learnt: Learnt


def _found(found: Found, book: LaneBook) -> FoundLimits:
    learnt = found.learnt
    return FoundLimits(
        lane=found.lane.id,
        requests=len(book.request_starts),
        rate_limited=book.outcomes.get(Outcome.RATE_LIMITED, 0),
        per_s=found.per_s,
        in_flight=found.in_flight,
        met_per_s=learnt.requests_per_s,
        met_in_flight=learnt.window,
    )


def _load(
    kind: ScopeKind,
    name: str,
    setups: Sequence[LaneSetup],
    ledger: Ledger,
    behaviour: SimBehaviour,
    duration_ns: int,
) -> ScopeLoad:
    books = [ledger.lanes[setup.lane] for setup in setups]
    spans = _requests(books)
    shape = curve(spans, duration_ns, step_s(duration_ns / NS_PER_S) * NS_PER_S)
    in_flight_ns = sum(spans.ends) - sum(spans.begins)
    return ScopeLoad(
        name=name,
        requests=len(spans.starts),
        rate_limited=sum(book.outcomes.get(Outcome.RATE_LIMITED, 0) for book in books),
        peak_in_flight=spans.peak,
        mean_in_flight=round(in_flight_ns / duration_ns, _DIGITS) if duration_ns else 0.0,
        peak_qps=spans.most_within(NS_PER_S),
        mean_qps=round(len(spans.starts) * NS_PER_S / duration_ns, _DIGITS) if duration_ns else 0.0,
        models_at_once=_models_at_once(setups, books),
        in_flight_limit=_in_flight_limit(kind, name, setups),
        qps_limit=_qps_limit(kind, name, setups),
        quota_qps=behaviour.key_qps if kind == "key" else behaviour.deployment_qps,
        curve=shape,
    )


def _requests(books: Iterable[LaneBook]) -> Spans:
    starts: list[int] = []
    ends: list[int] = []
    for book in books:
        starts += book.request_starts
        ends += book.request_ends
    return Spans(starts, ends)


def _models_at_once(setups: Sequence[LaneSetup], books: Sequence[LaneBook]) -> int:
    tests: dict[str, tuple[list[int], list[int]]] = {}
    for setup, book in zip(setups, books, strict=True):
        starts, ends = tests.setdefault(setup.lane.model, ([], []))
        starts += book.test_starts
        ends += book.test_ends
    return most_at_once(Spans(starts, ends) for starts, ends in tests.values())


def _in_flight_limit(kind: ScopeKind, name: str, setups: Sequence[LaneSetup]) -> int | None:
    """Return the least of what the scope's own gate and its lanes let be in flight."""
    gates = [
        outer.limits.workers
        for outer in setups[0].outer
        if (outer.scope.kind, outer.scope.name) == (kind, name)
    ]
    lanes = (
        None if any(setup.per == "job" for setup in setups) else together(s.limits.workers for s in setups)
    )
    return min((limit for limit in (*gates, lanes) if limit is not None), default=None)


def _qps_limit(kind: ScopeKind, name: str, setups: Sequence[LaneSetup]) -> float | None:
    """Return the least of what the scope's own gate and its lanes let begin per second."""
    found: list[float | None] = []
    for outer in setups[0].outer:
        if (outer.scope.kind, outer.scope.name) == (kind, name):
            found += [outer.limits.qps, None if outer.limits.rpm is None else outer.limits.rpm / 60]
    rates = [setup.limits.qps for setup in setups if setup.per == "lane"]
    if len(rates) == len(setups) and None not in rates:
        found.append(sum(rate for rate in rates if rate is not None))
    return min((rate for rate in found if rate is not None), default=None)


def _seconds(ns: int) -> float:
    return round(ns / NS_PER_S, 6)


def _when(ns: int | None) -> float | None:
    return None if ns is None else _seconds(ns)
