"""Nominal load: what the jobs that run at once may put on a key, deployment or other scope, as limits stand.

This is how limits are added up by hand: four jobs of 2 QPS each are 8 on their key, however long answers take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from console.phases.lookahead import Lookahead, rate_per_s
from console.phases.plan import Plan
from console.profile.form import Profile
from console.vocabulary.lane import LaneSetup, Scope


class Limit(msgspec.Struct, frozen=True):
    """What a scope lets through."""

    per_s: float | None = None
    """Requests per second; None: not known to be limited."""
    source: Literal["gate", "guess", "none"] = "none"
    """`gate`: the profile enforces it; `guess`: the profile supposes it of the provider."""
    slots: int | None = None
    """Requests in flight, which a gate enforces."""


class Nominal(msgspec.Struct, frozen=True, kw_only=True):
    """The most that the jobs of one moment may put on a scope; each figure at its own moment."""

    jobs: int = 0
    workers: int = 0
    """Those of lanes with unlimited workers are not in it."""
    per_s: float = 0.0
    """By the rates of lanes; lanes without one are not in it."""
    unlimited_per_s: float = 0.0
    """What workers of lanes without a rate may send at most, as answers are supposed to take."""
    busiest: tuple[int, ...] = ()
    """The jobs of the moment when most run there."""
    copies: dict[str, int] = {}
    """Class `provider/class` → how often its lane rate counts at the moment of the highest `per_s`."""


def scopes_of(setup: LaneSetup) -> tuple[Scope, ...]:
    """Return the scopes of a lane: key and deployment always, others where there is a gate on them."""
    lane = setup.lane
    own = (
        Scope("key", lane.key_scope),
        Scope("deployment", f"{lane.provider}/{lane.deployment}"),
    )
    return tuple(dict.fromkeys((*own, *(one.scope for one in setup.outer))))


def scope_limit(plan: Plan, scope: Scope) -> Limit:
    """Return what the gate on a scope lets through."""
    for setup in plan.lanes:
        for outer in setup.outer:
            if outer.scope == scope:
                per_s = rate_per_s(outer.limits)
                return Limit(per_s, "none" if per_s is None else "gate", outer.limits.workers)
    return Limit()


def key_limit(plan: Plan, profile: Profile, key: str) -> Limit:
    """Return what a key lets through: by its gate, or as the profile supposes of it where that is less."""
    gate = scope_limit(plan, Scope("key", key))
    guess = profile.providers[key.partition("/")[0]].guess.key_qps
    if guess is None or (gate.per_s is not None and gate.per_s <= guess):
        return gate
    return Limit(guess, "guess", gate.slots)


def together_at(ahead: Lookahead) -> Iterator[tuple[int, ...]]:
    """Yield the jobs that run at once, for each moment at which one starts."""
    for start_ns in dict.fromkeys(job.start_ns for job in ahead.jobs):
        running = tuple(
            index for index, job in enumerate(ahead.jobs) if job.start_ns <= start_ns < job.end_ns
        )
        if running:
            yield running


def nominal_loads(plan: Plan, ahead: Lookahead, latency_s: Mapping[str, float]) -> dict[Scope, Nominal]:
    """Return the nominal load of every scope of the plan's lanes."""
    setups = {setup.lane.id: setup for setup in plan.lanes}
    loads = {scope: Nominal() for setup in plan.lanes for scope in scopes_of(setup)}
    for running in together_at(ahead):
        on: dict[Scope, list[tuple[int, LaneSetup]]] = {}
        for index in running:
            for lane_id in ahead.jobs[index].lanes:
                for scope in scopes_of(setups[lane_id]):
                    on.setdefault(scope, []).append((index, setups[lane_id]))
        for scope, held in on.items():
            loads[scope] = _higher(loads[scope], _nominal(held, latency_s))
    return loads


def _nominal(held: Sequence[tuple[int, LaneSetup]], latency_s: Mapping[str, float]) -> Nominal:
    jobs = tuple(dict.fromkeys(index for index, _ in held))
    workers, per_s, unlimited = 0, 0.0, 0.0
    copies: dict[str, int] = {}
    for setup in _counted(held):
        workers += setup.limits.workers or 0
        rate = rate_per_s(setup.limits)
        if rate is not None:
            per_s += rate
            name = class_name(setup)
            copies[name] = copies.get(name, 0) + 1
        elif setup.limits.workers is not None:
            unlimited += setup.limits.workers / latency_s[setup.lane.id]
        else:
            unlimited = float("inf")
    return Nominal(
        jobs=len(jobs), workers=workers, per_s=per_s, unlimited_per_s=unlimited, busiest=jobs, copies=copies
    )


def class_name(setup: LaneSetup) -> str:
    """Return the model class of a lane, such as `ideallab/open`."""
    return f"{setup.lane.provider}/{setup.model_class}"


def _counted(held: Iterable[tuple[int, LaneSetup]]) -> Iterator[LaneSetup]:
    """Yield each lane once, or once a job where every job has its own copy of the limits."""
    seen: set[str] = set()
    for _, setup in held:
        if setup.per == "job" or setup.lane.id not in seen:
            seen.add(setup.lane.id)
            yield setup


def _higher(one: Nominal, other: Nominal) -> Nominal:
    most = other if other.jobs > one.jobs else one
    fastest = other if other.per_s > one.per_s else one
    return Nominal(
        jobs=most.jobs,
        busiest=most.busiest,
        workers=max(one.workers, other.workers),
        per_s=fastest.per_s,
        copies=fastest.copies,
        unlimited_per_s=max(one.unlimited_per_s, other.unlimited_per_s),
    )
