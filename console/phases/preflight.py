"""Preflight: what a plan will load every key and deployment with, how long it takes, and what is wrong with it.

Nothing is sent. The figures come from `lookahead`, which drives the engine's own order of jobs; how long an
answer takes is a guess, and whoever shows a figure says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from console.phases.finding import Finding, Scene
from console.phases.key_findings import key_findings
from console.phases.limit_findings import limit_findings
from console.phases.load_curve import LoadCurve, load_curve
from console.phases.lookahead import Lookahead, look_ahead
from console.phases.nominal import Limit, Nominal, key_limit, nominal_loads, scope_limit
from console.phases.order import NS_PER_S
from console.phases.plan import Plan
from console.profile.form import Guess, Profile
from console.vocabulary.lane import Scope

TTFT_MS: Final = 600.0
ITL_MS: Final = 20.0
OUTPUT_TOKENS: Final = 300
"""What is supposed of a provider whose profile guesses nothing: a large open model in the cloud."""


class ScopeLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What comes on one key or deployment."""

    kind: Literal["key", "deployment"]
    name: str
    """`provider/key` or `provider/deployment`."""
    nominal: Nominal
    """What its jobs may load it with at most, as limits stand."""
    limit: Limit
    curve: LoadCurve

    @property
    def share(self) -> float | None:
        """Nominal requests per second over the limit, else the peak of requests in flight over the workers.

        Lanes without a rate count with what their workers can send.
        """
        if self.limit.per_s is not None:
            return (self.nominal.per_s + self.nominal.unlimited_per_s) / self.limit.per_s
        most = self.nominal.workers if self.limit.slots is None else self.limit.slots
        return self.curve.peak_in_flight / most if most else None


class Preflight(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a plan before it runs."""

    duration_s: float
    latency_s: dict[str, float]
    """Lane id → what an answer is supposed to take."""
    loads: tuple[ScopeLoad, ...]
    """Keys first, then deployments."""
    findings: tuple[Finding, ...]


def preflight(
    plan: Plan,
    profile: Profile,
    *,
    latency_s: float | None = None,
    known_s: Mapping[str, float] | None = None,
    most_tokens: int | None = None,
) -> Preflight:
    """Look ahead at a plan.

    Args:
        plan: the plan.
        profile: the profile that it was made from.
        latency_s: what every answer takes; absent: as known, else as the profile guesses.
        known_s: lane id → what its answers took in an earlier run.
        most_tokens: the longest answer that tests ask for; a guess beyond it is cut.
    """
    known = known_s or {}
    latencies = {
        setup.lane.id: latency_s
        or known.get(setup.lane.id)
        or guessed_s(profile.providers[setup.lane.provider].guess, most_tokens)
        for setup in plan.lanes
    }
    ahead = look_ahead(plan, {lane_id: round(seconds * NS_PER_S) for lane_id, seconds in latencies.items()})
    nominal = nominal_loads(plan, ahead, latencies)
    scene = Scene(plan, profile, ahead, nominal)
    return Preflight(
        duration_s=ahead.end_ns / NS_PER_S,
        latency_s=latencies,
        loads=tuple(_loads(plan, profile, ahead, nominal)),
        findings=(*limit_findings(scene), *key_findings(scene)),
    )


def guessed_s(guess: Guess, most_tokens: int | None = None) -> float:
    """Return what an answer of a provider takes, as far as its profile guesses."""
    ttft_ms = TTFT_MS if guess.ttft_ms is None else guess.ttft_ms
    itl_ms = ITL_MS if guess.itl_ms is None else guess.itl_ms
    tokens = guess.output_tokens or OUTPUT_TOKENS
    return (ttft_ms + itl_ms * (tokens if most_tokens is None else min(tokens, most_tokens))) / 1000


def _loads(
    plan: Plan, profile: Profile, ahead: Lookahead, nominal: Mapping[Scope, Nominal]
) -> list[ScopeLoad]:
    members: dict[tuple[Literal["key", "deployment"], str], list[int]] = {}
    for index, setup in enumerate(plan.lanes):
        lane = setup.lane
        members.setdefault(("key", lane.key_scope), []).append(index)
        members.setdefault(("deployment", f"{lane.provider}/{lane.deployment}"), []).append(index)
    loads: list[ScopeLoad] = []
    for kind, name in sorted(members, key=lambda one: one[0] != "key"):
        lanes = [plan.lanes[index] for index in members[kind, name]]
        sent = [one for setup in lanes for one in ahead.sent[setup.lane.id]]
        limit = key_limit(plan, profile, name) if kind == "key" else scope_limit(plan, Scope(kind, name))
        loads.append(
            ScopeLoad(
                kind=kind,
                name=name,
                nominal=nominal[Scope(kind, name)],
                limit=limit,
                curve=load_curve(sent, ahead.end_ns, ahead.unit),
            )
        )
    return loads
