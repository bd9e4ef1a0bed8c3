"""The search for the most concurrency that a model bears: a pure function of the levels that are over.

It climbs a ladder until a rule fails or throughput has stopped growing on two rungs in a row; narrows what bounds it
to the set precision; measures both ends once more; and runs the lowest level again, which tells whether the endpoint
has changed meanwhile. As every step follows from the levels alone, a search that was killed goes on from its journal.

Two kinds of bounds are kept apart. Rules of one level (success, TTFT, a user's own) have a bracket, narrowed by
halves on a logarithmic scale. Growth of throughput is between levels: its end is the knee of the curve (`curve.py`),
which a ladder steps over easily: with 20, 50 and 100 measured on a server of 37 slots, 50 still brings two thirds more
than 20, though it is over the limit already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from console.capacity.curve import ELASTICITY, CurvePoint, Knee, collapsed, curve_points, flat_rungs, knee
from console.capacity.steps import Ask, Over, Standing, Step, decided, standing
from console.vocabulary.level import LevelOutcome

LADDER: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MOST_LEVELS: Final = 60
"""A search that has not ended by then never will: the endpoint says something else each time."""
_MOST_AT_ONE: Final = 3
"""Measurements at one concurrency that contradict one another before it stays open."""
_FLAT_RUNGS: Final = 2
Bound = Literal["rules", "knee", "quota", "invalid", "none"]


class RampSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to search."""

    ladder: tuple[int, ...] = LADDER
    most: int = 1000
    """Concurrency never to go beyond."""
    grows: bool = False
    """Double beyond the last rung, up to `most`."""
    precision: float = 0.05
    elasticity: float = ELASTICITY
    """Throughput that grows by less is at its end."""
    confirm: int = 1
    """Further measurements of each end of the bracket."""
    drift: bool = True
    """Run the lowest level again at the end."""

    def rungs(self) -> list[int]:
        """Return the ladder up to `most`, which is its last rung where it is reached by growth or named."""
        rungs = sorted({rung for rung in self.ladder if rung <= self.most})
        if not rungs:
            return [self.most]
        if self.grows:
            while rungs[-1] * 2 < self.most:
                rungs.append(rungs[-1] * 2)
        if rungs[-1] < self.most and (self.grows or self.most < max(self.ladder)):
            rungs.append(self.most)
        return rungs


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """What is known so far."""

    passes: int | None
    """Largest concurrency below the first that fails which passes."""
    fails: int | None
    """Smallest that fails."""
    failed_by: tuple[str, ...] = ()
    """Rules that failed there."""
    bound: Bound
    """What bounds the answer as things stand."""
    knee: Knee | None = None
    passes_beyond: tuple[int, ...] = ()
    """Larger ones that pass though a smaller one fails: the endpoint is not monotone, or noisy."""


def bracket(levels: Sequence[LevelOutcome], settings: RampSettings) -> Bracket:
    """Return what levels say together. Those of the drift test count like all others of their concurrency."""
    by_concurrency: dict[int, list[LevelOutcome]] = {}
    for level in levels:
        by_concurrency.setdefault(level.concurrency, []).append(level)
    points = curve_points(levels)
    fallen = collapsed(points)
    stands: dict[int, Standing] = {
        concurrency: "fail" if concurrency in fallen else standing(several)
        for concurrency, several in sorted(by_concurrency.items())
    }
    fails = min((concurrency for concurrency, word in stands.items() if word != "pass"), default=None)
    passing = [concurrency for concurrency, word in stands.items() if word == "pass"]
    passes = max((one for one in passing if fails is None or one < fails), default=None)
    # Where the ladder is at its end no second flat rung comes: levels in between have to confirm the first.
    climbed = any(level.purpose == "refine" for level in levels) or set(settings.rungs()) <= set(
        by_concurrency
    )
    found = _settled_knee(points, settings, climbed=climbed)
    return Bracket(
        passes=passes,
        fails=fails,
        failed_by=() if fails is None else _failed_by(by_concurrency[fails], collapse=fails in fallen),
        bound=_bound(
            found, passes, fails, () if fails is None else tuple(by_concurrency[fails]), settings.precision
        ),
        knee=found,
        passes_beyond=tuple(one for one in passing if fails is not None and one > fails),
    )


def next_step(levels: Sequence[LevelOutcome], settings: RampSettings) -> Step:
    """Return the next level to run, or that the search is over."""
    if len(levels) >= _MOST_LEVELS:
        return Over(f"{_MOST_LEVELS} levels contradict one another")
    now = bracket(levels, settings)
    if now.bound == "none" and now.fails is None:
        return _climb(levels, settings) or _drift(levels, settings)
    step = _narrow(levels, now, settings) or _confirm(levels, now, settings)
    return step or _drift(levels, settings)


def stage(levels: Sequence[LevelOutcome], step: Step, settings: RampSettings) -> str:
    """Say in words what a search is doing with its next step."""
    if isinstance(step, Over):
        return "has its answer"
    if step.purpose == "scan":
        return "climbs the ladder"
    if step.purpose == "drift":
        return f"measures {step.concurrency} again, to see whether the endpoint has changed"
    if step.purpose == "confirm":
        return f"confirms {step.concurrency}"
    now = bracket(levels, settings)
    if now.bound == "knee" and now.knee is not None:
        return f"looks where throughput stops growing, about {now.knee.at:.0f}"
    return f"narrows {now.passes or 0} … {now.fails}"


def levels_left(levels: Sequence[LevelOutcome], step: Step, settings: RampSettings) -> int | None:
    """Return about how many levels are to come, this one included; None while the ladder is climbed."""
    if isinstance(step, Over):
        return 0
    if step.purpose == "scan":
        return None
    now = bracket(levels, settings)
    rest = 1 if settings.drift and step.purpose != "drift" else 0
    if step.purpose == "drift":
        return 1
    if step.purpose == "confirm":
        return 2 * settings.confirm + rest
    if now.bound == "knee" or now.passes is None or now.fails is None:
        return 3 + settings.confirm + rest
    halves = math.log(math.log(now.fails / now.passes) / math.log(1 + settings.precision), 2)
    return max(1, math.ceil(halves)) + 2 * settings.confirm + rest


def _settled_knee(points: Sequence[CurvePoint], settings: RampSettings, *, climbed: bool) -> Knee | None:
    """Return the knee once it may be believed: two flat rungs in a row, or a ladder that goes no further."""
    if not climbed and flat_rungs(points, settings.elasticity) < _FLAT_RUNGS:
        return None
    return knee(points, settings.elasticity)


def _bound(
    found: Knee | None,
    passes: int | None,
    fails: int | None,
    at_fails: tuple[LevelOutcome, ...],
    precision: float,
) -> Bound:
    """Return what bounds the answer: the knee only where levels beyond it pass, or none fails at all."""
    if fails is None:
        return "none" if found is None else "knee"
    if found is not None and passes is not None and found.at * (1 + precision / 2) <= passes:
        return "knee"
    verdicts = {level.verdict for level in at_fails}
    if "invalid" in verdicts and not verdicts & {"fail", "quota"}:
        return "invalid"
    return "quota" if "quota" in verdicts and "fail" not in verdicts else "rules"


def _failed_by(levels: Sequence[LevelOutcome], *, collapse: bool) -> tuple[str, ...]:
    names = [rule for level in levels for rule in level.stopped_by]
    if not names:
        names = [rule.rule for level in levels for rule in level.rules if rule.state == "undecided"]
    return tuple(dict.fromkeys([*(["collapse"] if collapse else []), *names]))


def _climb(levels: Sequence[LevelOutcome], settings: RampSettings) -> Ask | None:
    done = {level.concurrency for level in levels}
    rung = next((rung for rung in settings.rungs() if rung not in done), None)
    return None if rung is None else Ask(rung, "scan", "scan")


def _narrow(levels: Sequence[LevelOutcome], now: Bracket, settings: RampSettings) -> Ask | None:
    """Return a level between what passes and what fails, unless they are near enough."""
    if now.bound == "knee" and now.knee is not None:
        return _towards_knee(levels, now.knee, settings)
    if now.fails is None:
        return None
    if now.bound in ("invalid", "quota"):
        again = [level for level in levels if level.concurrency == now.fails]
        # Neither is about the model; once more tells whether it was a moment's trouble.
        return Ask(now.fails, "confirm", "full") if len(again) < 2 else None
    low = now.passes or 0
    if now.fails - low <= max(1, settings.precision * low):
        return None
    middle = round(math.sqrt(max(low, 1) * now.fails)) if low else now.fails // 2
    return Ask(min(now.fails - 1, max(low + 1, middle)), "refine", "full")


def _towards_knee(levels: Sequence[LevelOutcome], found: Knee, settings: RampSettings) -> Ask | None:
    """Return a level at the knee, then one on each side: what is measured has to hold it on three points."""
    measured = {level.concurrency for level in levels}
    at, step = found.at, settings.precision
    wanted: list[int] = []
    if not any(_near(one, at, step / 2) for one in measured):
        wanted.append(round(at))
    if at > 1.5 and not any(at / (1 + 3 * step) - 0.5 <= one < at * (1 - step / 2) for one in measured):
        wanted.append(min(round(at / (1 + 2 * step)), math.ceil(at) - 1))
    if not any(at * (1 + step / 2) < one <= at * (1 + 3 * step) + 0.5 for one in measured):
        wanted.append(max(round(at * (1 + 2 * step)), math.floor(at) + 1))
    # Of a few requests there is no level as near as that: the next whole number has been measured already.
    asks = (_refine(one, settings) for one in wanted)
    return next((ask for ask in asks if ask.concurrency not in measured), None)


def _refine(concurrency: int, settings: RampSettings) -> Ask:
    return Ask(max(1, min(settings.most, concurrency)), "refine", "scan")


def _near(measured: int, at: float, share: float) -> bool:
    return abs(measured - at) <= max(0.5, share * at)


def _confirm(levels: Sequence[LevelOutcome], now: Bracket, settings: RampSettings) -> Ask | None:
    """Return an end of the bracket that was not measured often enough, or not with one result."""
    if now.bound == "knee" and now.knee is not None:
        ends = [_nearest(levels, now.knee.at)]
    elif now.bound == "rules":
        ends = [end for end in (now.passes, now.fails) if end]
    else:
        ends = []
    for end in ends:
        at_end = [level for level in levels if level.concurrency == end]
        enough = len(at_end) > settings.confirm
        split = len({level.verdict for level in at_end if decided(level)}) > 1
        if not enough or (split and now.bound == "rules" and len(at_end) < _MOST_AT_ONE):
            return Ask(end, "confirm", "full")
    return None


def _nearest(levels: Sequence[LevelOutcome], at: float) -> int:
    return min({level.concurrency for level in levels}, key=lambda one: abs(math.log(one / at)))


def _drift(levels: Sequence[LevelOutcome], settings: RampSettings) -> Step:
    if not settings.drift or not levels or any(level.purpose == "drift" for level in levels):
        return Over()
    lowest = min(level.concurrency for level in levels)
    if len({level.concurrency for level in levels}) < 2:
        return Over()
    return Ask(lowest, "drift", "scan")
