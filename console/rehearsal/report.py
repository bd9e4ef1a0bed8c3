"""What a rehearsal forecasts. Everything in it is simulated, and follows from plan, profile and seed alone."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.rehearsal.load import Curve


class ScopeLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Load on one key or one deployment."""

    name: str
    """`provider/key` or `provider/deployment`."""
    requests: int
    rate_limited: int
    """Answered 429, or what a gateway says in its place."""
    peak_in_flight: int
    mean_in_flight: float
    """Over the whole run."""
    peak_qps: int
    """Most requests begun within any window of one second."""
    mean_qps: float
    models_at_once: int
    """Most models that had a test on it at the same time."""
    in_flight_limit: int | None
    """What the plan lets through; None: no limit that holds over the whole of it."""
    qps_limit: float | None
    quota_qps: float | None
    """What the provider is supposed to refuse beyond; None: nothing."""
    curve: Curve


class LaneCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One lane by outcome of its requests."""

    lane: str
    requests: dict[str, int]


class JobSpan(msgspec.Struct, frozen=True, kw_only=True):
    """When a job ran; None: it did not begin, or not end."""

    job: str
    tests: int
    start_s: float | None
    end_s: float | None


class LeaseSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A time for which a job held a key."""

    key: str
    """`provider/key`."""
    job: str
    model: str
    start_s: float
    end_s: float | None
    """None: it held it still when the rehearsal was ended."""


class FoundLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What adaptive mode let through on a lane in the end, and what it met."""

    lane: str
    requests: int
    rate_limited: int
    per_s: float | None
    """Requests per second; None: any number."""
    in_flight: int | None
    met_per_s: float | None
    """Requests per second beyond which the lane was refused, by estimate; None: it never was."""
    met_in_flight: int | None
    """Requests at once beyond which it was refused, or became slow; None: neither."""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True, tag="rehearsal", tag_field="type"):
    """A run as it would go. Times in seconds from its start."""

    title: str
    profile: str
    rate_mode: str
    seed: int
    simulated: bool = True
    state: Literal["finished", "interrupted"]
    """interrupted: somebody ended the rehearsal, and everything here tells of the time until then."""
    duration_s: float
    planned: int
    answered: int
    unanswered: int
    """Tests that remain, retries included."""
    verdicts: dict[str, int]
    """As the simulated models answered; says nothing about real ones."""
    requests: dict[str, int]
    """By outcome."""
    service_s: float
    """Sum over the requests that were ok, as the three waits are over all."""
    limiter_wait_s: float
    held_s: float
    retry_wait_s: float
    step_s: int
    """Seconds between two points of every curve."""
    keys: tuple[ScopeLoad, ...]
    deployments: tuple[ScopeLoad, ...]
    lanes: tuple[LaneCounts, ...]
    jobs: tuple[JobSpan, ...]
    leases: tuple[LeaseSpan, ...] = ()
    """Who held which key, in the order of time."""
    found: tuple[FoundLimits, ...] = ()
    """Of the lanes whose limits adaptive mode finds."""
    assumptions: tuple[str, ...]

    @property
    def rate_limited(self) -> int:
        """Requests answered 429, or what a gateway says in its place."""
        return self.requests.get("rate_limited", 0)
