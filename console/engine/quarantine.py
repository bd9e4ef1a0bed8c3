"""Switching lanes off while they run: one lane, all lanes of a key that is refused, or what a user says; and on again."""

from __future__ import annotations

from collections.abc import Iterable

from console.engine.lane_runtime import LaneRuntime
from console.engine.recording import Recorder
from console.vocabulary.command import Refused, Switch, SwitchKind, name_of
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.safe_text import safe_line

BY_HAND = "switched off by hand"


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


def switch_by_hand(lanes: Iterable[LaneRuntime], switch: Switch) -> list[LaneRuntime]:
    """Switch off or on what a user names, and return the lanes that changed.

    A lane that was switched off by its key as well as by its deployment needs both to be on again.
    """
    changed: list[LaneRuntime] = []
    for lane in lanes:
        if switch.concerns(lane.lane) and is_switched(lane.by_hand, bool(lane.off), switch):
            if switch.on:
                lane.switch_on()
            else:
                lane.switch_off(BY_HAND)
            changed.append(lane)
    return changed


def is_switched(by_hand: set[SwitchKind], off: bool, switch: Switch) -> bool:
    """Note in `by_hand` what a switch did to a lane, and return whether the lane goes off, or on again, by it."""
    if switch.on:
        by_hand.discard(switch.kind)
        return off and not by_hand
    by_hand.add(switch.kind)
    return not off


def switch_refused(lanes: Iterable[tuple[Lane, bool]], switch: Switch) -> Refused:
    """Say why a switch changed nothing; `lanes` are those of the run, and whether each is off by hand still."""
    found = list(lanes)
    names = dict.fromkeys(name_of(switch.kind, lane) for lane, _ in found)
    if switch.on and any(switch.concerns(lane) and by_hand for lane, by_hand in found):
        text = f"{switch.kind} {switch.name} is on, but another switch keeps its lanes off: switch that on as well"
        return Refused(text)
    if switch.name in names:
        return Refused(f"{switch.kind} {switch.name} is {'on' if switch.on else 'off'} already")
    known = ", ".join(names)
    return Refused(safe_line(f"no lane of this run uses {switch.kind} {switch.name}; it uses {known}", 400))


def switch_text(switch: Switch, lanes: int) -> str:
    """Say what a switch did."""
    count = "1 lane takes" if lanes == 1 else f"{lanes} lanes take"
    if switch.on:
        return f"{switch.kind} {switch.name} is on: {count} requests again"
    return f"{switch.kind} {switch.name} is off: {count} no further request, what is in flight ends"


def record_switch(recorder: Recorder, lane: Lane, *, on: bool) -> None:
    """Make a switch by hand an event of the run."""
    if on:
        recorder.event("info", "lane_on", lane.id, "switched on again by hand")
    else:
        recorder.event("warn", "lane_off", lane.id, BY_HAND)
