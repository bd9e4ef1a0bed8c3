"""Switching lanes off while they run: one lane, or all lanes of a key that is refused."""

from __future__ import annotations

from collections.abc import Iterable

from console.engine.lane_runtime import LaneRuntime
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome


def switch_off(lanes: Iterable[LaneRuntime], lane: Lane, outcome: Outcome, reason: str) -> list[LaneRuntime]:
    """Switch `lane` off, and after a refused key every lane of that key at that provider; return those that were on."""
    switched: list[LaneRuntime] = []
    for other in lanes:
        if not other.off and is_switched_off_with(other.lane, lane, outcome):
            other.switch_off(reason)
            switched.append(other)
    return switched


def is_switched_off_with(other: Lane, lane: Lane, outcome: Outcome) -> bool:
    """Whether what switches `lane` off switches `other` off as well."""
    same_key = (other.provider, other.key) == (lane.provider, lane.key)
    return other == lane or (outcome is Outcome.AUTH and same_key)
