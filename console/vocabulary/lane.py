"""Lanes, scopes and limits: what may run where, and how fast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeVar

import msgspec

RateMode = Literal["fixed", "adaptive"]
ModelClass = Literal["open", "closed"]
ScopeKind = Literal["provider", "key", "deployment", "model", "lane"]
SplitKind = Literal["pull", "even", "one-key", "lease"]
LeaseTo = Literal["job", "model"]
NO_KEY: Final = "-"
"""The name of the key where a provider needs none."""


class Lane(msgspec.Struct, frozen=True, order=True, gc=False):
    """One deployment reached with one key: the thing that has workers and a rate."""

    provider: str
    model: str
    deployment: str
    key: str
    """Name of the key (`key0`), never the key itself; `-` where the provider needs none."""

    @property
    def id(self) -> str:
        """`provider/deployment@key`: unique in a profile."""
        return lane_id(self.provider, self.deployment, self.key)

    @property
    def key_scope(self) -> str:
        """`provider/key`: what the scope of its key is called, and the key where it is leased or switched."""
        return key_scope(self.provider, self.key)


def lane_id(provider: str, deployment: str, key: str) -> str:
    """Return the id of a lane."""
    return f"{provider}/{deployment}@{key}"


def key_scope(provider: str, key: str) -> str:
    """Return what a key is called among all keys: `ideallab/key0`."""
    return f"{provider}/{key}"


def key_name(scope: str) -> str:
    """Return the name of the key of `provider/key`."""
    return scope.rpartition("/")[2]


def together(limits: Iterable[int | None]) -> int | None:
    """Return what several limits allow together; None: one of them is unlimited."""
    total = 0
    for limit in limits:
        if limit is None:
            return None
        total += limit
    return total


Figure = TypeVar("Figure", int, float)


def least(*limits: Figure | None) -> Figure | None:
    """Return the strictest of several limits; None: all are unlimited."""
    return min((limit for limit in limits if limit is not None), default=None)


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Limits of one gate. Absent means unlimited, never 0 or a huge number (law 2)."""

    workers: int | None = None
    """Slots. On a lane: tests that may hold it at once. On another scope: requests in flight."""
    qps: float | None = None
    """Requests started per second."""
    rpm: float | None = None
    """Requests started per minute."""
    tpm: float | None = None
    """Tokens per minute, by estimate (prompt + max_tokens) unless the provider says `actual`."""

    @property
    def unlimited(self) -> bool:
        """Whether this limits nothing."""
        return self.workers is None and self.qps is None and self.rpm is None and self.tpm is None


class Scope(msgspec.Struct, frozen=True, order=True):
    """What a gate is on. Two lanes share a gate exactly if they share its scope."""

    kind: ScopeKind
    name: str
    """provider: `azure` · key: `azure/key0` · deployment: `azure/name` · model: name · lane: its id."""


def outer_scopes(lane: Lane) -> tuple[Scope, ...]:
    """Return the scopes that a lane shares with others."""
    return (
        Scope("key", lane.key_scope),
        Scope("deployment", f"{lane.provider}/{lane.deployment}"),
        Scope("model", lane.model),
        Scope("provider", lane.provider),
    )


class ScopedLimits(msgspec.Struct, frozen=True):
    """The limits of one outer scope, as the profile writes them."""

    scope: Scope
    limits: Limits
    whole_workers: int | None = None
    """Where `limits` are the part of one process: the slots of all parts together."""


class LaneSetup(msgspec.Struct, frozen=True, kw_only=True):
    """A lane as it is enforced: its own limits and the outer scopes a request passes as well."""

    lane: Lane
    model_class: ModelClass
    limits: Limits
    """The lane's own limits in the chosen rate mode, prompt multiplier included."""
    per: Literal["lane", "job"] = "lane"
    """`job`: each job has its own copy of `limits` on this lane."""
    outer: tuple[ScopedLimits, ...] = ()
    burst: float = 0.0
    """Requests that may be sent at once beyond the paced schedule."""
    tpm_accounting: Literal["estimate", "actual"] = "estimate"
    adaptive: bool = False
    """The engine finds the lane's limits while it runs; `limits` are the ceiling."""


class SplitRule(msgspec.Struct, frozen=True):
    """How one job uses the lanes of its model."""

    kind: SplitKind = "pull"
    key: str | None = None
    """For `one-key`, and for policies of one key per model: the key's name."""
    moved_from: str | None = None
    """The key that the profile names, where it is off and `key` is used in its place."""


class LeaseRule(msgspec.Struct, frozen=True):
    """Who may hold a leased key at once."""

    to: LeaseTo = "job"
    """`job`: each job is a holder of its own; `model`: the jobs of one model share one."""
    holders: int = 1
