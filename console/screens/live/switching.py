"""Switching keys, deployments and lanes off and on, and adaptive mode: commands, and what has to be asked first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.screens.counted import counted
from console.screens.live.lanes import Picked, lanes_text, safe
from console.screens.live.steps import Tuning
from console.vocabulary.command import Adapt, Switch, SwitchKind
from console.vocabulary.lane import key_scope
from console.vocabulary.snapshot import LaneView
from widgets.lane_selection import SelectionKind

_KINDS: Final[dict[SelectionKind, SwitchKind]] = {
    "cell": "lane",
    "row": "deployment",
    "family": "deployment",
    "group": "key",
    "column": "key",
}


@dataclass(frozen=True, slots=True)
class Switching:
    """What `o` does now."""

    commands: tuple[Switch, ...]
    concerned: tuple[LaneView, ...]
    """All lanes that it switches, in sight or not."""
    on: bool
    label: str

    @property
    def asks(self) -> bool:
        """Whether work is broken off by it."""
        return not self.on and any(lane.in_flight or lane.held for lane in self.concerned)

    def question(self, lanes: Sequence[LaneView]) -> tuple[str, ...]:
        """Return which work is broken off and where it goes."""
        requests = sum(lane.in_flight for lane in self.concerned)
        tests = sum(lane.held for lane in self.concerned)
        ended = f"{counted(requests, 'request')} in flight {'ends' if requests == 1 else 'end'}; "
        broken = "breaks off there and begins anew" if tests == 1 else "break off there and begin anew"
        words = [f"{ended}{counted(tests, 'test')} under way {broken}."]
        ids = {lane.lane_id for lane in self.concerned}
        for model in dict.fromkeys(lane.model for lane in self.concerned):
            others = [
                lane
                for lane in lanes
                if lane.model == model and lane.lane_id not in ids and lane.state != "off"
            ]
            if others:
                words.append(f"{safe(model)}: goes on on {lanes_text(len(others))}.")
            else:
                words.append(f"{safe(model)}: no other lane is on; its tests wait until one is.")
        return tuple(words[:8])

    def expected(self) -> dict[str, dict[str, object]]:
        """Return what its lanes will show."""
        return {lane.lane_id: {"state": "idle" if self.on else "off"} for lane in self.concerned}


def switching(chosen: Picked, lanes: Sequence[LaneView]) -> Switching | str:
    """Return what `o` does to a selection, or why it does nothing: off where anything is on, else on."""
    kind, on = _KINDS.get(chosen.kind), chosen.off
    if kind is None:
        return "o switches a lane, a row or a column; space pauses everything"
    names = list(dict.fromkeys(_name(kind, lane) for lane in chosen.lanes))
    concerned = tuple(lane for lane in lanes if _name(kind, lane) in names and (lane.state == "off") == on)
    label = f"{kind}{'s' if len(names) > 1 else ''} {' '.join(map(safe, names))}"
    return Switching(tuple(Switch(kind, name, on) for name in names), concerned, on, label)


def adapting(chosen: Picked) -> Tuning:
    """Return what `a` does to a selection: adaptive mode off where all have it, else on."""
    on = not all(lane.adaptive for lane in chosen.lanes)
    ids = tuple(lane.lane_id for lane in chosen.lanes if lane.adaptive != on)
    text = f"{chosen.label}: {'limits are found' if on else 'limits are held where they are'}"
    return Tuning(Adapt(lanes=ids, on=on), text, {lane: {"adaptive": on} for lane in ids})


def _name(kind: SwitchKind, lane: LaneView) -> str:
    if kind == "key":
        return key_scope(lane.provider, lane.key)
    return lane.lane_id if kind == "lane" else f"{lane.provider}/{lane.deployment}"
