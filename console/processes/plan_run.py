"""A plan on several processes: the order of jobs and their queues are here, the tests are played there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import anyio
import msgspec

from console.engine.board import job_end
from console.engine.forecast import Durations, Outlook, began, eta_s
from console.engine.gates import NS_PER_S
from console.engine.job_words import record_goes_on, record_leaves, record_lost, record_started
from console.engine.jobs import TEST_ATTEMPTS
from console.engine.lender import Keys, Lender
from console.phases.plan import Job, Plan, Shard
from console.processes.child import Child
from console.processes.coordinator import Coordinator
from console.processes.count import parts_text
from console.processes.deal import deal_lanes
from console.processes.dealer import Dealer
from console.processes.given import Given, beginning
from console.processes.messages import (
    Begin,
    CloseJob,
    Deal,
    Done,
    FromPart,
    JobEnded,
    LeaveKey,
    StartJob,
    Want,
)
from console.processes.tuning import PartsTuning
from console.records.read_journal import last_test_rows
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import LaneSetup, together
from console.vocabulary.learnt import Learnt
from console.vocabulary.outcome import TERMINAL, Verdict
from console.vocabulary.snapshot import JobState, JobView
from console.vocabulary.trace import Traces

_KEEP_EVERY_S: Final = 1.0


class PlanRun(Coordinator):
    """Runs one plan on several processes."""

    def __init__(
        self,
        given: Given,
        plan: Plan,
        processes: int,
        keys: Keys | None = None,
        known: Mapping[str, Learnt] | None = None,
        traces: Traces = "none",
        told: Collection[str] = (),
    ) -> None:
        """Prepare it.

        Args:
            given: what the host gives.
            plan: what to run.
            processes: how many engine processes play it.
            keys: lends keys between runs; None: this run has them all to itself.
            known: what earlier runs learnt of limits, by lane id.
            traces: what the processes keep of what is said in tests.
            told: lanes whose requests are told in `debug-NN.log`.
        """
        super().__init__(given, plan.lanes)
        self._plan = plan
        self._traces: Traces = traces
        self._parts = dict(enumerate(deal_lanes(plan.lanes, processes), start=1))
        self.tuning = tuning = PartsTuning(
            plan.lanes,
            self._parts,
            self.children,
            self.recorder,
            given.now_ns,
            lambda: self.merged().lanes,
            given.own_lanes,
        )
        self._workers = tuning.workers
        self._part_jobs = {
            number: [_part_of(job, lanes, self._parts, number) for job in plan.jobs]
            for number, lanes in self._parts.items()
        }
        self._known = known or {}
        self._told = frozenset(told)
        self._lender = Lender(plan, keys)
        self._keys: list[str | None] = [None] * len(plan.jobs)
        """The keys that jobs hold now."""
        self._lane_of = {setup.lane.id: setup.lane for setup in plan.lanes}
        self._dealers: dict[int, Dealer] = {}
        self._states: list[JobState] = ["waiting"] * len(plan.jobs)
        self._ended_done = [0] * len(plan.jobs)
        self._durations = Durations()
        self._changed = anyio.Event()
        self._answered = 0
        """Of jobs that have ended."""

    def beginnings(self) -> Sequence[Begin]:
        """Return what each process is told first: its lanes, and the tests that the plan deals to them."""
        return [self._beginning(number) for number in self._parts]

    def replacement(self, number: int) -> Begin:
        """Return the same for one that takes the place of another; tests of jobs that have begun are dealt anew."""
        return self._beginning(number)

    def replaced(self, number: int) -> None:
        """Let it play the jobs that have begun."""
        for index, dealer in self._dealers.items():
            if self._plays(number, index):
                dealer.join(number)
                self.children[number].say(StartJob(index, self._keys[index], dealer.stint(number)))
        self._changed.set()

    def _beginning(self, number: int) -> Begin:
        lanes = self._parts[number]
        jobs = [
            job if self._states[index] == "waiting" else _without_own_tests(job)
            for index, job in enumerate(self._part_jobs[number])
        ]
        plan = msgspec.structs.replace(self._plan, lanes=lanes, jobs=tuple(jobs), warnings=())
        learnt = {**self._known, **self.learnt(0.0)}  # of one that died, what it had learnt
        return beginning(
            self._given,
            number,
            lanes,
            self._plan.timeouts,
            plan=plan,
            learnt=learnt,
            traces=self._traces,
            told_lanes=self._told,
        )

    async def play(self) -> None:
        """Start jobs in their order, deal their tests, and end each when nothing more can come of it."""
        text = parts_text(self._plan.lanes, list(self._parts.values()))
        self.recorder.event("info", "processes", "", text)
        try:
            async with anyio.create_task_group() as keeping:
                keeping.start_soon(self._keep_keys)
                await self._play_in_order()
                keeping.cancel_scope.cancel()
        finally:
            self._lender.close(self._now_ns())

    async def _play_in_order(self) -> None:
        while not self._lender.order.finished:
            self._changed = anyio.Event()
            begins = not (self.steering.draining or self.steering.paused)
            if begins:
                for given in self._lender.turn(self._now_ns()):
                    self._keys[given.job] = given.key
                    if given.fresh:
                        self._start(given.job)
                    else:
                        self._go_on(given.job)
                self._give_up_stranded()
            self._deal()
            for index in [index for index, dealer in self._dealers.items() if self._is_over(index, dealer)]:
                self._finish(index)
            if self.steering.draining and not self._dealers:
                return
            next_ns = self._lender.next_ns(self._now_ns()) if begins else None
            wait_s = None if next_ns is None else max(0.0, (next_ns - self._now_ns()) / NS_PER_S)
            with anyio.move_on_after(wait_s):
                await self._changed.wait()

    def _is_over(self, index: int, dealer: Dealer) -> bool:
        """Whether a job has ended. One that leases a key goes on with another one when it lost its own."""
        if dealer.finished or self._plan.jobs[index].lease is None or self.steering.draining:
            return dealer.over
        return dealer.over and self._lender.order.key_of(index) is not None

    def _plays(self, number: int, index: int) -> bool:
        """Whether a process has shards of a job that are open now."""
        job, key = self._part_jobs[number][index], self._keys[index]
        if self._plan.jobs[index].lease is None:
            return bool(job.shards)
        return any(self._lane_of[shard.lane_id].key_scope == key for shard in job.shards)

    def _go_on(self, index: int) -> None:
        """Let a job go on with another key, in the processes that have lanes of it."""
        job, dealer = self._plan.jobs[index], self._dealers[index]
        key = self._keys[index]
        record_goes_on(self.recorder, job, key)
        for number, child in self.children.items():
            if self._plays(number, index) and not child.gone.is_set():
                dealer.join(number)
                child.say(StartJob(index, key, dealer.stint(number)))

    def _give_up_stranded(self) -> None:
        """End jobs that no key will serve any more; one whose key was switched off by hand waits."""
        for index in self._lender.order.stranded():
            keys = self._plan.jobs[index].lease or ()
            off_by_hand = [lane_id for lane_id, kinds in self._by_hand.items() if kinds]
            if any(self._lane_of[lane_id].key_scope in keys for lane_id in off_by_hand):
                continue
            if index not in self._dealers:
                self._dealers[index] = Dealer(self._plan.jobs[index].tests, {}, ())
            if self._dealers[index].over:
                self._finish(index)

    def switched(self) -> None:
        """Take in that lanes went off or on: jobs that lease a key may need another one."""

        def usable(index: int, key: str) -> bool:
            lanes = [shard.lane_id for shard in self._plan.jobs[index].shards]
            return any(
                lane_id not in self._off_ids and self._lane_of[lane_id].key_scope == key for lane_id in lanes
            )

        self._lender.lanes_changed(usable)
        for index, before in enumerate(self._keys):
            key = self._keys[index] = self._lender.order.key_of(index)
            if before is not None and key is None and self._states[index] == "running":
                record_leaves(self.recorder, self._plan.jobs[index], before)
        self._changed.set()

    async def _keep_keys(self) -> None:
        """Say every second that keys are in use still, which other runs want as well."""
        while True:
            await anyio.sleep(_KEEP_EVERY_S)
            lost = self._lender.lost(self._now_ns())
            record_lost(self.recorder, lost)
            for index in [index for index, key in enumerate(self._keys) if key in lost]:
                for child in self.children.values():
                    child.say(LeaveKey(index))
            if lost:
                self.switched()

    def hear(self, child: Child, message: FromPart) -> None:
        """Take in verdicts, wishes and what comes back."""
        match message:
            case Want(job, now, ahead, stint) if job in self._dealers:
                self._dealers[job].want(child.number, now, ahead, stint)
            case Done(job, tests, answered, duration_ns) if job in self._dealers:
                self._dealers[job].finish(child.number, tests, answered)
                for duration in duration_ns:
                    self._durations.add(self._plan.jobs[job].id, self._plan.jobs[job].provider, duration)
            case JobEnded(job, returned, attempts, stint) if job in self._dealers:
                self._dealers[job].leave(child.number, returned, attempts, stint)
            case _:
                return  # of a job that is over already
        self._changed.set()

    def lost(self, child: Child) -> None:
        """Give what a dead process had to the others, but for what its journal says is done."""
        try:
            rows = last_test_rows(Path(self._given.headline.run_dir), child.number)
        except ConsoleError as error:
            rows = {}
            text = f"what engine process {child.number} had in hand is played again, done or not: {error.message}"
            self.recorder.event("error", "journal_unread", "", text)
        done = {
            test: row.verdict in TERMINAL
            for test, row in rows.items()
            if row.verdict in TERMINAL
            or (row.verdict is Verdict.INFRASTRUCTURE and row.attempt >= TEST_ATTEMPTS)
        }
        attempts = {test: row.attempt for test, row in rows.items()}
        for dealer in self._dealers.values():
            dealer.lose(child.number, done, attempts)
        self._changed.set()

    def drain(self) -> None:
        """Begin no further job."""
        self._changed.set()

    @property
    def planned(self) -> int:
        """Tests to run."""
        return self._plan.planned

    @property
    def done(self) -> int:
        """Tests whose verdict stands."""
        return sum(self._done_of(index) for index in range(len(self._plan.jobs)))

    @property
    def queued(self) -> int:
        """Tests that have not begun: of jobs that have not, those that nobody holds, and those that wait elsewhere."""
        jobs = zip(self._plan.jobs, self._states, strict=True)
        waiting = sum(len(job.tests) for job, state in jobs if state == "waiting")
        here = sum(dealer.waiting for dealer in self._dealers.values())
        return waiting + here + sum(seen.snapshot.queued for _, seen in self.pictures())

    @property
    def answered(self) -> int:
        """Those of them that the model answered."""
        return self._answered + sum(dealer.answered for dealer in self._dealers.values())

    def jobs(self) -> tuple[JobView, ...]:
        """Return the picture of the jobs."""
        now_ns = self._now_ns()
        return tuple(
            self._lender.view(index, state, self._done_of(index), self._keys[index], now_ns)
            for index, state in enumerate(self._states)
        )

    def eta_s(self) -> float | None:
        """Return the seconds until the last job ends, if tests go on to take what they took."""
        working = {
            view.lane_id
            for child in self.children.values()
            if child.seen is not None
            for view in child.seen.snapshot.lanes
            if view.state not in ("off", "parked")
        }
        limits = {lane_id: self._workers(lane_id) for lane_id in self._lane_of if lane_id in working}
        order, now_ns = self._lender.order, self._now_ns()
        outlooks = [
            began(self._outlook(index, limits), order.started_ns(index), now_ns)
            for index in range(len(self._plan.jobs))
        ]
        return eta_s(self._plan, outlooks, self._durations)

    def _outlook(self, index: int, limits: Mapping[str, int | None]) -> Outlook:
        job, key = self._plan.jobs[index], self._keys[index]

        def workers_on(name: str | None) -> int | None:
            lanes = [self._lane_of[shard.lane_id] for shard in job.shards if shard.lane_id in limits]
            return together(limits[lane.id] for lane in lanes if name is None or lane.key_scope == name)

        done = self._done_of(index)
        if job.lease is None or key is not None:
            return Outlook(done, workers_on(key), key)
        return Outlook(done, 0, None, {name: count for name in job.lease if (count := workers_on(name)) != 0})

    # Inside

    def _done_of(self, index: int) -> int:
        dealer = self._dealers.get(index)
        return self._ended_done[index] if dealer is None else dealer.done

    def _start(self, index: int) -> None:
        job = self._plan.jobs[index]
        self._states[index] = "running"
        record_started(self.recorder, job, self._keys[index])
        parts = {
            number: jobs[index]
            for number, jobs in self._part_jobs.items()
            if self._plays(number, index) and not self.children[number].gone.is_set()
        }
        owned = {number: part.tests for number, part in parts.items()}
        dealt = {test for tests in owned.values() for test in tests}
        self._dealers[index] = Dealer((test for test in job.tests if test not in dealt), owned, parts)
        for number in parts:
            self.children[number].say(StartJob(index, self._keys[index]))

    def _deal(self) -> None:
        if self.steering.draining:
            return
        for index, dealer in self._dealers.items():
            for number, tests in dealer.deal().items():
                attempts = {test: dealer.attempts[test] for test in tests if test in dealer.attempts}
                self.children[number].say(Deal(index, tuple(tests), attempts))

    def _finish(self, index: int) -> None:
        dealer, job = self._dealers.pop(index), self._plan.jobs[index]
        for number in self._part_jobs:
            self.children[number].say(CloseJob(index))
        # What was to be tried again and found no lane any more: its last row stands.
        tried = sum(1 for test in dealer.left if test in dealer.attempts)
        self._ended_done[index] = dealer.done + tried
        self._answered += dealer.answered
        self._states[index] = "done"
        done = self._ended_done[index]
        level, text = job_end(job, done=done, answered=dealer.answered, unplayed=len(job.tests) - done)
        self.recorder.event(level, "job_done", job.id, text)
        self._lender.finish(index)
        self._changed.set()


def _part_of(
    job: Job, lanes: Sequence[LaneSetup], parts: Mapping[int, Sequence[LaneSetup]], number: int
) -> Job:
    """Return the part of a job that a process plays: the shards on its lanes, and what is dealt to these lanes.

    A shard waits for those before it that play elsewhere; of a job that leases a key, for those on its own key.
    """
    here = {setup.lane.id for setup in lanes}
    shards: list[Shard] = []
    waited_s: dict[str, float] = {}
    for shard in job.shards:
        opened_with = "" if job.lease is None else shard.lane_id.rpartition("@")[2]
        waited_s[opened_with] = waited_s.get(opened_with, 0.0) + shard.delay_s
        if shard.lane_id not in here:
            continue
        holders = [
            other for other, held in parts.items() if shard.lane_id in {setup.lane.id for setup in held}
        ]
        tests = None if shard.tests is None else shard.tests[holders.index(number) :: len(holders)]
        shards.append(Shard(lane_id=shard.lane_id, delay_s=waited_s.pop(opened_with), tests=tests))
    own = tuple(test for shard in shards for test in shard.tests or ())
    return msgspec.structs.replace(job, shards=tuple(shards), tests=own, reused_tests=())


def _without_own_tests(job: Job) -> Job:
    shards = tuple(msgspec.structs.replace(shard, tests=None) for shard in job.shards)
    return msgspec.structs.replace(job, shards=shards, tests=())
