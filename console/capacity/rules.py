"""What the rules say of one level: each passes or fails only where a bound says so, and else stays undecided.

The bounds are one-sided, of 95 % confidence each, and stand in brackets behind what was measured. Whoever looks again
and again until they decide errs more often than once in 20: for a success share one point from its limit in about 7 %
of cases at a look every ten answers, two points from it in 3 % (up to 1,000 answers), farther off hardly ever. So an
end of a bracket is confirmed. Two rules need no proof to pass, as they speak against a level only where something was
seen: quota and resources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from console.capacity.bounds import FEWEST, about_share, fewest_for_percentile, fewest_for_share, share_bounds
from console.capacity.server_rules import resources
from console.capacity.slo import Slo, SloMetric, SloStat
from console.records.percentile import enough, shortfall
from console.vocabulary.client_health import CLIENT_WORDS, ClientHealth
from console.vocabulary.level import Estimate, LevelOutcome, RuleOutcome, RuleState
from console.vocabulary.outcome import Outcome

_MOST_NEEDED: Final = 100_000


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the rules."""

    min_success: float | None = 0.95
    """Share of the requests that are answered in full; None: no such rule."""
    max_ttft_ms: float | None = 1000.0
    """Of the mean, as seed 004 has it, and of p95 as well; None: no such rule."""
    slos: tuple[Slo, ...] = ()
    """The user's own; one of the same name takes the place of a rule above."""
    max_rate_limited: float = 0.01
    """Share of the requests that are refused by quota."""
    max_cache: float = 0.99
    """Share of the server's KV cache that may be in use at most."""

    @property
    def limits(self) -> tuple[Slo, ...]:
        """All that is a limit on a figure of the level, in the order in which rules are told."""
        own = {slo.name for slo in self.slos}
        given: list[Slo] = []
        if self.min_success is not None:
            given.append(Slo("success", "", ">=", self.min_success))
        if self.max_ttft_ms is not None:
            given += [Slo("ttft", stat, "<=", self.max_ttft_ms) for stat in ("mean", "p95")]
        return (*(slo for slo in given if slo.name not in own), *self.slos)


def judge(
    outcome: LevelOutcome,
    settings: RuleSettings,
    *,
    server: Mapping[str, float] | None,
    health: ClientHealth | None = None,
) -> tuple[RuleOutcome, ...]:
    """Return what each rule says of a level.

    Args:
        outcome: as `measure` returned it.
        settings: the limits.
        server: what the server said of itself in the window; None or empty: nothing, and no rule on it.
        health: of the client in the window; None: nobody measured that.
    """
    found = [_of_limit(outcome, slo) for slo in settings.limits]
    found.append(_quota(outcome, settings.max_rate_limited))
    if health is not None and health.verdict != "unknown":
        found.append(_client(health))
    if server:
        seconds = (outcome.to_ns - outcome.from_ns) / 1e9
        found.append(resources(server, max_cache=settings.max_cache, seconds=seconds))
    return tuple(found)


def decided(rules: Iterable[RuleOutcome]) -> bool:
    """Whether nothing more need be sampled: a rule failed, or all pass."""
    states = [rule.state for rule in rules]
    return "fail" in states or "undecided" not in states


def looks_bad(rules: Iterable[RuleOutcome]) -> bool:
    """Whether a rule that is undecided is beyond its limit by its point estimate, or nothing is known of it."""
    return any(rule.state == "undecided" and (rule.margin is None or rule.margin < 0) for rule in rules)


def _of_limit(outcome: LevelOutcome, slo: Slo) -> RuleOutcome:
    if slo.metric == "success":
        return _share(slo, outcome.success, "requests")
    if slo.metric == "goodput":
        return _share(slo, outcome.goodput, "answers")
    return _latency(slo, outcome.bounds.get(slo.name))


# Shares


def _share(slo: Slo, estimate: Estimate | None, what: str) -> RuleOutcome:
    """Judge a share that is to be large, by its exact bounds."""
    if estimate is None or estimate.n == 0:
        return _unknown(slo, f"no {what} yet")
    n, limit = estimate.n, slo.limit
    successes = round(estimate.value * n)
    low, high = share_bounds(successes, n)
    state: RuleState = "undecided"
    if low > limit or (low >= limit and slo.op == ">="):
        state = "pass"
    elif high < limit:
        state = "fail"
    return RuleOutcome(
        rule=slo.name,
        state=state,
        limit=slo.limit_text,
        measured=f"{_percent(estimate.value)} % [{_percent(low)}, {_percent(high)}]",
        margin=(estimate.value - limit) / limit,
        missing=_share_needs(successes, n, limit, what) if state == "undecided" else "",
    )


def _share_needs(successes: int, n: int, limit: float, what: str) -> str:
    """Say how many it takes if the share stays as it is."""
    share = successes / n

    def decides(many: int) -> bool:
        low, high = about_share(share, many)
        return low >= limit or high < limit

    if share >= 1:
        return _needs(fewest_for_share(limit), n, what)
    return _needs(_fewest(decides, n), n, what, about=True)


def _fewest(decides: Callable[[int], bool], n: int) -> int | None:
    """Return about how many samples decide, by doubling and then halving the last step."""
    low, high = n, 2 * n
    while not decides(high):
        low, high = high, 2 * high
        if high > _MOST_NEEDED:
            return None
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _needs(many: int | None, n: int, what: str, *, about: bool = False) -> str:
    if many is None:
        return f"too close to the limit to be told apart, has {n:,} {what}"
    return f"needs {'about' if about else '≥'} {many:,} {what}, has {n:,}"


def _percent(share: float) -> str:
    """Write a share without calling 100 % what is less."""
    percent = 100 * share
    if 99.95 <= percent < 100:
        return f"{math.floor(percent * 100) / 100:.2f}"
    return f"{percent:.1f}".removesuffix(".0")


# Latencies


def _latency(slo: Slo, estimate: Estimate | None) -> RuleOutcome:
    """Judge a latency that is to be small, by the bounds that `measure` gave."""
    if estimate is None:
        return _unknown(slo, _why_unknown(slo.metric))
    low, high, limit = estimate.low, estimate.high, slo.limit
    state: RuleState = "undecided"
    if high is not None and (high < limit or (high <= limit and slo.op == "<=")):
        state = "pass"
    elif low is not None and low > limit:
        state = "fail"
    return RuleOutcome(
        rule=slo.name,
        state=state,
        limit=slo.limit_text,
        measured=_latency_text(slo.stat, estimate),
        margin=(limit - estimate.value) / limit,
        missing=_latency_needs(slo, estimate) if state == "undecided" else "",
    )


def _why_unknown(metric: SloMetric) -> str:
    return {
        "tpot": "no answer told its tokens, or none has two",
        "response": "only requests that are due at a time have one",
        "queue": "only requests that are due at a time have one",
    }.get(metric, "no answers yet")


def _latency_needs(slo: Slo, estimate: Estimate) -> str:
    """Say how many answers it takes: so many that there is a bound at all, or that it is narrow enough.

    An interval narrows by the root of the number of samples.
    """
    n, low, high = estimate.n, estimate.low, estimate.high
    within = estimate.value <= slo.limit
    least = _fewest_bounded(slo.stat)
    if (high if within else low) is None and n < least:
        return _needs(least, n, "answers")
    edge = high if within else low
    distance = abs(slo.limit - estimate.value)
    if edge is None or distance <= 0:
        return _needs(None, n, "answers")
    many = math.ceil(n * (abs(edge - estimate.value) / distance) ** 2) + 1
    return _needs(max(many, n + 1) if many <= _MOST_NEEDED else None, n, "answers", about=True)


def _fewest_bounded(stat: SloStat) -> int:
    return FEWEST if stat in ("mean", "") else fewest_for_percentile(float(stat.removeprefix("p")))


def _latency_text(stat: SloStat, estimate: Estimate) -> str:
    bounds = ", ".join("?" if bound is None else f"{bound:,.0f}" for bound in (estimate.low, estimate.high))
    q = int(stat.removeprefix("p")) if stat.startswith("p") else None
    if q is not None and not enough(estimate.n, q):
        return f"{shortfall(estimate.n, q)} [{bounds}] ms"
    return f"{estimate.value:,.0f} ms [{bounds}]"


# What speaks only against a level


def _quota(outcome: LevelOutcome, limit: float) -> RuleOutcome:
    """Judge refusals by quota. None at all passes: to prove fewer than 1 % would take 299 requests at every level."""
    n = outcome.ended
    refused = outcome.outcomes.get(Outcome.RATE_LIMITED.value, 0)
    share = refused / n if n else 0.0
    low, high = share_bounds(refused, n) if n else (0.0, 1.0)
    state: RuleState = "undecided"
    if refused == 0 or high <= limit:
        state = "pass"
    elif low > limit:
        state = "fail"
    return RuleOutcome(
        rule="quota",
        state=state,
        limit=f"≤ {_percent(limit)} % rate-limited",
        measured=f"{_percent(share)} % [{_percent(low)}, {_percent(high)}]" if refused else f"none of {n:,}",
        margin=(limit - share) / limit,
        missing=_quota_needs(refused, n, limit) if state == "undecided" else "",
    )


def _quota_needs(refused: int, n: int, limit: float) -> str:
    def decides(many: int) -> bool:
        low, high = about_share(refused / n, many)
        return low > limit or high <= limit

    return _needs(_fewest(decides, n), n, "requests", about=True)


def _client(health: ClientHealth) -> RuleOutcome:
    return RuleOutcome(
        rule="client",
        state="fail" if health.verdict == "client_bound" else "pass",
        limit="its own delays ≤ 10 % of TTFT",
        measured=health.reason or f"{CLIENT_WORDS[health.verdict]}, delays up to {health.worst_ms:.1f} ms",
    )


def _unknown(slo: Slo, why: str) -> RuleOutcome:
    return RuleOutcome(rule=slo.name, state="undecided", limit=slo.limit_text, measured="n/a", missing=why)


def stopping(rules: Iterable[RuleOutcome]) -> Iterator[str]:
    """Yield each rule that failed, in words: `ttft_p95 1,320 ms [1,250, 1,410], limit ≤ 1000 ms`."""
    for rule in rules:
        if rule.state == "fail":
            yield f"{rule.rule} {rule.measured}, limit {rule.limit}"
