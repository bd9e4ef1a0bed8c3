"""The ramp as a search: its steps, its rules and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from console.capacity import ramp
from console.capacity.answer import (
    Answer,
    State,
    drift_of,
    figures,
    margins,
    margins_text,
    of_curve,
    rule_words,
)
from console.capacity.ramp import Bracket, RampSettings
from console.capacity.rules import RuleSettings, judge
from console.capacity.steps import Over, Step, leans
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import LevelOutcome, RuleOutcome


class RampSearch:
    """Finds the most concurrency."""

    kind: Literal["ramp"] = "ramp"
    target_qps: float | None = None

    def __init__(self, settings: RampSettings, rules: RuleSettings) -> None:
        self.settings = settings
        self.rules = rules

    def next_step(self, levels: Sequence[LevelOutcome]) -> Step:
        """Return what to measure next."""
        return ramp.next_step(levels, self.settings)

    def stage(self, levels: Sequence[LevelOutcome], step: Step) -> str:
        """Say what it is doing."""
        return ramp.stage(levels, step, self.settings)

    def levels_left(self, levels: Sequence[LevelOutcome], step: Step) -> int | None:
        """Return about how many levels are to come."""
        return ramp.levels_left(levels, step, self.settings)

    def ends(self, levels: Sequence[LevelOutcome]) -> tuple[int | None, int | None]:
        """Return the largest concurrency that passes, and the smallest that fails."""
        now = ramp.bracket(levels, self.settings)
        return now.passes, now.fails

    def judge(
        self, outcome: LevelOutcome, server: Mapping[str, float] | None, health: ClientHealth | None
    ) -> tuple[RuleOutcome, ...]:
        """Apply the rules of a level."""
        return judge(outcome, self.rules, server=server, health=health)

    def answer(self, levels: Sequence[LevelOutcome], because: str = "") -> Answer:
        """Return what the levels say together.

        Args:
            levels: those that are over.
            because: why nothing more is measured though the search is not over; empty: it is.
        """
        now = ramp.bracket(levels, self.settings)
        step = self.next_step(levels)
        if isinstance(step, Over):
            because = because or step.because
        state, capacity = _verdict(levels, now, because)
        curve = of_curve(levels)
        drift = drift_of(levels)
        stopped_by = _stopped_by(now)
        notes = list(_notes(now, levels, self.settings))
        if drift is not None and drift.drifted:
            notes.append(
                f"the endpoint changed meanwhile: {drift.text}; what it bears now may be something else"
            )
        made = Answer(
            kind="ramp",
            state=state,
            capacity=capacity,
            low=now.passes if now.bound != "knee" or now.knee is None else now.knee.below,
            high=now.fails if now.bound != "knee" or now.knee is None else now.knee.above,
            stopped_by=stopped_by,
            within_slo=now.passes,
            knee=None if now.knee is None else now.knee.at,
            power=curve.power,
            usl=curve.usl,
            margins=() if capacity is None else margins(capacity),
            drift=drift,
            notes=tuple(notes),
            missing=_missing(levels, now, because) if state == "undecided" else (),
            line="",
        )
        return _with_line(made, levels, self.settings)


def _verdict(levels: Sequence[LevelOutcome], now: Bracket, because: str) -> tuple[State, int | None]:
    if not levels:
        return ("undecided" if because else "invalid"), None
    if now.bound == "knee" and now.knee is not None:
        at = max(1, round(now.knee.at))
        return ("undecided" if because else "found"), at
    if now.bound == "quota":
        return "quota", None
    if now.bound == "invalid":
        return _invalid_state(levels, now), None
    if now.bound == "none":
        return ("undecided", None) if because else ("not_limited", None)
    if because:
        return "undecided", now.passes
    if now.passes is None:
        certain = any(level.verdict == "fail" for level in levels if level.concurrency == now.fails)
        return ("nothing_passes" if certain or "collapse" in now.failed_by else "undecided"), None
    at_end = [level for level in levels if level.concurrency in (now.passes, now.fails)]
    open_end = any(leans(level) == "open" or level.verdict == "undecided" for level in at_end[-2:])
    contested = {level.verdict for level in levels if level.concurrency == now.fails} == {"pass", "fail"}
    return ("undecided" if open_end or contested else "found"), now.passes


def _invalid_state(levels: Sequence[LevelOutcome], now: Bracket) -> State:
    reasons = " ".join(
        reason for level in levels if level.concurrency == now.fails for reason in level.reasons
    )
    return "client_bound" if "client" in reasons else "invalid"


def _stopped_by(now: Bracket) -> tuple[str, ...]:
    if now.bound in ("knee", "quota"):
        return ("throughput",) if now.bound == "knee" else ("quota",)
    return now.failed_by if now.fails is not None else ()


def _notes(now: Bracket, levels: Sequence[LevelOutcome], settings: RampSettings) -> list[str]:
    notes: list[str] = []
    if now.passes_beyond:
        beyond = ", ".join(map(str, now.passes_beyond))
        notes.append(f"{now.fails} fails though {beyond} passes: the endpoint is noisy, or not monotone")
    suspect = [level for level in levels if level.validity == "suspect"]
    if suspect:
        first = suspect[0]
        notes.append(
            f"{len(suspect)} of {len(levels)} levels are SUSPECT, such as {first.concurrency}: {first.reasons[0]}"
        )
    if now.bound == "knee" and now.fails is not None and now.passes is not None:
        notes.append(
            f"beyond that {rule_words(now.failed_by)} holds up to {now.passes} and fails at {now.fails} "
            "(not narrowed further)"
        )
    return notes


def _missing(levels: Sequence[LevelOutcome], now: Bracket, because: str) -> tuple[str, ...]:
    missing = [because] if because else []
    for level in reversed(levels):
        if level.concurrency in (now.passes, now.fails):
            missing += [
                f"{level.concurrency}: {rule_words([rule.rule])} {rule.measured} against {rule.limit}: {rule.missing}"
                for rule in level.rules
                if rule.state == "undecided"
            ]
    return tuple(dict.fromkeys(missing))


def _with_line(made: Answer, levels: Sequence[LevelOutcome], settings: RampSettings) -> Answer:
    import msgspec

    return msgspec.structs.replace(made, line=_line(made, levels, settings))


def _line(made: Answer, levels: Sequence[LevelOutcome], settings: RampSettings) -> str:
    last = max((level.concurrency for level in levels), default=0)
    at = _level_at(levels, made.low)
    shown = "" if at is None else f" ({figures(at)})"
    passes = "nothing passes so far" if made.low is None else f"{made.low} passes{shown}"
    match made.state:
        case "found" if made.stopped_by == ("throughput",):
            return (
                f"bears {made.capacity} concurrent requests: throughput grows up to there and no longer at {made.high}"
                f"{_at(levels, made.capacity)}; {margins_text(made.margins)}"
            )
        case "found":
            return f"bears {made.capacity} concurrent requests: {passes}; {_fails(made)}; {margins_text(made.margins)}"
        case "not_limited":
            return f"not limited up to {last} concurrent requests{_at(levels, last)}"
        case "nothing_passes":
            return f"bears none: {_fails(made)}"
        case "quota":
            return f"QUOTA, not capacity: the provider refuses requests at {made.high}; {passes}"
        case "client_bound":
            return (
                f"INVALID: client-bound at {made.high}; not limited up to {made.low or 0} concurrent requests"
            )
        case "invalid":
            why = next(
                (level.reasons[0] for level in reversed(levels) if level.validity == "invalid"), "no level"
            )
            return f"INVALID at {made.high}: {why}; {passes}"
        case _:
            what = f", {_fails(made)}" if made.high is not None else ""
            return f"undecided: {passes}{what}; {'; '.join(made.missing)}"


def _fails(made: Answer) -> str:
    return f"{made.high} fails ({rule_words(made.stopped_by)})"


def _at(levels: Sequence[LevelOutcome], concurrency: int | None) -> str:
    level = _level_at(levels, concurrency)
    return "" if level is None else f" ({figures(level)})"


def _level_at(levels: Sequence[LevelOutcome], concurrency: int | None) -> LevelOutcome | None:
    if concurrency is None or not levels:
        return None
    near = min(levels, key=lambda level: abs(level.concurrency - concurrency))
    return near if abs(near.concurrency - concurrency) <= max(1, 0.03 * concurrency) else None
