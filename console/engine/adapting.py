"""Adaptive mode of the lanes of one engine: which lanes have it, switched on and off while the run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Final

import anyio

from console.engine.adaptive.change import Change
from console.engine.adaptive_gate import AdaptiveGate
from console.engine.arbiter import Arbiter
from console.engine.gates import NS_PER_S, NowNs
from console.engine.lane_runtime import LaneRuntime
from console.engine.limit_book import NAMED, and_more, unknown_lane
from console.engine.recording import Recorder
from console.vocabulary.command import Accepted, Adapt, Refused
from console.vocabulary.inspection import LimitChange
from console.vocabulary.lane import Lane, LaneSetup
from console.vocabulary.learnt import Learnt
from console.vocabulary.names import ADAPTED
from console.vocabulary.safe_text import safe_line

_TICK_S: Final = 1.0


class Adapting:
    """Makes the gates whose limits are found, lets them grow, and switches that on and off."""

    def __init__(self, arbiter: Arbiter, recorder: Recorder, now_ns: NowNs) -> None:
        """Make gates for `arbiter`; their changes go to `recorder`."""
        self._arbiter = arbiter
        self._recorder = recorder
        self._now_ns = now_ns
        self._lanes: Mapping[str, LaneRuntime] = {}
        self._more = anyio.Event()

    def gate_of(
        self, setup: LaneSetup, learnt: Mapping[str, tuple[Learnt, float]] | None
    ) -> AdaptiveGate | None:
        """Return the gate of a lane whose limits are found from the beginning; None: they are not."""
        if not setup.adaptive:
            return None
        known, age_s = (learnt or {}).get(setup.lane.id, (None, inf))
        return AdaptiveGate(setup, self._arbiter, self._now_ns, self._moved, known, age_s)

    def follow(self, lanes: Mapping[str, LaneRuntime]) -> None:
        """Take the lanes that these gates are of, and all others."""
        self._lanes = lanes

    async def run(self) -> None:
        """Let limits grow that are being found, once a second."""
        while True:
            found = [lane.found for lane in self._lanes.values() if lane.found is not None and lane.adapts]
            if not found:
                self._more = anyio.Event()
                await self._more.wait()
            await anyio.sleep(_TICK_S)
            for gate in found:
                gate.tick()

    def learnt(self, wall_s: float) -> dict[str, Learnt]:
        """Return what lanes have learnt whose limits the plan leaves to be found; `wall_s` is the Unix time."""
        return {
            lane_id: lane.found.learnt(wall_s)
            for lane_id, lane in self._lanes.items()
            if lane.found is not None and lane.setup.adaptive
        }

    def adapt(self, command: Adapt) -> Accepted | Refused:
        """Switch adaptive mode of lanes on or off, of all that are named or of none, and record it."""
        changing = lanes_to_switch(command, {name: lane.adapts for name, lane in self._lanes.items()})
        if isinstance(changing, Refused):
            return changing
        told = self.switch(changing, on=command.on)
        record_adapt(self._recorder, told, on=command.on)
        return Accepted(adapt_text(told, on=command.on))

    def switch(self, names: Iterable[str], *, on: bool) -> dict[str, str]:
        """Switch adaptive mode of lanes on or off, and return of each from where it goes on, or what it holds."""
        told = {
            name: self._start(self._lanes[name]) if on else self._hold(self._lanes[name]) for name in names
        }
        self._more.set()
        return told

    # Inside

    def _start(self, lane: LaneRuntime) -> str:
        found = lane.found
        if found is not None:
            found.go_on()
            return found.text
        now_ns = self._now_ns()
        rate, in_flight = lane.sends.per_second(now_ns), lane.limits.in_flight
        found = AdaptiveGate.from_here(
            lane.setup, lane.limits.own, self._arbiter, self._now_ns, self._moved, rate, in_flight
        )
        lane.adopt(found)
        at_s = self._recorder.since_start(now_ns) / NS_PER_S
        own = lane.limits.own
        for what, old, new in (
            ("window", own.workers, found.gate.most),
            ("qps", own.qps, found.controller.rate),
        ):
            lane.recent.changed(
                LimitChange(at_s=at_s, what=what, old=old, new=new, why="by hand: adaptive on")
            )
        return found.text

    @staticmethod
    def _hold(lane: LaneRuntime) -> str:
        if lane.found is None:
            return "nothing"
        lane.found.hold()
        return lane.found.text

    def _moved(self, lane: Lane, change: Change) -> None:
        """Record that adaptive mode changed a limit."""
        self._recorder.limit(lane, change)
        self._lanes[lane.id].recent.moved(change, self._recorder.since_start(change.at_ns) / NS_PER_S)


def lanes_to_switch(command: Adapt, adapts: Mapping[str, bool]) -> tuple[str, ...] | Refused:
    """Return the lanes that are not yet as somebody wants them, or why that cannot be had; `adapts` is of all lanes."""
    names = tuple(dict.fromkeys(command.lanes))
    for name in names:
        if name not in adapts:
            return unknown_lane(name, list(adapts))
    changing = tuple(name for name in names if adapts[name] != command.on)
    return changing or Refused(safe_line(_nothing_changes(names, on=command.on), 400))


def _nothing_changes(names: Sequence[str], *, on: bool) -> str:
    named = ", ".join(names[:NAMED])
    if not named:
        return "nothing to change: name a lane"
    return f"nothing changes: adaptive mode is {'on' if on else 'off'} for {named} already"


def adapt_text(told: Mapping[str, str], *, on: bool) -> str:
    """Say what was switched, of many lanes the first ones: `azure/gpt@key0: adaptive off, holds …`."""
    words = "adaptive on, from" if on else "adaptive off, holds"
    named = [f"{name}: {words} {text}" for name, text in list(told.items())[:NAMED]]
    return "; ".join(named) + and_more(len(told))


def record_adapt(recorder: Recorder, told: Mapping[str, str], *, on: bool) -> None:
    """Make it one event of the run."""
    words = "adaptive mode on by hand, from" if on else "adaptive mode off by hand, holds"
    if len(told) == 1:
        ((subject, text),) = told.items()
        recorder.event("note", ADAPTED, subject, f"{words} {text}")
    else:
        each = "; ".join(f"{text} on {name}" for name, text in told.items())
        recorder.event("note", ADAPTED, "", f"{words} {each}")
