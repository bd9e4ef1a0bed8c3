"""The search for the least concurrency that reaches a rate: pure, of the levels that are over.

One short closed loop tells how long a request takes, W; by Little's law λW requests are then in flight at the rate λ,
which is where the search begins. It doubles until the rate is reached, or halves until it is not, narrows by halves,
and measures both ends once more. A level is an open loop at the rate, with so many in flight at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from console.capacity.answer import Answer, State, margins
from console.capacity.rules import RuleSettings, judge
from console.capacity.steps import Ask, Over, Standing, Step, standing
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import Estimate, LevelOutcome, RuleOutcome

_PROBE: Final = 4
_MOST_LEVELS: Final = 40
_LEAST_WINDOW_S: Final = 60.0
_WINDOW_STAYS: Final = 20.0
"""A window lasts so many times as long as a request."""
_QUEUE_GROWS_MS: Final = 100.0
_QUEUE_GROWS_SHARE: Final = 0.05
"""Of the mean latency: a send queue that grows by less over a window does not grow."""


class TargetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to search."""

    qps: float
    most: int = 1000
    precision: float = 0.05
    share: float = 0.95
    """Of the rate that must be reached."""
    confirm: int = 1
    window_s: float | None = None
    """Length of a window; None: 60 s, or 20 times as long as a request takes."""


class TargetSearch:
    """Finds the least concurrency."""

    kind: Literal["target"] = "target"

    def __init__(self, settings: TargetSettings, rules: RuleSettings) -> None:
        self.settings = settings
        # Latency is not asked about, unless by the user: the rate is.
        self.rules = msgspec.structs.replace(rules, max_ttft_ms=None)
        self.target_qps = settings.qps

    def next_step(self, levels: Sequence[LevelOutcome]) -> Step:
        """Return what to measure next."""
        if not levels:
            return Ask(min(_PROBE, self.settings.most), "scan", "scan")
        if len(levels) >= _MOST_LEVELS:
            return Over(f"{_MOST_LEVELS} levels contradict one another")
        stands = _stands(levels)
        if not stands:
            first = self._first(levels[0])
            return Over("no request was answered") if first is None else self._ask(first, "scan")
        misses, reaches = self.ends(levels)
        if reaches is None:
            top = max(stands)
            if top >= self.settings.most:
                return self._again(levels, (top,))
            if _useless(levels):
                return self._again(levels, (top,))
            return self._ask(min(self.settings.most, 2 * top), "scan")
        low = misses or 0
        if low == 0 and reaches > 1:
            return self._ask(max(1, reaches // 2), "scan")
        if reaches - low > max(1, self.settings.precision * reaches):
            return self._ask(max(low + 1, round(math.sqrt(max(low, 1) * reaches))), "refine")
        return self._again(levels, (reaches, misses) if misses else (reaches,))

    def stage(self, levels: Sequence[LevelOutcome], step: Step) -> str:
        """Say what it is doing."""
        if isinstance(step, Over):
            return "has its answer"
        if step.rate is None:
            return "measures how long a request takes"
        words = {"scan": "looks for a concurrency that reaches", "confirm": f"confirms {step.concurrency} at"}
        return f"{words.get(step.purpose, 'narrows the least concurrency for')} {self.settings.qps:g}/s"

    def levels_left(self, levels: Sequence[LevelOutcome], step: Step) -> int | None:
        """Return about how many levels are to come; None while that cannot be said."""
        if isinstance(step, Over):
            return 0
        misses, reaches = self.ends(levels)
        if reaches is None or misses is None:
            return None
        halves = math.log(max(1.01, math.log(reaches / misses) / math.log(1 + self.settings.precision)), 2)
        return max(0, math.ceil(halves)) + 2 * self.settings.confirm

    def ends(self, levels: Sequence[LevelOutcome]) -> tuple[int | None, int | None]:
        """Return the largest concurrency that misses the rate below the smallest that reaches it, and that one."""
        stands = _stands(levels)
        reaches = min((one for one, word in stands.items() if word == "pass"), default=None)
        misses = max(
            (one for one, word in stands.items() if word != "pass" and (reaches is None or one < reaches)),
            default=None,
        )
        return misses, reaches

    def judge(
        self, outcome: LevelOutcome, server: Mapping[str, float] | None, health: ClientHealth | None
    ) -> tuple[RuleOutcome, ...]:
        """Apply the rules of a level, and whether the rate is reached."""
        rules = judge(outcome, self.rules, server=server, health=health)
        return rules if outcome.rate is None else (*rules, self._achieved(outcome), *_queue_rule(outcome))

    def answer(self, levels: Sequence[LevelOutcome], because: str = "") -> Answer:
        """Return what the levels say together."""
        misses, reaches = self.ends(levels)
        step = self.next_step(levels)
        if isinstance(step, Over):
            because = because or step.because
        state = self._state(levels, because, reaches)
        rate = f"{self.settings.qps:g} requests/s"
        best = max((level.requests_per_s.value for level in levels), default=0.0)
        match state:
            case "found":
                below = "" if misses is None else f"; {misses} does not"
                line = f"{rate} need {reaches} concurrent requests{below}"
            case "unreachable":
                line = f"{rate} are not reached: at most {best:.3g}/s, with up to {_top(levels)} concurrent requests"
            case "quota":
                line = f"QUOTA, not capacity: the provider refuses requests before {rate} are reached"
            case "client_bound" | "invalid":
                why = next((one.reasons[0] for one in reversed(levels) if one.reasons), "no valid level")
                line = f"INVALID: {why}"
            case _:
                line = f"undecided: {because or 'measurements contradict one another'}"
        return Answer(
            kind="target",
            state=state,
            capacity=reaches if state == "found" else None,
            low=misses,
            high=reaches,
            margins=margins(reaches) if state == "found" and reaches else (),
            target_qps=self.settings.qps,
            missing=(because,) if because else (),
            line=line,
        )

    def _state(self, levels: Sequence[LevelOutcome], because: str, reaches: int | None) -> State:
        if because:
            return "undecided"
        rated = [level for level in levels if level.rate is not None]
        if reaches is not None:
            valid = [level for level in rated if level.concurrency == reaches and level.validity != "invalid"]
            return "found" if valid else "invalid"
        verdicts = {level.verdict for level in rated}
        if "quota" in verdicts:
            return "quota"
        if verdicts and verdicts <= {"invalid"}:
            return (
                "client_bound"
                if any("client" in why for level in rated for why in level.reasons)
                else "invalid"
            )
        return "unreachable" if rated else "invalid"

    def _first(self, probe: LevelOutcome) -> int | None:
        stay = probe.metrics.get("e2e_mean")
        if stay is None:
            return None
        return max(1, min(self.settings.most, math.ceil(self.settings.qps * stay.value / 1000)))

    def _ask(self, concurrency: int, purpose: Literal["scan", "refine", "confirm"]) -> Ask:
        return Ask(concurrency, purpose, "full", rate=self.settings.qps, least_s=self.settings.window_s)

    def _again(self, levels: Sequence[LevelOutcome], ends: Sequence[int]) -> Step:
        for end in ends:
            if (
                sum(level.rate is not None and level.concurrency == end for level in levels)
                <= self.settings.confirm
            ):
                return self._ask(end, "confirm")
        return Over()

    def _achieved(self, outcome: LevelOutcome) -> RuleOutcome:
        """Decide by the interval of the rate at which requests were answered."""
        found, limit = outcome.requests_per_s, self.settings.share * self.settings.qps
        state = _by_bounds(found, limit)
        return RuleOutcome(
            rule="achieved",
            state=state,
            limit=f"≥ {limit:.4g}/s",
            measured=f"{found.value:.4g}/s"
            + ("" if found.low is None else f" [{found.low:.4g}, {found.high:.4g}]"),
            margin=found.value / limit - 1,
            missing="a longer window" if state == "undecided" else "",
        )


def window_of(settings: TargetSettings, stay_ms: float | None) -> float:
    """Return how long a window has to be: 60 s, or 20 times as long as a request takes."""
    return settings.window_s or max(_LEAST_WINDOW_S, _WINDOW_STAYS * (stay_ms or 0.0) / 1000)


def _stands(levels: Sequence[LevelOutcome]) -> dict[int, Standing]:
    of: dict[int, list[LevelOutcome]] = {}
    for level in levels:
        if level.rate is not None:
            of.setdefault(level.concurrency, []).append(level)
    return {concurrency: standing(several) for concurrency, several in of.items()}


def _useless(levels: Sequence[LevelOutcome]) -> bool:
    """Whether more in flight brought no more: the server is at its end below the rate."""
    rated = sorted((level for level in levels if level.rate is not None), key=lambda level: level.concurrency)
    if len(rated) < 2:
        return False
    low, high = rated[-2], rated[-1]
    if high.concurrency == low.concurrency:
        return False
    return high.requests_per_s.value < 1.05 * low.requests_per_s.value


def _queue_rule(outcome: LevelOutcome) -> tuple[RuleOutcome, ...]:
    """Say whether requests wait longer and longer to be sent; `queue_growth` is what they wait more at the end."""
    growth = outcome.metrics.get("queue_growth")
    if growth is None:
        return ()
    stay = outcome.metrics.get("e2e_mean")
    limit = max(_QUEUE_GROWS_MS, _QUEUE_GROWS_SHARE * (0.0 if stay is None else stay.value))
    grows = growth.value > limit and (growth.low or 0.0) > 0
    return (
        RuleOutcome(
            rule="queue_grows",
            state="fail" if grows else "pass",
            limit=f"≤ {limit:.0f} ms longer at the end of the window",
            measured=f"{growth.value:+.0f} ms",
            margin=1 - growth.value / limit,
        ),
    )


def _by_bounds(found: Estimate, limit: float) -> Literal["pass", "fail", "undecided"]:
    if found.low is not None and found.low >= limit:
        return "pass"
    if found.high is not None and found.high < limit:
        return "fail"
    return "undecided"


def _top(levels: Sequence[LevelOutcome]) -> int:
    return max((level.concurrency for level in levels), default=0)
