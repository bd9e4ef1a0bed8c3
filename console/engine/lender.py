"""Which jobs start now and on which keys: the order of jobs, driven with what lanes and other runs allow.

Within this run the order lends keys to jobs. A key is asked for from the other runs of the machine when a job is
about to get it, and given back when no job of this run has it any more, so that two runs take turns job by job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from console.engine.board import job_view
from console.engine.gates import NS_PER_S
from console.phases.order import order_of
from console.phases.plan import Plan
from console.vocabulary.snapshot import JobState, JobView

_ASK_AGAIN_NS: Final = NS_PER_S
"""A key that another run has is asked for this often."""


class Keys(Protocol):
    """The keys that this run shares with others on this machine."""

    def ask(self, key: str, now_ns: int) -> bool:
        """Ask for a key, or ask again, and return whether this run has it. Whoever asked first gets it first."""
        ...

    def give_back(self, key: str, now_ns: int) -> None:
        """Let others have a key, or ask for it no more."""
        ...

    def still_ours(self, key: str, now_ns: int) -> bool:
        """Say that a key is in use still, and return whether this run may go on using it; about every second."""
        ...

    def holder(self, key: str, now_ns: int) -> str:
        """Return who has a key that this run waits for, in words."""
        ...


class Given(NamedTuple):
    """A job that starts, or goes on, and the key that it holds from now on; None: it leases none."""

    job: int
    key: str | None
    fresh: bool
    """Whether it starts."""


class Lender:
    """Starts the jobs of a plan in their order and lends them keys. Reads no clock."""

    def __init__(self, plan: Plan, keys: Keys | None) -> None:
        """Lend what `keys` gives to this run; without it the run has all keys to itself."""
        self.order = order_of(plan)
        self._plan = plan
        self._keys = keys
        self._ours: set[str] = set()
        """Keys that other runs leave to this one."""
        self._asked: dict[str, None] = {}

    def turn(self, now_ns: int) -> list[Given]:
        """Return what may begin now: jobs that lost their key first, then those whose turn it is."""
        self._give_back(now_ns)  # who waits for a key of a job that ended comes before the next one of ours
        self._ask(now_ns)
        given: list[Given] = []
        while (job := self.order.relendable(self._lendable)) is not None:
            given.append(Given(job, self.order.relend(job, self._lendable), fresh=False))
        while (job := self.order.startable(now_ns, self._lendable)) is not None:
            given.append(Given(job, self.order.start(job, now_ns, self._lendable), fresh=True))
        self._give_back(now_ns)
        return given

    def finish(self, job: int) -> None:
        """Note that a job is done, or given up."""
        self.order.finish(job)

    def next_ns(self, now_ns: int) -> int | None:
        """Return when to call `turn` again, if not before something happens."""
        # A key that was not asked for yet is no reason to sleep on: it is asked for when its job is due.
        due_ns = self.order.next_start_ns(lambda key: self._lendable(key) or key not in self._asked)
        times = [] if due_ns is None else [due_ns]
        if self._asked or (due_ns is not None and due_ns <= now_ns):
            times = [time for time in times if time > now_ns] + [now_ns + _ASK_AGAIN_NS]
        return min(times, default=None)

    def lanes_changed(self, usable: Callable[[int, str], bool]) -> None:
        """Take in which keys still serve which jobs, as `usable(job, key)` says."""
        for job, wants in enumerate(self._plan.jobs):
            for key in wants.lease or ():
                if usable(job, key):
                    self.order.open(job, key)
                else:
                    self.order.shut(job, key)

    def lost(self, now_ns: int) -> list[str]:
        """Say that this run still uses its keys, and return those that it had no right to any more.

        That happens to a process that was stopped for a while. Jobs on such a key lose it and wait for one anew.
        """
        if self._keys is None:
            return []
        lost = [key for key in sorted(self._ours) if not self._keys.still_ours(key, now_ns)]
        for key in lost:
            self._ours.discard(key)
            self.order.key_off(key)
            self.order.key_on(key)
        return lost

    def waits_for_key(self, job: int) -> bool:
        """Whether a job waits for a key, of another job or of another run."""
        return self.order.waits_for_key(job, self._lendable)

    def waits_for(self, job: int, now_ns: int) -> str:
        """Return who has the key that a job waits for, in words; empty: it waits for none, or for a job of this run."""
        if self._keys is None or not self.order.waits_for_key(job, self._lendable):
            return ""
        wanted = [key for key in self._plan.jobs[job].lease or () if key in self._asked]
        return "; ".join(filter(None, (self._keys.holder(key, now_ns) for key in wanted[:1])))

    def view(self, job: int, state: JobState, done: int, key: str | None, now_ns: int) -> JobView:
        """Return the picture of one job, with what it waits for."""
        return job_view(
            self._plan.jobs[job],
            state,
            done,
            self.order.earliest_ns(job) if state == "waiting" else None,
            now_ns,
            key=key or "",
            waits_for_key=state != "done" and self.waits_for_key(job),
            held_by=self.waits_for(job, now_ns),
        )

    def close(self, now_ns: int) -> None:
        """Give everything back."""
        if self._keys is not None:
            for key in (*self._ours, *self._asked):
                self._keys.give_back(key, now_ns)
        self._ours.clear()
        self._asked.clear()

    # Inside

    def _lendable(self, key: str) -> bool:
        return self._keys is None or key in self._ours

    def _ask(self, now_ns: int) -> None:
        """Ask other runs for the keys that a job could take now, but no further than for one key a job."""
        if self._keys is None:
            return
        for key in self.order.wanted(now_ns):
            if key not in self._ours:
                self._asked[key] = None
                if self._keys.ask(key, now_ns):
                    self._ours.add(key)
                    del self._asked[key]

    def _give_back(self, now_ns: int) -> None:
        """Give back what no job has, and ask no more for what none wants."""
        if self._keys is None:
            return
        used = set(self.order.leases().values())
        wanted = set(self.order.wanted(now_ns))
        for key in [key for key in self._ours if key not in used]:
            self._keys.give_back(key, now_ns)
            self._ours.discard(key)
        for key in [key for key in self._asked if key not in wanted]:
            self._keys.give_back(key, now_ns)
            del self._asked[key]
