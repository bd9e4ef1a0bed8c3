"""When a level that goes on has been measured enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.capacity.rules import decided, looks_bad
from console.capacity.search import Pace
from console.capacity.steps import Ask
from console.vocabulary.level import Estimate, LevelOutcome, RuleOutcome
from console.vocabulary.outcome import Outcome

_FAIL_AFTER_S: Final = 2.0
"""A rule that fails for certain ends a level after so long a window."""


def enough(
    ask: Ask,
    pace: Pace,
    outcome: LevelOutcome,
    rules: Sequence[RuleOutcome],
    before: Sequence[RuleOutcome],
    elapsed_s: float,
) -> bool:
    """Whether nothing is gained by going on, `elapsed_s` after the level began to send.

    A failed rule ends a level only where it had failed at the look before as well, on fewer rows (`before`): whoever
    looks often enough sees everything fail once.
    """
    window_s = (outcome.to_ns - outcome.from_ns) / 1e9
    failed = {rule.rule for rule in rules if rule.state == "fail"}
    if failed & {rule.rule for rule in before if rule.state == "fail"}:
        return window_s >= (ask.least_s or 0.0) / 3 and window_s >= min(_FAIL_AFTER_S, pace.least_window_s)
    if failed:
        return False
    if window_s < (ask.least_s or pace.least_window_s):
        return False
    scan = ask.patience == "scan"
    precise_by_s = pace.scan_s if scan else most_s(ask, pace)
    if not precise(outcome.work_per_s, pace.work_precision) and elapsed_s < precise_by_s:
        return False
    if decided(rules):
        return True
    answers = outcome.outcomes.get(Outcome.OK, 0)
    return scan and not looks_bad(rules) and (answers >= pace.scan_answers or elapsed_s >= pace.scan_s)


def most_s(ask: Ask, pace: Pace) -> float:
    """Return after how long a level ends anyhow: a window that has to be longer than others moves it on."""
    return max(pace.most_s, 2 * (ask.least_s or 0.0))


def precise(found: Estimate, share: float) -> bool:
    """Whether half the interval of a figure is within a share of it."""
    if found.low is None or found.high is None or found.value <= 0:
        return False
    return (found.high - found.low) / 2 <= share * found.value
