"""Which job may start now, and on which key: a pure state machine, driven by the engine and by anything that
looks ahead.

Jobs are ordered by pairs. Two jobs are held against one another axis by axis, the outermost first; the first
axis on which they differ and that is in series decides which goes first. If they differ only on axes that run
side by side, neither waits for the other and a stagger keeps their starts apart.

A job that leases a key starts when one of its keys is free. Keys go to jobs first come, first served: by when a
job had no other job to wait for any more. One that finds no key free holds up nobody behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from console.phases.key_pool import KeyPool, Lendable, always
from console.phases.plan import Plan
from console.vocabulary.lane import LeaseRule

NS_PER_S: Final = 1_000_000_000


class Order:
    """Tracks which jobs are started and done, and who holds which key. Reads no clock: it is told the time in ns."""

    def __init__(
        self,
        before: Sequence[frozenset[int]],
        stagger_ns: Sequence[int],
        wants: Sequence[tuple[str, ...] | None] | None = None,
        *,
        models: Sequence[str] | None = None,
        rules: Mapping[str, LeaseRule] | None = None,
    ) -> None:
        """Take, per job, the jobs that must be done before it, its stagger, and the keys that it may lease.

        Args:
            before: for each job the indices of those that must be done first.
            stagger_ns: for each job the least time between its start and the last start of a job side by side.
            wants: for each job the keys of which it leases one, the one preferred first; None: it leases none.
            models: for each job its model, for keys that are lent to a model.
            rules: of keys, who may hold them; absent: one job.

        Raises:
            ValueError: if a job waits for itself, for a later one, or for one that does not exist.
        """
        for index, earlier in enumerate(before):
            if any(other < 0 or other >= index for other in earlier):
                raise ValueError(f"job {index} waits for a job that is not before it")
        count = len(before)
        self._before = [set(earlier) for earlier in before]
        self._all_before = [frozenset(earlier) for earlier in before]
        self._stagger_ns = list(stagger_ns)
        self._pool = KeyPool(wants or [None] * count, models or [""] * count, rules or {})
        self._started: dict[int, int] = {}
        self._ready = dict.fromkeys(index for index in range(count) if not before[index])
        """Jobs not started that wait for no other, first come first."""
        self._bereft: dict[int, None] = {}
        """Jobs started whose key was taken from them; they come before all others."""
        self._done: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether every job is done."""
        return len(self._done) == len(self._before)

    def started_ns(self, job: int) -> int | None:
        """Return when `job` started, or None if it has not."""
        return self._started.get(job)

    def earliest_ns(self, job: int) -> int | None:
        """Return when `job` may start as far as is known now (0: at once), or None while it waits for another.

        Its key, if it leases one, is not looked at: `waits_for_key` says so.
        """
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

    def startable(self, now_ns: int, lendable: Lendable = always) -> int | None:
        """Return the job that is next to start, if one may start now; call `start` before asking again.

        Keys that a job of `relendable` would get are not offered to others.

        Args:
            now_ns: the time.
            lendable: says whether a key may be lent to a further holder.
        """
        reserved = self._reserved(lendable)
        for job in self._ready:
            earliest = self.earliest_ns(job)
            if earliest is not None and earliest <= now_ns and self._has_key(job, lendable, reserved):
                return job
        return None

    def next_start_ns(self, lendable: Lendable = always) -> int | None:
        """Return when the next staggered job may start, or None if only the end of a job, or a key, can free one."""
        reserved = self._reserved(lendable)
        times = [
            time
            for job in self._ready
            if (time := self.earliest_ns(job)) is not None and self._has_key(job, lendable, reserved)
        ]
        return min(times, default=None)

    def start(self, job: int, now_ns: int, lendable: Lendable = always) -> str | None:
        """Note that `job` has started, and return the key that it leases; None if it leases none.

        Raises:
            ValueError: if it has started, waits for another job, or finds no key.
        """
        if job in self._started or job not in self._ready:
            raise ValueError(f"job {job} may not start")
        key = self._lend(job, lendable, self._reserved(lendable))
        self._started[job] = now_ns
        del self._ready[job]
        return key

    def finish(self, job: int) -> None:
        """Note that `job` is done, or given up without a start, which may free others; its key goes back."""
        self._pool.release(job)
        self._ready.pop(job, None)
        self._bereft.pop(job, None)
        self._done.add(job)
        for index, waiting in enumerate(self._before):
            if job in waiting:
                waiting.discard(job)
                if not waiting and index not in self._done:
                    self._ready[index] = None

    # Keys

    def key_off(self, key: str) -> tuple[int, ...]:
        """Take a key out of the pool, and return the jobs that lose it: they wait, first of all, for another."""
        losers = self._pool.off(key)
        self._bereft.update(dict.fromkeys(losers))
        return losers

    def key_on(self, key: str) -> None:
        """Put a key back into the pool."""
        self._pool.on(key)

    def shut(self, job: int, key: str) -> None:
        """Note that a key serves a job no more, though it may serve others; if it has it, it waits for another one."""
        if self._pool.shut(job, key):
            self._bereft[job] = None

    def open(self, job: int, key: str) -> None:
        """Note that a key serves a job again."""
        self._pool.open(job, key)

    def wanted(self, now_ns: int) -> tuple[str, ...]:
        """Return the keys that jobs could take now: those who wait ask for every key that would do for them."""
        due = [job for job in self._ready if (at := self.earliest_ns(job)) is not None and at <= now_ns]
        return tuple(
            dict.fromkeys(key for job in (*self._bereft, *due) for key in self._pool.could_have(job))
        )

    def relendable(self, lendable: Lendable = always) -> int | None:
        """Return the first job without its key that can have another one now; call `relend` before asking again."""
        return next((job for job in self._bereft if self._pool.free(job, lendable) is not None), None)

    def relend(self, job: int, lendable: Lendable = always) -> str:
        """Lend another key to a job that lost its own, and return it.

        Raises:
            ValueError: if it lost none, or none is free.
        """
        if job not in self._bereft:
            raise ValueError(f"job {job} did not lose its key")
        key = self._lend(job, lendable)
        assert key is not None
        del self._bereft[job]
        return key

    def stranded(self) -> tuple[int, ...]:
        """Return the jobs that wait for nothing but a key while all their keys are off; `finish` gives one up."""
        return tuple(job for job in (*self._bereft, *self._ready) if self._pool.hopeless(job))

    def waits_for_key(self, job: int, lendable: Lendable = always) -> bool:
        """Whether a job waits for a key: for its first one, the stagger apart, or for another."""
        if job in self._bereft:
            return True
        return job in self._ready and not self._has_key(job, lendable, self._reserved(lendable))

    def key_of(self, job: int) -> str | None:
        """Return the key that a job holds."""
        return self._pool.key_of(job)

    def holders(self, key: str) -> tuple[int, ...]:
        """Return the jobs that hold a key, the first one first."""
        return self._pool.holders(key)

    def leases(self) -> dict[int, str]:
        """Return job → key of all that is lent."""
        return self._pool.leases

    # Inside

    def _has_key(self, job: int, lendable: Lendable, reserved: Iterable[str]) -> bool:
        return not self._pool.wants(job) or self._pool.free(job, lendable, frozenset(reserved)) is not None

    def _reserved(self, lendable: Lendable) -> frozenset[str]:
        """Return the keys that those get who lost theirs."""
        reserved: set[str] = set()
        for job in self._bereft:
            key = self._pool.free(job, lendable, reserved)
            if key is not None:
                reserved.add(key)
        return frozenset(reserved)

    def _lend(self, job: int, lendable: Lendable, reserved: frozenset[str] = frozenset()) -> str | None:
        if not self._pool.wants(job):
            return None
        key = self._pool.free(job, lendable, reserved)
        if key is None:
            raise ValueError(f"job {job} may not start: it finds no key")
        self._pool.grant(job, key)
        return key


def order_of(plan: Plan) -> Order:
    """Return the order of a plan's jobs, nothing started yet."""
    return Order(
        [frozenset(job.before) for job in plan.jobs],
        [round(job.stagger_s * NS_PER_S) for job in plan.jobs],
        [job.lease for job in plan.jobs],
        models=[job.model for job in plan.jobs],
        rules=plan.leases,
    )
