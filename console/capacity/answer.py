"""The answer of a capacity search, as `search.json` holds it and as people read it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from console.capacity.curve import curve_points, most_power
from console.capacity.usl import UslFit, fit_usl
from console.vocabulary.level import Estimate, LevelOutcome

State = Literal[
    "found",
    "not_limited",
    "nothing_passes",
    "undecided",
    "quota",
    "client_bound",
    "invalid",
    "unreachable",
    "interrupted",
]
"""not_limited: up to where it looked · quota: the provider refused before the model was at its limit · client_bound:
this machine was the limit · unreachable: no concurrency reaches the target rate."""
CERTAIN: Final = ("found", "not_limited", "nothing_passes", "unreachable")
"""States that are an answer; the others are none, and end with exit code 3."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """The lowest level at the start and at the end."""

    concurrency: int
    work_change: float
    """Share by which throughput changed."""
    ttft_change: float | None = None
    drifted: bool
    """Whether that is certain and more than a tenth."""
    known: bool = True
    """False: the last level measured nothing."""
    text: str

    @property
    def word(self) -> str:
        """What it says, in a word."""
        if not self.known:
            return "drift"
        return "DRIFTED" if self.drifted else "no drift"


class Margin(msgspec.Struct, frozen=True):
    """A named policy for production."""

    name: str
    low: int
    high: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found, of one subject."""

    kind: Literal["ramp", "target", "seed004"]
    subject: str = ""
    state: State
    capacity: int | None = None
    """Concurrent requests; of a target search the least that reach the rate."""
    low: int | None = None
    """Largest that was measured and passes; of a target search the largest that does not reach it."""
    high: int | None = None
    """Smallest that was measured and fails; of a target search the smallest that reaches it."""
    stopped_by: tuple[str, ...] = ()
    """Rules: `throughput` where it stops growing, `success`, `ttft_p95` …"""
    within_slo: int | None = None
    """Largest measured concurrency at which every rule of a level passes, whatever throughput does."""
    knee: float | None = None
    power: int | None = None
    """Measured concurrency with most throughput per time in the system."""
    usl: UslFit | None = None
    margins: tuple[Margin, ...] = ()
    drift: Drift | None = None
    target_qps: float | None = None
    notes: tuple[str, ...] = ()
    """What a reader has to know besides."""
    missing: tuple[str, ...] = ()
    """What it would take, where it is undecided."""
    line: str
    """All of it in one line."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a whole curve."""

    power: int | None
    usl: UslFit | None


def of_curve(levels: Sequence[LevelOutcome]) -> Curve:
    """Return what models make of the measured curve."""
    return Curve(power=most_power(levels), usl=fit_usl(curve_points(levels)))


def margins(capacity: int) -> tuple[Margin, ...]:
    """Return the policies of seed 004: half of the limit, or 70 to 80 % of it."""
    half = max(1, capacity // 2)
    return (
        Margin("half of the limit", half, half),
        Margin(
            "70-80 % of the limit", max(1, math.floor(0.7 * capacity)), max(1, math.floor(0.8 * capacity))
        ),
    )


def margins_text(found: Sequence[Margin]) -> str:
    """Write them: `production: 60 (half of the limit), 84-96 (70-80 % of the limit)`."""
    parts = [f"{one.low if one.low == one.high else f'{one.low}-{one.high}'} ({one.name})" for one in found]
    return "production: " + ", ".join(parts)


def drift_of(levels: Sequence[LevelOutcome]) -> Drift | None:
    """Compare the drift test with the first measurement of its concurrency."""
    last = next((level for level in reversed(levels) if level.purpose == "drift"), None)
    if last is None:
        return None
    first = next(
        (level for level in levels if level.concurrency == last.concurrency and level.purpose != "drift"),
        None,
    )
    if first is None or not first.work_per_s.value:
        return None
    if last.validity == "invalid":
        text = (
            f"not known: the last level is no measurement ({last.reasons[0] if last.reasons else 'INVALID'})"
        )
        return Drift(concurrency=last.concurrency, work_change=0.0, drifted=False, known=False, text=text)
    work = last.work_per_s.value / first.work_per_s.value - 1
    before, after = first.metrics.get("ttft_mean"), last.metrics.get("ttft_mean")
    ttft = (
        after.value / before.value - 1 if before is not None and after is not None and before.value else None
    )
    by_work = abs(work) > 0.1 and _apart(first.work_per_s, last.work_per_s)
    by_ttft = ttft is not None and abs(ttft) > 0.1 and _apart(before, after)
    parts = [f"throughput {100 * work:+.0f} %", *([] if ttft is None else [f"mean TTFT {100 * ttft:+.0f} %"])]
    text = f"{', '.join(parts)} at {last.concurrency}, first against last"
    return Drift(
        concurrency=last.concurrency,
        work_change=work,
        ttft_change=ttft,
        drifted=by_work or by_ttft,
        text=text,
    )


def _apart(one: Estimate | None, other: Estimate | None) -> bool:
    """Whether two intervals do not meet."""
    if one is None or other is None:
        return False
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


def figures(level: LevelOutcome) -> str:
    """Write what a level showed: `success 100.0 % [96.3, 100.0], TTFT p95 840 ms [800, 910], 12.3 requests/s`."""
    parts = [f"success {estimate_text(level.success, 100, ' %')}"]
    ttft = level.metrics.get("ttft_p95") or level.metrics.get("ttft_mean")
    if ttft is not None:
        name = "p95" if "ttft_p95" in level.metrics else "mean"
        parts.append(f"TTFT {name} {estimate_text(ttft, 1, ' ms', digits=0)}")
    parts.append(f"{level.requests_per_s.value:.3g} requests/s")
    return ", ".join(parts)


def estimate_text(found: Estimate, scale: float, unit: str, digits: int = 1) -> str:
    """Write a figure with its interval: `97.9 % [96.1, 98.9]`."""
    text = f"{scale * found.value:.{digits}f}{unit}"
    if found.low is None or found.high is None:
        return text
    return f"{text} [{scale * found.low:.{digits}f}, {scale * found.high:.{digits}f}]"


def rule_words(rules: Sequence[str]) -> str:
    """Name rules for people: `TTFT p95 and success`."""
    words = [_WORDS.get(rule, rule.replace("_", " ")) for rule in rules]
    return " and ".join(words) if len(words) < 3 else ", ".join(words[:-1]) + " and " + words[-1]


_WORDS: Final = {
    "throughput": "throughput no longer grows",
    "collapse": "throughput collapses",
    "success": "success",
    "ttft_mean": "mean TTFT",
    "ttft_p95": "TTFT p95",
    "quota": "the provider's quota",
    "resources": "the server's resources",
    "achieved": "achieved rate",
    "queue_grows": "a queue that grows",
}
