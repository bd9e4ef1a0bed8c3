"""The figures of the last ten minutes, a sample every five seconds, so that who attaches late sees a curve."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from console.vocabulary.inspection import History, Point
from console.vocabulary.lane import together

STEP_S: Final = 5.0
SAMPLES: Final = 121
"""Both ends of ten minutes."""
_MOST_POINTS: Final = 24_000
"""Of lanes in one reply, which takes some 10 ms to write: with many lanes each one's curve is shorter."""
_FEWEST: Final = 25
"""Points that each lane has: two minutes."""


class HistoryRing:
    """Samples of all lanes of a run, made into curves when somebody asks."""

    def __init__(self, lane_ids: Sequence[str]) -> None:
        """Keep samples of these lanes, in this order."""
        self._ids = tuple(lane_ids)
        self._samples: deque[tuple[Point, Sequence[Point]]] = deque(maxlen=SAMPLES)
        """All lanes together, and each by itself."""
        self._busy_at = [-SAMPLES] * len(self._ids)
        """Number of the last sample in which a lane had anything."""
        self._taken = 0

    def add(self, at_s: float, lanes: Sequence[Point]) -> None:
        """Take a sample of all lanes, `at_s` seconds after the start."""
        taken, busy_at = self._taken, self._busy_at
        for index, lane in enumerate(lanes):
            if lane.in_flight or lane.rate or lane.errors_per_s:
                busy_at[index] = taken
        total = Point(
            at_s,
            sum([lane.in_flight for lane in lanes]),
            round(sum([lane.rate for lane in lanes]), 2),
            round(sum([lane.tokens_per_s for lane in lanes]), 1),
            round(sum([lane.errors_per_s for lane in lanes]), 3),
            together([lane.limit for lane in lanes]),
        )
        self._samples.append((total, lanes))
        self._taken += 1

    def history(self) -> History:
        """Return the curves of the whole and of the lanes that had anything."""
        first = self._taken - len(self._samples)
        busy = [index for index, last in enumerate(self._busy_at) if last >= first]
        length = max(_FEWEST, _MOST_POINTS // max(1, len(busy)))
        samples = [lanes for _, lanes in islice(self._samples, max(0, len(self._samples) - length), None)]
        return History(
            step_s=STEP_S,
            total=tuple([total for total, _ in self._samples]),
            lanes={self._ids[index]: tuple([lanes[index] for lanes in samples]) for index in busy},
        )
