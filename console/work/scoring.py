"""How a test is marked: from the goal of its task, its true plan and the calls that were made.

Two presets are worked out for every test: `goal`, which gives verdict and score, and `original` (`scoring_original.py`), which
stands beside them. What the model was shown as a plan, flawed or not, plays no part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from console.vocabulary.marks import Marks
from console.vocabulary.outcome import Verdict
from console.work.course import Course
from console.work.error_class import error_class_of
from console.work.preset import Preset
from console.work.scoring_original import ORIGINAL, mark_original
from console.work.sequences import common_length
from console.work.session import Call, Session
from console.work.world import Cause

GOAL: Final = Preset(
    name="goal",
    weights={
        "conditions": 0.45,
        "coverage": 0.2,
        "order": 0.15,
        "efficiency": 0.1,
        "finish": 0.05,
        "recovery": 0.05,
    },
    thresholds={"partial_conditions": 0.5},
    rule=(
        "score: weighted mean of the shares, recovery only where a call failed; 0 where nothing was called. "
        "full: all conditions of the goal hold and finish was called; "
        "partial: at least the threshold of conditions hold; failure: anything else"
    ),
)
PRESETS: Final = (GOAL, ORIGINAL)


class Marked(msgspec.Struct, frozen=True):
    """What a test that was played to its end is worth."""

    verdict: Verdict
    score: float
    marks: Marks


def presets_record() -> dict[str, dict[str, Any]]:
    """Return all presets by name as plain data, to be kept with results."""
    return {preset.name: msgspec.to_builtins(preset) for preset in PRESETS}


def mark(session: Session, course: Course) -> Marked:
    """Mark a test that was played to its end."""
    task, calls = session.task, session.calls
    plan = [step.tool for step in task.plan]
    worked = [call.tool for call in calls if call.ok]
    met = session.conditions_met
    by_chance = sum(call.cause is Cause.CHANCE for call in calls)
    needed = len(plan) + by_chance
    reached = met == len(task.goal)
    shares = {
        "conditions": met / max(len(task.goal), 1),
        "coverage": (Counter(plan) & Counter(worked)).total() / max(len(plan), 1),
        "order": common_length(plan, worked) / max(len(plan), 1),
        "efficiency": needed / max(needed, len(calls)) if calls else 0.0,
        "finish": float(course.finished),
    }
    recovered = _recovery(calls)
    if recovered is not None:
        shares["recovery"] = recovered
    score = _weighted(shares) if calls else 0.0
    if reached and course.finished:
        verdict = Verdict.FULL
    elif calls and shares["conditions"] >= GOAL.thresholds["partial_conditions"]:
        verdict = Verdict.PARTIAL
    else:
        verdict = Verdict.FAILURE
    marks = Marks(
        goal_reached=reached,
        finished=course.finished,
        conditions=shares["conditions"],
        coverage=shares["coverage"],
        order=shares["order"],
        efficiency=shares["efficiency"],
        recovery=recovered,
        needed_calls=len(plan),
        calls=len(calls),
        failed_calls=len(calls) - len(worked),
        chance_failures=by_chance,
        format_errors=course.format_errors,
        assisted_turns=course.assisted_turns,
        error_class=None if verdict is Verdict.FULL else error_class_of(session, course),
        original=mark_original(task, calls, finished=course.finished),
    )
    return Marked(verdict, score, marks)


def _weighted(shares: dict[str, float]) -> float:
    weights = GOAL.weights
    total = sum(weights[name] for name in shares)
    return sum(weights[name] * share for name, share in shares.items()) / total


def _recovery(calls: Sequence[Call]) -> float | None:
    """Return the share of failed calls after which the same tool worked; None where none failed."""
    failed = made_good = 0
    worked_later: set[str] = set()
    for call in reversed(calls):
        if call.ok:
            worked_later.add(call.tool)
        else:
            failed += 1
            made_good += call.tool in worked_later
    return made_good / failed if failed else None
