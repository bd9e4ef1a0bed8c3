"""How many retries a lane may send, so that a server in trouble does not get more requests than it gets in health.

Workers whose requests fail at once would otherwise come back after half a second each, ten times as often as when
every answer takes its five seconds. What the server itself asked for (a 429, a wait in a header) is not counted
here: it is paced by what it said.
"""

from __future__ import annotations

from typing import Final

from console.engine.gates import NS_PER_S

SHARE: Final = 0.10
"""Of the first tries."""
HEALTHY_SHARE: Final = 0.5
"""Of the requests per second that the lane sends in health: those who only wait for retries get on at this pace."""
FLOOR_PER_S: Final = 0.2
_MOST: Final = 100.0
_START: Final = 10.0
_FIRST_GUESS_S: Final = 3.0
_WEIGHT: Final = 0.05
_SHORTEST_WAIT_S: Final = 0.001
"""Of what a rounding leaves over a clock may never come round: virtual time does not go on by less than it can tell."""


class RetryBudget:
    """A tenth of a lane's first tries, and half its healthy rate besides.

    Empty, it says *wait*, never *fail*: no test is lost to it.
    """

    def __init__(self, now_ns: int) -> None:
        self._left = _START
        self._at_ns = now_ns
        self._answered_in_s = _FIRST_GUESS_S
        self._at_once = 1

    def sent(self, in_flight: int, *, first: bool) -> None:
        """Note a request that is sent, and how many are in flight with it."""
        if first:
            self._left = min(_MOST, self._left + SHARE)
        self._at_once = max(self._at_once, in_flight)

    def answered(self, seconds: float) -> None:
        """Note how long a complete answer took."""
        self._answered_in_s += _WEIGHT * (seconds - self._answered_in_s)

    @property
    def per_second(self) -> float:
        """Retries that come back by themselves."""
        return max(FLOOR_PER_S, HEALTHY_SHARE * self._at_once / max(0.01, self._answered_in_s))

    def take(self, now_ns: int) -> float:
        """Take one retry and return 0.0 if there is one, else return after how many seconds there is."""
        elapsed_ns = max(0, now_ns - self._at_ns)
        self._at_ns += elapsed_ns
        self._left = min(_MOST, self._left + self.per_second * elapsed_ns / NS_PER_S)
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return max(_SHORTEST_WAIT_S, (1.0 - self._left) / self.per_second)
