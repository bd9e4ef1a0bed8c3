"""Which job may start now: a pure state machine, driven by the engine and by anything that looks ahead.

Jobs are ordered by pairs. Two jobs are held against one another axis by axis, the outermost first; the first
axis on which they differ and that is in series decides which goes first. If they differ only on axes that run
side by side, neither waits for the other and a stagger keeps their starts apart.
"""

from __future__ import annotations

from collections.abc import Sequence


class Order:
    """Tracks which jobs are started and done. Reads no clock: every call is told the time in ns."""

    def __init__(self, before: Sequence[frozenset[int]], stagger_ns: Sequence[int]) -> None:
        """Take, per job, the jobs that must be done before it, and its stagger.

        Args:
            before: for each job the indices of those that must be done first.
            stagger_ns: for each job the least time between its start and the last start of a job side by side.

        Raises:
            ValueError: if a job waits for itself, for a later one, or for one that does not exist.
        """
        for index, earlier in enumerate(before):
            if any(other < 0 or other >= index for other in earlier):
                raise ValueError(f"job {index} waits for a job that is not before it")
        self._before = [set(earlier) for earlier in before]
        self._all_before = [frozenset(earlier) for earlier in before]
        self._stagger_ns = list(stagger_ns)
        self._started: dict[int, int] = {}
        self._waiting = dict.fromkeys(range(len(before)))
        """Jobs not started, in order."""
        self._done: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether every job is done."""
        return len(self._done) == len(self._before)

    def earliest_ns(self, job: int) -> int | None:
        """Return when `job` may start as far as is known now (0: at once), or None while it waits for another."""
        if self._before[job]:
            return None
        stagger = self._stagger_ns[job]
        if not stagger:
            return 0
        # Starts are noted in the order of time, so the last one side by side is the one that matters.
        for other in reversed(self._started):
            if other not in self._all_before[job] and job not in self._all_before[other]:
                return self._started[other] + stagger
        return 0

    def startable(self, now_ns: int) -> int | None:
        """Return the first job that may start now; call `start` before asking again."""
        for job in self._waiting:
            earliest = self.earliest_ns(job)
            if earliest is not None and earliest <= now_ns:
                return job
        return None

    def next_start_ns(self) -> int | None:
        """Return when the next staggered job may start, or None if only the end of a job can free one."""
        times = [time for job in self._waiting if (time := self.earliest_ns(job)) is not None]
        return min(times, default=None)

    def start(self, job: int, now_ns: int) -> None:
        """Note that `job` has started."""
        if job in self._started or self._before[job]:
            raise ValueError(f"job {job} may not start")
        self._started[job] = now_ns
        del self._waiting[job]

    def finish(self, job: int) -> None:
        """Note that `job` is done, which may free others."""
        self._done.add(job)
        for waiting in self._before:
            waiting.discard(job)
