"""Switching lanes off while they run: one lane, or all lanes of a key that is refused."""

from __future__ import annotations

from collections.abc import Iterable

from console.engine.lane_runtime import LaneRuntime
from console.engine.recording import Recorder
from console.vocabulary.outcome import Outcome


def switch_off(
    lanes: Iterable[LaneRuntime], lane: LaneRuntime, outcome: Outcome, reason: str, recorder: Recorder
) -> None:
    """Switch `lane` off, and after a refused key every lane of that key at that provider."""
    for other in lanes:
        same_key = (other.lane.provider, other.lane.key) == (lane.lane.provider, lane.lane.key)
        if not other.off and (other is lane or (outcome is Outcome.AUTH and same_key)):
            other.switch_off(reason)
            recorder.event("error", "lane_off", other.lane.id, f"switched off: {reason}")
