"""What a coordinator tells of single lanes and of its last minutes, by what its processes say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import anyio

from console.engine.gates import NS_PER_S, NowNs
from console.engine.history import STEP_S, HistoryRing
from console.engine.limit_book import unknown_lane
from console.processes.child import Child
from console.processes.merge_detail import merge_detail
from console.processes.messages import AboutLane, Seen
from console.vocabulary.command import Refused
from console.vocabulary.inspection import History, LaneDetail, LimitChange, Point
from console.vocabulary.lane import Lane, least
from console.vocabulary.snapshot import LaneView


class Looking:
    """Asks processes about lanes, and keeps the history of all of them together."""

    def __init__(
        self, lanes: Sequence[Lane], children: Mapping[int, Child], now_ns: NowNs, start_ns: int
    ) -> None:
        """Look at `lanes`, which `children` have parts of: those that live at the time."""
        self._lanes = {lane.id: lane for lane in lanes}
        self._children = children
        self._now_ns = now_ns
        self._start_ns = start_ns
        self._ring = HistoryRing(list(self._lanes))
        self._failed = dict.fromkeys(self._lanes, 0)
        """Failures of each lane at the last sample."""

    async def inspect(
        self, lane_id: str, remains: Sequence[Seen], by_hand: Sequence[LimitChange]
    ) -> LaneDetail | Refused:
        """Return everything about one lane, as its processes tell it now.

        Args:
            lane_id: the lane.
            remains: what is left of processes that are gone.
            by_hand: what somebody changed of its limits.
        """
        lane = self._lanes.get(lane_id)
        if lane is None:
            return unknown_lane(lane_id, list(self._lanes))
        told: list[AboutLane] = []

        async def ask(child: Child) -> None:
            if (about := await child.about(lane)) is not None:
                told.append(about)

        async with anyio.create_task_group() as group:
            for child in self._children.values():
                group.start_soon(ask, child)
        living = [child.seen for child in self._children.values() if child.seen is not None]
        detail = merge_detail(lane_id, told, living, remains, by_hand)
        return Refused("no engine process tells of it now") if detail is None else detail

    def recall(self) -> History:
        """Return the figures of the last minutes."""
        return self._ring.history()

    async def keep_history(self, look: Callable[[], Sequence[LaneView]]) -> None:
        """Sample what `look` returns, for as long as the run lasts."""
        while True:
            await anyio.sleep(STEP_S)
            at_s = round((self._now_ns() - self._start_ns) / NS_PER_S, 3)
            views = {view.lane_id: view for view in look()}
            self._ring.add(at_s, [self._point(at_s, lane_id, views.get(lane_id)) for lane_id in self._lanes])

    def _point(self, at_s: float, lane_id: str, view: LaneView | None) -> Point:
        if view is None:
            return Point(at_s)
        failed = view.errors + view.rate_limited
        since, self._failed[lane_id] = max(0, failed - self._failed[lane_id]), failed
        return Point(
            at_s,
            view.in_flight,
            round(view.rate, 2),
            round(view.tokens_per_s, 1),
            round(since / STEP_S, 3),
            least(view.workers, view.window),
        )
