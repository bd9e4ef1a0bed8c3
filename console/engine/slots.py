"""Worker slots of a lane, which tests hold from their first to their last turn."""

from __future__ import annotations

from collections import deque

import anyio


class Slots:
    """Slots handed out first come, first served. The limit may change; lowering it never preempts."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.in_use = 0
        self._waiters: deque[anyio.Event] = deque()

    @property
    def limit(self) -> int | None:
        """The limit now; None: unlimited."""
        return self._limit

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiters)

    @property
    def free(self) -> bool:
        """Whether a slot may be taken at once: there is one, and nobody waits for it."""
        return not self._waiters and (self._limit is None or self.in_use < self._limit)

    def take_free(self) -> bool:
        """Take a slot if that needs no waiting; False: it does."""
        if not self.free:
            return False
        self.in_use += 1
        return True

    async def acquire(self, *, ahead: bool = False) -> None:
        """Take a slot, waiting for one if need be; `ahead` waits before all others."""
        if self.take_free():
            return
        event = anyio.Event()
        if ahead:
            self._waiters.appendleft(event)
        else:
            self._waiters.append(event)
        try:
            await event.wait()
        except BaseException:
            if event.is_set():
                self.release()  # the slot was handed over while we were being cancelled
            else:
                self._waiters.remove(event)
            raise

    def release(self) -> None:
        """Give a slot back, to the first who waits if the limit admits one."""
        self.in_use -= 1
        self._grant()

    def overdraw(self) -> None:
        """Take a slot whether or not there is one: for a holder that is cancelled while it has lent its own."""
        self.in_use += 1

    def set_limit(self, limit: int | None) -> None:
        """Change the limit; those who wait are let in at once as far as it now admits."""
        self._limit = limit
        self._grant()

    def _grant(self) -> None:
        while self._waiters and (self._limit is None or self.in_use < self._limit):
            self.in_use += 1
            self._waiters.popleft().set()
