"""Limits that somebody changes while a run on several processes goes on: figures of the whole, dealt out exactly."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from console.engine.adapting import adapt_text, lanes_to_switch, record_adapt
from console.engine.gates import NS_PER_S, NowNs
from console.engine.limit_book import (
    Figures,
    LimitBook,
    ScopeChange,
    ScopeLimits,
    What,
    answer_text,
    event_of,
)
from console.engine.recent import CHANGES_KEPT
from console.engine.recording import Recorder
from console.engine.tuning import limit_changes
from console.processes.child import Child
from console.processes.deal import moved, scope_shares
from console.processes.messages import SetLimits
from console.vocabulary.command import Accepted, Adapt, Refused, Tune
from console.vocabulary.inspection import LimitChange
from console.vocabulary.lane import LaneSetup, Scope, least, outer_scopes
from console.vocabulary.names import TUNED
from console.vocabulary.snapshot import LaneView

_NOW: Final = "the limits of now"


class PartsTuning:
    """Changes limits of a run whose lanes are dealt to processes, and tells those that come later."""

    def __init__(
        self,
        setups: Sequence[LaneSetup],
        parts: Mapping[int, Sequence[LaneSetup]],
        children: Mapping[int, Child],
        recorder: Recorder,
        now_ns: NowNs,
        look: Callable[[], Sequence[LaneView]],
        own_lanes: frozenset[str],
    ) -> None:
        """Change limits of `setups`.

        Args:
            setups: the lanes of the run.
            parts: the lanes of each process, with its part of their limits.
            children: the processes.
            recorder: takes the events.
            now_ns: the clock.
            look: returns the pictures of the lanes as the processes last showed them.
            own_lanes: lanes that nobody else can reach.
        """
        self._parts = parts
        self._children = children
        self._recorder = recorder
        self._now_ns = now_ns
        self._look = look
        self._scopes = {
            setup.lane.id: (Scope("lane", setup.lane.id), *outer_scopes(setup.lane)) for setup in setups
        }
        self._shared = {
            scope
            for setup in setups
            if setup.lane.id not in own_lanes
            for scope in self._scopes[setup.lane.id]
        }
        self._book = LimitBook(setups, parts=self._spread, shared=lambda scope: scope in self._shared)
        self._dealt: dict[Scope, dict[int, ScopeLimits]] = {}
        """What processes have of scopes that were changed."""
        self._planned = {setup.lane.id: setup.adaptive for setup in setups}
        """Whether the plan leaves the limits of lanes to be found."""
        self._adaptive = dict(self._planned)
        self._adapted: dict[str, bool] = {}
        """Lanes whose adaptive mode somebody switched, in order."""
        self._released: dict[str, set[What]] = {}
        """Of lanes whose limits are held, what somebody set since."""
        self._changes: dict[str, deque[LimitChange]] = {}

    def workers(self, lane_id: str) -> int | None:
        """Return the workers of a lane now, over all processes."""
        return self._book.now(Scope("lane", lane_id)).workers

    def changes(self, lane_id: str) -> Sequence[LimitChange]:
        """Return what somebody changed of the limits of a lane."""
        return tuple(self._changes.get(lane_id, ()))

    def told(self, number: int) -> Iterator[SetLimits | Adapt]:
        """Return what a process is told that takes the place of another one."""
        for lane_id, on in self._adapted.items():
            # Where limits were only found since somebody wanted it, what was found is gone with the process.
            if (on or self._planned[lane_id]) and number in self._having(Scope("lane", lane_id)):
                yield Adapt((lane_id,), on=on)
        limits = [dealt[number] for dealt in self._dealt.values() if number in dealt]
        if limits:
            yield SetLimits(tuple(self._again(one) for one in limits))

    def tune(self, tune: Tune) -> Accepted | Refused:
        """Change limits, all that are named or none: record it, and tell each process its part."""
        changes = self._book.resolve(tune, self._held())
        if isinstance(changes, Refused):
            return changes
        self._book.take(changes)
        for_process: dict[int, list[ScopeLimits]] = {}
        for change in changes:
            dealt = self._deal(change)
            self._dealt[change.scope] = {**self._dealt.get(change.scope, {}), **dealt}
            for number, limits in dealt.items():
                for_process.setdefault(number, []).append(limits)
            if change.scope.kind == "lane":
                self._released.setdefault(change.scope.name, set()).update(change.limits.said)
        for number, limits in for_process.items():
            self._say(number, SetLimits(tuple(limits)))
        subject, text = event_of(changes)
        self._recorder.event("note", TUNED, subject, text)
        self._note(changes)
        return Accepted(answer_text(changes))

    def adapt(self, command: Adapt) -> Accepted | Refused:
        """Switch adaptive mode of lanes on or off; two processes would take each other's requests for the server's doing."""
        changing = lanes_to_switch(command, self._adaptive)
        if isinstance(changing, Refused):
            return changing
        for name in changing:
            spread = self._spread(Scope("lane", name))
            if spread > 1:
                return Refused(
                    f"{name} is spread over {spread} engine processes, which cannot find one limit together: start the "
                    "run with --processes 1, or with --rate-mode adaptive"
                )
        for name in changing:
            self._adaptive[name] = command.on
            self._adapted.pop(name, None)
            self._adapted[name] = command.on
            self._released.pop(name, None)
            for number in self._having(Scope("lane", name)):
                self._say(number, Adapt((name,), on=command.on))
        told = dict.fromkeys(changing, _NOW)
        record_adapt(self._recorder, told, on=command.on)
        return Accepted(adapt_text(told, on=command.on))

    # Inside

    def _say(self, number: int, message: SetLimits | Adapt) -> None:
        """Tell a process, and have it show what came of it; one that has not started is told when it has."""
        child = self._children.get(number)
        if child is not None:
            child.say(message)
            child.ask_for_picture()

    def _again(self, limits: ScopeLimits) -> ScopeLimits:
        """Return what a process has of a scope, with what was set since limits are held there, if they are."""
        said = tuple(self._released.get(limits.scope.name, ())) if limits.scope.kind == "lane" else ()
        return msgspec.structs.replace(limits, said=said)

    def _having(self, scope: Scope) -> dict[int, Sequence[LaneSetup]]:
        """Return the processes that have lanes of a scope, living ones and those still to start, and these lanes."""
        having = {
            number: [setup for setup in lanes if scope in self._scopes[setup.lane.id]]
            for number, lanes in self._parts.items()
            if number not in self._children or not self._children[number].gone.is_set()
        }
        return {number: lanes for number, lanes in having.items() if lanes}

    def _spread(self, scope: Scope) -> int:
        return max(1, len(self._having(scope)))

    def _deal(self, change: ScopeChange) -> dict[int, ScopeLimits]:
        """Split the figure over the processes that have lanes of the scope: the parts add up to it."""
        having, whole = self._having(change.scope), change.limits
        before = [self._workers_of(change.scope, number, lanes) for number, lanes in having.items()]
        known = [workers for workers in before if workers is not None]
        if whole.workers is not None and len(known) == len(before):
            parts = moved(known, whole.workers)
        else:
            parts = scope_shares(whole.workers, list(having.values()))
        outer = change.scope.kind != "lane"
        return {
            number: msgspec.structs.replace(
                whole, workers=workers, whole_workers=whole.workers if outer else None
            )
            for number, workers in zip(having, parts, strict=True)
        }

    def _workers_of(self, scope: Scope, number: int, lanes: Sequence[LaneSetup]) -> int | None:
        """Return the slots that a process with these lanes of a scope has now."""
        dealt = self._dealt.get(scope, {})
        if number in dealt:
            return dealt[number].workers
        if scope.kind == "lane":
            return lanes[0].limits.workers
        return next((outer.limits.workers for outer in lanes[0].outer if outer.scope == scope), None)

    def _held(self) -> dict[Scope, Figures]:
        """Return what lanes have whose limits were found and are held, as far as nobody set them since."""
        held: dict[Scope, Figures] = {}
        off = {lane_id for lane_id, on in self._adapted.items() if not on}
        for view in self._look() if off else ():
            if view.lane_id not in off:
                continue
            scope, released = Scope("lane", view.lane_id), self._released.get(view.lane_id, set[What]())
            own = self._book.now(scope)
            held[scope] = Figures(
                workers=own.workers if "workers" in released else least(own.workers, view.window),
                qps=own.qps if "qps" in released else least(own.qps, view.qps),
            )
        return held

    def _note(self, changes: Sequence[ScopeChange]) -> None:
        at_s = self._recorder.since_start(self._now_ns()) / NS_PER_S
        for change in changes:
            news = limit_changes(change, at_s)
            for lane_id, scopes in self._scopes.items():
                if change.scope in scopes:
                    self._changes.setdefault(lane_id, deque(maxlen=CHANGES_KEPT)).extend(news)
