"""The figures of the last minutes: what the engine remembers at first, then what each look adds at the same step. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from console.screens.live.lanes import most_in_flight
from console.vocabulary.inspection import History, Point
from console.vocabulary.outcome import Outcome
from console.vocabulary.snapshot import LaneView, Snapshot

KEPT_S: Final = 600.0
STEP_S: Final = 5.0
"""Where the engine does not say."""
_TOTAL: Final = ""
_QUIET: Final = (Outcome.OK, Outcome.CANCELLED)


class Recollection:
    """Points of all lanes together and of each one, oldest first."""

    def __init__(self) -> None:
        self.step_s = STEP_S
        self._points: dict[str, list[Point]] = {}
        self._counted: dict[str, tuple[float, int]] = {}
        """Bad ends so far, and when."""

    @property
    def total(self) -> Sequence[Point]:
        """Of all lanes together."""
        return self._points.get(_TOTAL, ())

    def lane(self, lane_id: str) -> Sequence[Point]:
        """Of one lane."""
        return self._points.get(lane_id, ())

    def take(self, history: History) -> None:
        """Begin with what the engine remembers."""
        self.step_s = history.step_s if history.step_s > 0 else STEP_S
        self._points = {_TOTAL: list(history.total), **{name: list(of) for name, of in history.lanes.items()}}

    def add(self, snapshot: Snapshot) -> bool:
        """Add a point where the step is over; return whether it was."""
        now_s = snapshot.elapsed_s
        total = self._points.setdefault(_TOTAL, [])
        counted = _bad(snapshot.requests)
        if _TOTAL not in self._counted:
            self._count(snapshot, counted)
        if total and now_s < total[-1].at_s + self.step_s:
            return False
        limit = None
        rate = (snapshot.in_flight, snapshot.rate, snapshot.tokens_per_s)
        self._append(_TOTAL, Point(now_s, *rate, self._errors_per_s(_TOTAL, now_s, counted), limit))
        for lane in snapshot.lanes:
            name = lane.lane_id
            errors = self._errors_per_s(name, now_s, lane.rate_limited + lane.errors)
            point = Point(now_s, lane.in_flight, lane.rate, lane.tokens_per_s, errors, most_in_flight(lane))
            self._append(name, point)
        self._count(snapshot, counted)
        return True

    def _append(self, name: str, point: Point) -> None:
        points = self._points.setdefault(name, [])
        points.append(point)
        while points[0].at_s < point.at_s - KEPT_S:
            del points[0]

    def _count(self, snapshot: Snapshot, total: int) -> None:
        self._counted = {lane.lane_id: (snapshot.elapsed_s, _bad_of(lane)) for lane in snapshot.lanes}
        self._counted[_TOTAL] = (snapshot.elapsed_s, total)

    def _errors_per_s(self, name: str, now_s: float, count: int) -> float:
        at_s, before = self._counted.get(name, (now_s, count))
        return max(0, count - before) / (now_s - at_s) if now_s > at_s else 0.0


def _bad(requests: Mapping[str, int]) -> int:
    return sum(count for outcome, count in requests.items() if outcome not in _QUIET)


def _bad_of(lane: LaneView) -> int:
    return lane.rate_limited + lane.errors
