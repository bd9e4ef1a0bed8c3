"""The jobs of a run: begun in their order, on the keys that they lease, and ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import anyio
from anyio.abc import TaskGroup

from console.engine.board import job_end
from console.engine.forecast import Outlook, began
from console.engine.gates import NS_PER_S, NowNs
from console.engine.job_words import (
    holders_of,
    record_goes_on,
    record_leaves,
    record_lost,
    record_started,
)
from console.engine.jobs import JobRun
from console.engine.lender import Keys, Lender
from console.engine.recording import Recorder
from console.phases.plan import Plan
from console.vocabulary.snapshot import JobState, JobView

_KEEP_EVERY_S: Final = 1.0


class Conductor:
    """Begins the jobs of a plan one by one, and gives each that leases a key another one when it loses it."""

    def __init__(
        self,
        plan: Plan,
        jobs: Sequence[JobRun],
        recorder: Recorder,
        now_ns: NowNs,
        stopped_starting: Callable[[], bool],
        paused: Callable[[], bool],
        keys: Keys | None,
    ) -> None:
        """Conduct `jobs`, those of `plan` in its order.

        Args:
            plan: says what waits for what.
            jobs: the jobs as they run.
            recorder: takes the events.
            now_ns: the clock.
            stopped_starting: whether nothing further is to begin.
            paused: whether nothing is to begin now; `lanes_changed` is called when that ends.
            keys: the keys that this run shares with others on the machine; None: it has them to itself.
        """
        self._plan = plan
        self.jobs = jobs
        self._recorder = recorder
        self._now_ns = now_ns
        self._stopped_starting = stopped_starting
        self._paused = paused
        self._lender = Lender(plan, keys)
        self._states: list[JobState] = ["waiting"] * len(jobs)
        self._changed = anyio.Event()

    async def run(self) -> None:
        """Play all jobs; return when the last one has ended."""
        try:
            async with anyio.create_task_group() as keeping:
                keeping.start_soon(self._keep_keys)
                async with anyio.create_task_group() as group:
                    await self._begin_in_order(group)
                keeping.cancel_scope.cancel()
        finally:
            self._lender.close(self._now_ns())

    async def _begin_in_order(self, group: TaskGroup) -> None:
        lender = self._lender
        while not lender.order.finished and not self._stopped_starting():
            self._changed = anyio.Event()
            now_ns = self._now_ns()
            for given in () if self._paused() else lender.turn(now_ns):
                if given.fresh:
                    self._states[given.job] = "running"
                    group.start_soon(self._play, given.job)
                else:
                    record_goes_on(self._recorder, self._plan.jobs[given.job], given.key)
                self.jobs[given.job].hold(given.key)  # which may find that its lanes are off
            self._give_up_stranded()
            next_ns = None if self._paused() else lender.next_ns(now_ns)
            wait_s = None if next_ns is None else max(0.0, (next_ns - now_ns) / NS_PER_S)
            with anyio.move_on_after(wait_s):
                await self._changed.wait()

    async def _play(self, index: int) -> None:
        run = self.jobs[index]
        record_started(self._recorder, self._plan.jobs[index], run.key)
        await run.run()
        self._end(index)

    def _end(self, index: int) -> None:
        job, run = self._plan.jobs[index], self.jobs[index]
        self._states[index] = "done"
        level, text = job_end(job, done=run.done, answered=run.answered, unplayed=run.unplayed)
        self._recorder.event(level, "job_done", job.id, text)
        self._lender.finish(index)
        self._changed.set()

    def _give_up_stranded(self) -> None:
        """End jobs that no key will serve any more; one whose key was switched off by hand waits."""
        for index in self._lender.order.stranded():
            run = self.jobs[index]
            if any(lane.by_hand for lane in run.lanes):
                continue
            if self._states[index] == "running":
                run.strand()
            else:
                self._end(index)

    def lanes_changed(self) -> None:
        """Take in that lanes went off or on: jobs move to other lanes, and those that lease a key need another one."""

        def usable(index: int, key: str) -> bool:
            lanes = self.jobs[index].lanes
            return any(not lane.off for lane in lanes if lane.lane.key_scope == key)

        self._lender.lanes_changed(usable)
        for index, run in enumerate(self.jobs):
            if run.key is not None and self._lender.order.key_of(index) is None:
                if self._states[index] == "running":
                    record_leaves(self._recorder, self._plan.jobs[index], run.key)
                run.hold(None)
            else:
                run.refill()
        self._changed.set()

    def drain(self) -> None:
        """Begin no further job."""
        self._changed.set()
        for run in self.jobs:
            run.drain()

    async def _keep_keys(self) -> None:
        """Say every second that keys are in use still, which other runs want as well."""
        while True:
            await anyio.sleep(_KEEP_EVERY_S)
            lost = self._lender.lost(self._now_ns())
            record_lost(self._recorder, lost)
            losers = [run for run in self.jobs if run.key in lost]
            if lost:
                self.lanes_changed()
            for run in losers:
                run.break_off()

    @property
    def queued(self) -> int:
        """Tests that wait in the queues of jobs which go on or are still to begin."""
        pairs = zip(self.jobs, self._states, strict=True)
        return sum(run.queued for run, state in pairs if state != "done")

    def holders(self) -> dict[str, str]:
        """Return key → the jobs that hold it, of keys that are leased."""
        return holders_of((key, self._plan.jobs[job]) for job, key in self._lender.order.leases().items())

    def outlooks(self, now_ns: int) -> list[Outlook]:
        """Return what decides when the jobs end."""
        return [
            began(run.outlook, self._lender.order.started_ns(index), now_ns)
            for index, run in enumerate(self.jobs)
        ]

    def views(self, now_ns: int) -> tuple[JobView, ...]:
        """Return the picture of the jobs."""
        return tuple(
            self._lender.view(index, self._states[index], run.done, run.key, now_ns)
            for index, run in enumerate(self.jobs)
        )
