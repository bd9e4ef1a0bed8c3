"""What searches say to whoever measures for them: the next level to run, or that there is nothing left to learn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from console.vocabulary.level import LevelOutcome, Purpose

Patience = Literal["scan", "full"]
"""scan: a level whose rules look well within their limits need not be decided; full: it goes on until it is."""
Standing = Literal["pass", "fail", "open"]


class Ask(msgspec.Struct, frozen=True):
    """The next level to measure."""

    concurrency: int
    purpose: Purpose
    patience: Patience
    rate: float | None = None
    """Requests due per second, in open loop; None: closed loop."""
    count: int | None = None
    """Requests to send, all of which are measured; None: until the rules are decided, in a steady window."""
    least_s: float | None = None
    """Least length of the window, where the search needs more than others do."""


class Over(msgspec.Struct, frozen=True):
    """Nothing is left to measure."""

    because: str = ""
    """Why the search ended before it knew; empty: it knows."""


Step = Ask | Over


def leans(outcome: LevelOutcome) -> Standing:
    """Return what one level says of its concurrency: an undecided one passes if nothing is beyond its limit so far."""
    verdict = outcome.verdict
    if verdict in ("pass", "fail"):
        return verdict
    if verdict == "undecided":
        beyond = any((rule.margin or 0.0) < 0 for rule in outcome.rules if rule.state == "undecided")
        return "open" if beyond else "pass"
    return "fail"


def so_far(outcome: LevelOutcome) -> bool:
    """Whether nothing is beyond its limit, though not all is certain: a rung of the ladder need not be decided."""
    return outcome.verdict == "undecided" and leans(outcome) == "pass"


def decided(outcome: LevelOutcome) -> bool:
    """Whether a level passed or failed for certain."""
    return outcome.verdict in ("pass", "fail")


def standing(levels: Iterable[LevelOutcome]) -> Standing:
    """Return what all measurements at one concurrency say together: certain ones outvote those that only lean.

    What is no measurement says something only where there is no other.
    """
    said = list(levels)
    valid = [level for level in said if level.verdict != "invalid"]
    votes = {"pass": 0.0, "fail": 0.0, "open": 0.0}
    for level in valid or said:
        votes[leans(level)] += 1.0 if decided(level) or level.verdict in ("quota", "invalid") else 0.4
    if votes["pass"] == votes["fail"]:
        return "open"
    return (
        "pass"
        if votes["pass"] > votes["fail"] and votes["pass"] >= votes["open"]
        else ("fail" if votes["fail"] >= votes["open"] else "open")
    )
