"""The rules of the operators' guide (seed 004) to the letter, for comparison with results that were made by them.

Levels 1 2 5 10 … 1000 with ten requests for each one in flight, all of them measured, from the first sending to the
last answer. It stops where fewer than 95 % succeed, the mean TTFT is over a second, or throughput has grown by less
than 20 % over the level before; and recommends half of that level. Why these rules mislead, `docs/capacity.md` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from console.capacity.answer import Answer, Margin, margins_text, rule_words
from console.capacity.ramp import LADDER
from console.capacity.steps import Ask, Over, Step
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import LevelOutcome, RuleOutcome

_MIN_SUCCESS: Final = 0.95
_GROWTH: Final = 1.2
_EACH: Final = 10


class SeedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the guide lets one set."""

    ladder: tuple[int, ...] = LADDER
    most: int = 1000
    max_ttft_ms: float = 1000.0


class SeedSearch:
    """Climbs until the first rule is broken."""

    kind: Literal["seed004"] = "seed004"
    target_qps: float | None = None

    def __init__(self, settings: SeedSettings) -> None:
        self.settings = settings

    def next_step(self, levels: Sequence[LevelOutcome]) -> Step:
        """Return the next rung, unless a rule is broken."""
        if self._broken(levels):
            return Over()
        rung = next((rung for rung in self._rungs() if rung not in {one.concurrency for one in levels}), None)
        return Over() if rung is None else Ask(rung, "scan", "full", count=_EACH * rung)

    def stage(self, levels: Sequence[LevelOutcome], step: Step) -> str:
        """Say what it is doing."""
        return "has its answer" if isinstance(step, Over) else "climbs the ladder of seed 004"

    def levels_left(self, levels: Sequence[LevelOutcome], step: Step) -> int | None:
        """Return None: a rule may be broken at any level."""
        return 0 if isinstance(step, Over) else None

    def ends(self, levels: Sequence[LevelOutcome]) -> tuple[int | None, int | None]:
        """Return the last level that broke no rule, and the one that did."""
        fails = levels[-1].concurrency if self._broken(levels) else None
        passes = max((one.concurrency for one in levels if one.concurrency != fails), default=None)
        return passes, fails

    def judge(
        self, outcome: LevelOutcome, server: Mapping[str, float] | None, health: ClientHealth | None
    ) -> tuple[RuleOutcome, ...]:
        """Apply the rules of one level, by points; growth is between two."""
        ttft = outcome.metrics.get("ttft_mean")
        return (
            _rule(
                "success",
                outcome.success.value,
                _MIN_SUCCESS,
                "≥ 95 %",
                f"{100 * outcome.success.value:.1f} %",
            ),
            _rule(
                "ttft_mean",
                -(0.0 if ttft is None else ttft.value),
                -self.settings.max_ttft_ms,
                f"≤ {self.settings.max_ttft_ms:g} ms",
                "n/a" if ttft is None else f"{ttft.value:.0f} ms",
            ),
        )

    def answer(self, levels: Sequence[LevelOutcome], because: str = "") -> Answer:
        """Return what the guide would say."""
        passes, fails = self.ends(levels)
        broken = self._broken(levels)
        if because:
            line = f"undecided: {because}"
        elif fails is None:
            line = f"by the rules of seed 004 no rule is broken up to {passes} concurrent requests"
        else:
            half = Margin("half of the level that broke a rule", max(1, fails // 2), max(1, fails // 2))
            line = (
                f"by the rules of seed 004 {fails} concurrent requests are the limit ({rule_words(broken)}); "
                f"{margins_text((half,))}"
            )
        return Answer(
            kind="seed004",
            state="undecided" if because else "not_limited" if fails is None else "found",
            capacity=fails,
            low=passes,
            high=fails,
            stopped_by=broken,
            margins=()
            if fails is None
            else (Margin("half of the limit", max(1, fails // 2), max(1, fails // 2)),),
            notes=("points, not intervals: a level of ten requests may say anything",),
            line=line,
        )

    def _rungs(self) -> list[int]:
        return sorted({rung for rung in self.settings.ladder if rung <= self.settings.most})

    def _broken(self, levels: Sequence[LevelOutcome]) -> tuple[str, ...]:
        if not levels:
            return ()
        last = levels[-1]
        if last.stopped_by:
            return last.stopped_by
        if len(levels) > 1 and last.requests_per_s.value < _GROWTH * levels[-2].requests_per_s.value:
            return ("throughput",)
        return ()


def _rule(name: str, found: float, least: float, limit: str, measured: str) -> RuleOutcome:
    return RuleOutcome(
        rule=name,
        state="pass" if found >= least else "fail",
        limit=limit,
        measured=measured,
        margin=(found - least) / abs(least),
    )
