"""What the rules say of one level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from console.capacity.slo import Slo
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import LevelOutcome, RuleOutcome


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the rules."""

    min_success: float = 0.95
    max_ttft_ms: float | None = 1000.0
    """Of mean and p95; None: no such rule."""
    slos: tuple[Slo, ...] = ()
    max_rate_limited: float = 0.01
    """Share of the requests."""
    max_cache: float = 0.99
    """Share of the server's KV cache."""


def judge(
    outcome: LevelOutcome,
    settings: RuleSettings,
    *,
    server: Mapping[str, float] | None,
    health: ClientHealth | None = None,
) -> tuple[RuleOutcome, ...]:
    """Return what each rule says of a level, by bounds."""
    return ()


def decided(rules: Iterable[RuleOutcome]) -> bool:
    """Whether nothing more need be sampled: a rule failed, or all pass."""
    states = [rule.state for rule in rules]
    return "fail" in states or "undecided" not in states


def looks_bad(rules: Iterable[RuleOutcome]) -> bool:
    """Whether a rule that is undecided is beyond its limit by its point estimate, or nothing is known of it."""
    return any(rule.state == "undecided" and (rule.margin is None or rule.margin < 0) for rule in rules)
