"""Those who wait for their answers, woken a few in each turn of the event loop.

Where hundreds of streams end together, what their requests have still to do (result, row, next request) would keep
the loop from its sockets for tens of milliseconds, and all chunks that arrive meanwhile would be read late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

_A_TURN: Final = 16
"""Requests that go on between two looks at the sockets; each takes 50 to 100 µs."""


class Wakes:
    """Wakes waiters in the order in which their answers ended; at once, where few end together."""

    __slots__ = ("_left", "_turning", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._left = _A_TURN
        """How many more may be woken in this turn."""
        self._turning = False
        """Whether `_next_turn` is going to be called."""

    def wake(self, waiter: asyncio.Future[Any]) -> None:
        """Give `waiter` its None now, or in one of the next turns."""
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._next_turn)
        if self._left:
            self._left -= 1
            waiter.set_result(None)
        else:
            self._waiting.append(waiter)

    def _next_turn(self) -> None:
        self._left = _A_TURN
        while self._left and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._left -= 1
                waiter.set_result(None)
        self._turning = self._left < _A_TURN
        if self._turning:
            asyncio.get_running_loop().call_soon(self._next_turn)
