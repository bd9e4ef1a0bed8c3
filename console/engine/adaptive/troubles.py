"""What part of the requests that ended lately failed, by kind."""

from __future__ import annotations

from collections import deque
from typing import Final

from console.engine.adaptive.signals import Says
from console.engine.gates import NS_PER_S

KEPT_S: Final = 20
_COLUMNS: Final = {Says.FAULT: 2, Says.OVERLOADED: 3, Says.TIMEOUT: 4}


class Troubles:
    """Faults, overload and timeouts among the requests that ended in the last 20 s."""

    def __init__(self) -> None:
        self._sums = [0, 0, 0, 0, 0]
        """In place of a second 0; ended; then by kind."""
        self._seconds: deque[list[int]] = deque()

    def add(self, now_ns: int, says: Says) -> None:
        """Count a request that ended."""
        second = now_ns // NS_PER_S
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0, 0, 0])
            self.forget(now_ns)
        row, sums = self._seconds[-1], self._sums
        row[1] += 1
        sums[1] += 1
        column = _COLUMNS.get(says)
        if column is not None:
            row[column] += 1
            sums[column] += 1

    def forget(self, now_ns: int) -> None:
        """Drop what is too old."""
        oldest = now_ns // NS_PER_S - KEPT_S
        while self._seconds and self._seconds[0][0] <= oldest:
            row = self._seconds.popleft()
            for column in range(1, 5):
                self._sums[column] -= row[column]

    def count(self, says: Says) -> int:
        """Count those of one kind."""
        return self._sums[_COLUMNS[says]]

    def share(self, says: Says) -> float:
        """Return the part that they are of all."""
        return self._sums[_COLUMNS[says]] / self._sums[1] if self._sums[1] else 0.0

    @property
    def freezes(self) -> bool:
        """Whether so much fails that it is no time to try for more."""
        return self._sums[1] >= 10 and sum(self._sums[2:]) >= 0.10 * self._sums[1]
