"""How many retries a lane may send: a part of what it sends anyway."""

from __future__ import annotations

from typing import Final

SHARE: Final = 0.10
FLOOR_PER_S: Final = 0.2
_MOST: Final = 100.0
_START: Final = 10.0
_ONE: Final = 1.0 - 1e-9
"""Ten tenths are one, whatever binary fractions make of them."""


class RetryBudget:
    """A tenth of a lane's first tries, and one retry in five seconds at least.

    Empty, it says *wait*, never *fail*: the request stays where it is, without a slot of the gates, and goes when
    `wait_s` is over. So a server in trouble gets 1.1 requests for each that is wanted and not five, and no test is
    lost to it; where everything fails, the floor and the lane's own rest between probes pace what is left.
    """

    def __init__(self, now_ns: int) -> None:
        self._left = _START
        self._at_ns = now_ns

    def sent(self) -> None:
        """Note a first try."""
        self._left = min(_MOST, self._left + SHARE)

    def take(self, now_ns: int) -> bool:
        """Take one retry if there is one; False: ask again after `wait_s`."""
        self._earn(now_ns)
        if self._left < _ONE:
            return False
        self._left -= 1.0
        return True

    def wait_s(self, now_ns: int) -> float:
        """Return for how long to wait at most: first tries of others may fill the budget before."""
        self._earn(now_ns)
        return max(0.0, 1.0 - self._left) / FLOOR_PER_S

    def _earn(self, now_ns: int) -> None:
        elapsed_ns = max(0, now_ns - self._at_ns)
        self._at_ns = max(self._at_ns, now_ns)
        self._left = min(_MOST, self._left + FLOOR_PER_S * elapsed_ns / 1_000_000_000)
