"""Limits that somebody changes while a run goes on: slots and gates get them at once, and nobody is preempted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from console.engine.arbiter import Arbiter
from console.engine.gates import NS_PER_S, Gate, NowNs
from console.engine.lane_runtime import LaneRuntime
from console.engine.limit_book import (
    Figures,
    LimitBook,
    ScopeChange,
    ScopeLimits,
    answer_text,
    event_of,
    label,
)
from console.engine.recording import Recorder
from console.engine.sharing import Sharing
from console.vocabulary.command import Accepted, Refused, Tune
from console.vocabulary.inspection import LimitChange
from console.vocabulary.lane import Limits, Scope, outer_scopes
from console.vocabulary.names import TUNED


class Tuning:
    """Changes the limits of one engine."""

    def __init__(
        self,
        lanes: Mapping[str, LaneRuntime],
        gates: Mapping[Scope, Gate],
        arbiter: Arbiter,
        recorder: Recorder,
        now_ns: NowNs,
        changed: Callable[[], None],
        sharing: Sharing | None,
    ) -> None:
        """Change the limits of `lanes`.

        Args:
            lanes: by id.
            gates: of the scopes that lanes share.
            arbiter: is told which gates may have got room.
            recorder: takes the events.
            now_ns: the clock.
            changed: told when limits have changed, so that there are workers for what waits.
            sharing: what this run shares with others.
        """
        self._lanes = lanes
        self.gates = dict(gates)
        self._arbiter = arbiter
        self._recorder = recorder
        self._now_ns = now_ns
        self._changed = changed
        self._sharing = sharing
        self._book = LimitBook(
            (lane.setup for lane in lanes.values()),
            shared=lambda scope: sharing is not None and sharing.shares(scope),
        )

    def tune(self, tune: Tune) -> Accepted | Refused:
        """Change limits, all that are named or none, and record it."""
        changes = self._book.resolve(tune, self._held())
        if isinstance(changes, Refused):
            return changes
        self._book.take(changes)
        self.apply(change.limits for change in changes)
        subject, text = event_of(changes)
        self._recorder.event("note", TUNED, subject, text)
        self._note(changes)
        return Accepted(answer_text(changes))

    def _held(self) -> dict[Scope, Figures]:
        """Return what lanes have whose limits were found and are held: that is what + and - move."""
        held: dict[Scope, Figures] = {}
        for lane in self._lanes.values():
            if lane.found is not None and not lane.adapts and lane.setup.per == "lane":
                scope = Scope("lane", lane.lane.id)
                held[scope] = Figures(workers=lane.limits.most_in_flight, qps=lane.limits.qps)
        return held

    def apply(self, limits: Iterable[ScopeLimits]) -> None:
        """Put limits in force, without a word."""
        now_ns = self._now_ns()
        for one in limits:
            if one.scope.kind == "lane":
                self._apply_to_lane(one, now_ns)
            else:
                self._apply_to_scope(one, now_ns)
            if self._sharing is not None:
                workers = one.workers if one.whole_workers is None else one.whole_workers
                self._sharing.claim(one.scope, workers=workers, qps=one.qps)
        self._changed()

    def _apply_to_lane(self, limits: ScopeLimits, now_ns: int) -> None:
        lane = self._lanes.get(limits.scope.name)
        if lane is not None:
            lane.limits.tune(limits.workers, limits.qps, limits.said, now_ns)

    def _apply_to_scope(self, limits: ScopeLimits, now_ns: int) -> None:
        scope = limits.scope
        inside = [lane for lane in self._lanes.values() if scope in outer_scopes(lane.lane)]
        if not inside:
            return
        gate = self.gates.get(scope)
        if gate is None:
            setup = inside[0].setup
            by_estimate = setup.tpm_accounting == "estimate"
            gate = Gate(scope, Limits(), burst=setup.burst, tokens_by_estimate=by_estimate)
            self.gates[scope] = gate
        gate.set_limits(now_ns, most=limits.workers, per_second=limits.qps)
        for lane in inside:
            lane.limits.share(gate)
        self._arbiter.look_at((gate,))

    def _note(self, changes: Iterable[ScopeChange]) -> None:
        """Let the lanes remember what changed for them."""
        at_s = self._recorder.since_start(self._now_ns()) / NS_PER_S
        for change in changes:
            news = limit_changes(change, at_s)
            for lane in self._lanes.values():
                if change.scope.name == lane.lane.id or change.scope in outer_scopes(lane.lane):
                    for one in news:
                        lane.recent.changed(one)


def limit_changes(change: ScopeChange, at_s: float) -> list[LimitChange]:
    """Return what a lane remembers of a change by hand."""
    why = "by hand" if change.scope.kind == "lane" else f"by hand, {label(change.scope)}"
    return [
        LimitChange(at_s=at_s, what=step.what, old=step.old, new=step.new, why=why) for step in change.steps
    ]
