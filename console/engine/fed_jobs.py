"""The jobs of a part of a run: they begin and end, and their tests come, as a coordinator says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import anyio
from anyio.abc import TaskGroup

from console.engine.board import job_view
from console.engine.forecast import Outlook
from console.engine.job_words import holders_of
from console.engine.jobs import Feed, JobRun
from console.engine.link import Link
from console.phases.plan import Plan
from console.vocabulary.snapshot import JobState, JobView


class FedJobs:
    """Plays jobs of a plan as it is told."""

    def __init__(self, plan: Plan, make: Callable[[int, Feed | None], JobRun], link: Link) -> None:
        """Prepare all jobs; `make(index, feed)` makes one, also anew when it begins a second time."""
        self._plan = plan
        self._make = make
        self._link = link
        self._stints = [0] * len(plan.jobs)
        self.jobs = [make(index, _JobFeed(link, index, 0)) for index in range(len(plan.jobs))]
        self._states: list[JobState] = ["waiting"] * len(plan.jobs)
        self._group: TaskGroup | None = None
        self._over = anyio.Event()

    async def run(self) -> None:
        """Play until it is said that the run is over, and all that was begun has ended."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                await self._over.wait()
        finally:
            self._group = None

    def start_job(self, index: int, key: str | None, stint: int = 0) -> None:
        """Let the shards of a job have workers, those on `key` if it leases one.

        Again, where it has another key now: what it still plays on the one before ends beside it, for itself.
        """
        if self._group is None:
            return  # stopped before the word came
        if self._states[index] == "running":
            self.jobs[index].retire()
        if self._states[index] != "waiting" or stint:
            self.jobs[index] = self._make(index, _JobFeed(self._link, index, stint))
        self._states[index], self._stints[index] = "running", stint
        self.jobs[index].hold(key)
        self._group.start_soon(self._play, index, self.jobs[index], stint)

    def leave_key(self, index: int) -> None:
        """Send nothing of a job on its key any more, which is another run's, and give its tests back."""
        if self._states[index] == "running":
            self.jobs[index].retire()
            self.jobs[index].break_off()

    async def _play(self, index: int, run: JobRun, stint: int) -> None:
        await run.run()
        if stint == self._stints[index]:
            self._states[index] = "done"
        left = run.left
        self._link.job_ended(index, left, run.attempts_of(left), stint)

    def feed(self, index: int, tests: Sequence[str], attempts: Mapping[str, int]) -> None:
        """Take further tests of a job; they go back at once if it has ended here."""
        if self._states[index] == "done":
            self._link.job_ended(index, tests, attempts, self._stints[index])
        else:
            self.jobs[index].feed(tests, attempts)

    def close_job(self, index: int) -> None:
        """Take note that no further test of a job comes."""
        self.jobs[index].close()

    def finish(self) -> None:
        """End in order: the run is over."""
        self._over.set()

    def lanes_changed(self) -> None:
        """Take in that lanes went off or on."""
        for run in self.jobs:
            run.refill()

    def drain(self) -> None:
        """Begin no further test."""
        for run in self.jobs:
            run.drain()

    @property
    def queued(self) -> int:
        """Tests that wait here in the queues of jobs that have begun."""
        pairs = zip(self.jobs, self._states, strict=True)
        return sum(run.queued for run, state in pairs if state == "running")

    def holders(self) -> dict[str, str]:
        """Return key → the jobs that hold it, of keys that are leased."""
        triples = zip(self._plan.jobs, self.jobs, self._states, strict=True)
        return holders_of((run.key, job) for job, run, state in triples if state == "running")

    def outlooks(self, now_ns: int) -> list[Outlook]:
        """Return what decides when the jobs end; when they start is the coordinator's to say."""
        return [run.outlook for run in self.jobs]

    def views(self, now_ns: int) -> tuple[JobView, ...]:
        """Return the picture of the jobs."""
        return tuple(
            job_view(job, self._states[index], self.jobs[index].done, None, now_ns)
            for index, job in enumerate(self._plan.jobs)
        )


class _JobFeed:
    """The link as one job sees it."""

    def __init__(self, link: Link, job: int, stint: int) -> None:
        self._link = link
        self._job = job
        self._stint = stint

    def want(self, now: int, ahead: int) -> None:
        self._link.want(self._job, now, ahead, self._stint)

    def done(self, test: str, duration_ns: int, *, answered: bool) -> None:
        self._link.done(self._job, test, duration_ns, answered=answered)
