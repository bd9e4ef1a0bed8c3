"""The workers of one job on one lane: loops that hold a worker slot while they play a test."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Protocol

import anyio
from anyio.abc import TaskGroup

from console.engine.lane_runtime import LaneRuntime
from console.engine.slots import Slots
from console.phases.plan import Shard

_LONG_REST_S: Final = 2.0
"""A longer back-off gives the worker slot back."""
_MANY: Final = 1000
"""Tests asked for at a time where workers are not limited."""


class WorkOfJob(Protocol):
    """A job as its shards see it."""

    def next_test(self, shard: ShardRun) -> str | None:
        """Take the next test for a shard, if there is one."""
        ...

    async def play(self, test: str, shard: ShardRun) -> None:
        """Play one attempt of a test and write its row."""
        ...

    def refill(self) -> None:
        """Start workers for what waits."""
        ...

    def ask(self) -> None:
        """Ask for tests, where they come from elsewhere."""
        ...


class ShardRun:
    """The workers of one job on one lane. A worker is a loop that holds a slot while it plays a test."""

    def __init__(self, job: WorkOfJob, job_id: str, shard: Shard, lane: LaneRuntime, own: deque[str]) -> None:
        self._job = job
        self.shard = shard
        self.lane = lane
        self.own = own
        self._slots: Slots = lane.slots(job_id)
        self.closed = False
        """Whether its job holds another key: it begins no test."""
        self._workers = 0
        self._coming = 0
        """Workers that have not pulled a test yet."""
        self._resting = 0
        self._playing: dict[anyio.CancelScope, None] = {}
        self._group: TaskGroup | None = None

    def start(self, group: TaskGroup) -> None:
        """Let it have workers from now on."""
        self._group = group

    def has_room(self) -> bool:
        """Whether the limit admits another worker."""
        limit = self._slots.limit
        if self._group is None or self.lane.off or self.closed:
            return False
        return limit is None or self._workers - self._resting < limit

    @property
    def free(self) -> int:
        """Workers that it might have more."""
        limit = self._slots.limit
        if self._group is None or self.lane.off or self.closed:
            return 0
        return _MANY if limit is None else max(0, limit - (self._workers - self._resting))

    @property
    def at_hand(self) -> int:
        """Tests to have waiting, so that no worker waits for the next one to be sent over."""
        limit = self._slots.limit
        if self._group is None or self.lane.off or self.closed:
            return 0
        return _MANY if limit is None else max(1, limit // 8)

    def own_waiting(self) -> bool:
        """Whether tests dealt to it wait for a worker that is not on its way yet."""
        return len(self.own) > self._coming

    def add_worker(self) -> None:
        """Start one worker."""
        assert self._group is not None
        self._workers += 1
        self._coming += 1
        self._group.start_soon(self._work_loop)

    async def _work_loop(self) -> None:
        coming = True
        try:
            while True:
                await self._slots.acquire()
                self._coming -= coming
                coming = False
                try:
                    if self.lane.off or self.closed or self._surplus():
                        return
                    test = self._job.next_test(self)
                    if test is None:
                        return
                    await self._job.play(test, self)
                finally:
                    self._slots.release()
        finally:
            self._workers -= 1
            self._coming -= coming
            if self.lane.off:
                self._job.refill()
            else:
                self._job.ask()

    @property
    def in_play(self) -> int:
        """Tests that are being played."""
        return len(self._playing)

    @contextmanager
    def playing(self) -> Generator[anyio.CancelScope]:
        """Play a test within: it can be broken off."""
        with anyio.CancelScope() as scope:
            self._playing[scope] = None
            try:
                yield scope
            finally:
                del self._playing[scope]

    def break_off(self) -> None:
        """Cancel the tests that are being played."""
        for scope in self._playing:
            scope.cancel()

    def _surplus(self) -> bool:
        limit = self._slots.limit
        return limit is not None and self._workers - self._resting > limit

    async def rest(self, seconds: float) -> None:
        """Wait out a back-off; over a long one another test has the slot, and this one is first to get it back."""
        if seconds <= _LONG_REST_S:
            await anyio.sleep(seconds)
            return
        self._slots.release()
        self._resting += 1
        try:
            self._job.refill()
            await anyio.sleep(seconds)
            await self._slots.acquire(ahead=True)
        except BaseException:
            # Cancelled without the slot that the worker loop is about to release.
            self._slots.overdraw()
            raise
        finally:
            self._resting -= 1
