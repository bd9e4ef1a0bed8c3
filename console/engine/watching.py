"""What an engine tells of single lanes and of its last minutes. Nobody asks, nothing is made but samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import anyio

from console.engine.gates import NS_PER_S, NowNs
from console.engine.history import STEP_S, HistoryRing
from console.engine.lane_runtime import LaneRuntime
from console.engine.lane_view import gate_view, lane_detail
from console.engine.limit_book import unknown_lane
from console.vocabulary.command import Refused
from console.vocabulary.inspection import GateView, History, LaneDetail, Point
from console.vocabulary.lane import Lane, outer_scopes


class Watching:
    """Answers those who look closer. `run` as long as the engine, where the last minutes are kept."""

    def __init__(
        self,
        lanes: Iterable[LaneRuntime],
        now_ns: NowNs,
        start_ns: int,
        *,
        jobs_on: Callable[[LaneRuntime], Iterable[str]] = lambda lane: (),
        holders: Callable[[], Mapping[str, str]] = dict[str, str],
        keeps: bool = False,
    ) -> None:
        """Watch `lanes`.

        Args:
            lanes: those of the engine.
            now_ns: the clock.
            start_ns: the time that figures count from.
            jobs_on: returns the titles of the jobs with tests on a lane.
            holders: returns key → the jobs that hold it.
            keeps: whether the last minutes are kept.
        """
        self._lanes = {lane.lane.id: lane for lane in lanes}
        self._now_ns = now_ns
        self._start_ns = start_ns
        self._jobs_on = jobs_on
        self._holders = holders
        self._ring = HistoryRing(list(self._lanes)) if keeps else None
        self._before = [(0.0, 0.0, 0)] * len(self._lanes)
        """Of each lane: requests sent, tokens, failures, at the last sample."""
        self._sampled_ns = start_ns
        self._meters = [
            (lane, lane.limits, lane.sends, lane.tokens, lane.recent) for lane in self._lanes.values()
        ]

    async def run(self) -> None:
        """Sample until cancelled."""
        if self._ring is None:
            return
        self._sampled_ns = self._now_ns()
        while True:
            await anyio.sleep(STEP_S)
            self.sample(self._ring)

    def sample(self, ring: HistoryRing) -> None:
        """Take one sample: what came since the last one, per second."""
        now_ns = self._now_ns()
        at_s = round((now_ns - self._start_ns) / NS_PER_S, 3)
        seconds = max(
            0.01, round((now_ns - self._sampled_ns) / NS_PER_S, 2)
        )  # of short figures, as counts are whole
        before, self._sampled_ns = self._before, now_ns
        points: list[Point] = []
        for index, (lane, limits, sends, made, recent) in enumerate(self._meters):
            sent, tokens, failed = counted = (sends.total, made.total, recent.failed)
            last = before[index]
            rate = tokens_per_s = errors_per_s = 0.0
            if counted != last:
                before[index] = counted
                rate = (sent - last[0]) / seconds
                tokens_per_s = (tokens - last[1]) / seconds
                errors_per_s = (failed - last[2]) / seconds
            points.append(
                Point(at_s, lane.in_flight, rate, tokens_per_s, errors_per_s, limits.most_in_flight)
            )
        ring.add(at_s, points)

    def inspect(self, lane_id: str) -> LaneDetail | Refused:
        """Return everything about one lane."""
        lane = self._lanes.get(lane_id)
        if lane is None:
            return unknown_lane(lane_id, list(self._lanes))
        jobs = self._jobs_on(lane)
        return lane_detail(lane, self._now_ns(), self._start_ns, self._holders(), jobs)

    def gates(self, lane: Lane) -> tuple[GateView, ...]:
        """Return the gates here that requests of `lane` would pass, which other processes have a part of."""
        wanted = outer_scopes(lane)
        shared = {gate.scope: gate for each in self._lanes.values() for gate in each.limits.shared}
        return tuple(gate_view(shared[scope]) for scope in wanted if scope in shared)

    def recall(self) -> History | Refused:
        """Return the figures of the last minutes."""
        return Refused("nobody keeps figures here") if self._ring is None else self._ring.history()
