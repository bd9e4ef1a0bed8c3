"""What was measured at one level of a capacity search, and what the rules say of it. Written to the journal."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

RuleState = Literal["pass", "fail", "undecided"]
Validity = Literal["valid", "suspect", "invalid"]
VALIDITY_WORDS: Final[dict[Validity, str]] = {"valid": "VALID", "suspect": "SUSPECT", "invalid": "INVALID"}
Purpose = Literal["scan", "refine", "confirm", "drift"]
"""scan: a rung of the ladder · refine: between what passes and what fails · confirm: one end of the bracket once
more · drift: the lowest level again, at the end."""
LevelVerdict = Literal["pass", "fail", "undecided", "quota", "invalid"]
"""quota: the provider refused by quota, which says nothing of the model's capacity; invalid: no measurement."""


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A figure with its 95 % interval."""

    value: float
    low: float | None = None
    """None: no interval can be given."""
    high: float | None = None
    n: int = 0
    """Samples it rests on."""


class RuleOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule says of one level."""

    rule: str
    """Such as `success`, `ttft_p95`, `ttft_mean`, `throughput`, `client`, `quota`, `resources`, `goodput`, `tpot_p99`."""
    state: RuleState
    limit: str
    """As people read it: `≥ 95 %`, `< 1000 ms`, `elasticity ≥ 0.26`."""
    measured: str
    """Likewise, with its interval: `97.9 % [96.1, 98.9]`."""
    margin: float | None = None
    """How far from the limit, as a share of it; positive: within. None: not known."""
    missing: str = ""
    """Where it is undecided: what it would take, such as `needs ≥ 73 answers, has 40`."""


class LaneAtLevel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of one lane in a level, in the window."""

    lane: str
    """Its id."""
    requests_per_s: float
    tokens_per_s: float | None = None
    in_flight: float
    ok: int
    failed: int
    rate_limited: int = 0
    ttft_mean_ms: float | None = None
    ttft_p95_ms: float | None = None


class LevelOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One level as it was measured. Everything but `spent_*` is of the steady window."""

    number: int
    """Counted from 1 over the whole search."""
    subject: str = ""
    """Which lanes, where parts of them are searched alone; empty: all of them together."""
    purpose: Purpose
    concurrency: int
    rate: float | None = None
    """Requests per second that were due, in open loop; None: closed loop."""
    from_ns: int
    """Start of the window, since the run's start."""
    to_ns: int
    outcomes: dict[str, int]
    """How the requests that were sent in the window ended, in it or later."""
    ended: int
    """How many they are, cancelled ones left out."""
    success: Estimate
    """Share of them that was answered in full; rate-limited ones are in it."""
    requests_per_s: Estimate
    """Answered per second."""
    tokens_per_s: Estimate | None = None
    """Output tokens (by usage) per second, each counted where it was made; None: unknown."""
    work_per_s: Estimate
    """What elasticity is taken of: tokens, chunks or requests per second, whichever is known best."""
    work_unit: Literal["tokens", "chunks", "requests"]
    in_flight: float
    """Mean over the window."""
    stay_mean_ms: float | None = None
    """Sent → end of all that were sent in the window, well or not: what Little's law speaks of."""
    metrics: dict[str, Estimate] = {}
    """`ttft_mean`, `ttft_p50`, `ttft_p95`, `ttft_p99`, the same of `tpot`, `e2e` (sent → last content), `response`
    (due → last content, open loop) and `queue` (due → sent), in ms; those below their floor of samples are not there."""
    bounds: dict[str, Estimate] = {}
    """The same, with bounds of 95 % confidence each (one-sided), below the floors as well: rules are decided by them, nobody shows them."""
    goodput: Estimate | None = None
    """Share of answers within every limit of `--goodput`."""
    output_tokens_mean: float | None = None
    output_tokens_cv: float | None = None
    cached_share: float | None = None
    """Cached prompt tokens / prompt tokens."""
    rules: tuple[RuleOutcome, ...] = ()
    validity: Validity = "valid"
    reasons: tuple[str, ...] = ()
    """Why it is not valid, in words."""
    lanes: tuple[LaneAtLevel, ...] = ()
    server: dict[str, float] = {}
    """What the server said of itself, such as `kv_cache_max`, `waiting_slope_per_s`, `preemptions`."""
    spent_s: float
    """From the first sending of the level to the end of its cool-down."""
    spent_requests: int
    spent_tokens: int = 0
    """Prompt and output tokens, by usage where it is told, else by estimate."""

    @property
    def verdict(self) -> LevelVerdict:
        """What the level says: a failed rule fails it, whatever else is undecided."""
        failed = {rule.rule for rule in self.rules if rule.state == "fail"}
        if self.validity == "invalid":
            return "invalid"
        if "quota" in failed:
            return "quota"
        if failed:
            return "fail"
        return "undecided" if any(rule.state == "undecided" for rule in self.rules) else "pass"

    @property
    def stopped_by(self) -> tuple[str, ...]:
        """The rules that failed."""
        return tuple(rule.rule for rule in self.rules if rule.state == "fail")
