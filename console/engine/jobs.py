"""One job while it runs: its queue of tests, its shards, and the workers that play them.

The tests are all there when it begins, or, where the job runs on several processes, they are fed to it as it asks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import anyio
from anyio.abc import TaskGroup

from console.engine.asking import Attempt, Surroundings
from console.engine.forecast import Outlook
from console.engine.lane_runtime import LaneRuntime
from console.engine.shard import ShardRun
from console.phases.plan import Job
from console.vocabulary.lane import together
from console.vocabulary.outcome import TERMINAL, Verdict
from console.vocabulary.rows import TestRow
from console.vocabulary.test_id import TestId
from console.vocabulary.trace import Said, TraceRow
from console.work.contract import TestResult, Unanswered, Work

TEST_ATTEMPTS: Final = 3
"""Attempts of a test that infrastructure failed, the first included."""


class Feed(Protocol):
    """Where the tests of a job come from that runs on several processes."""

    def want(self, now: int, ahead: int) -> None:
        """Ask for tests until so many have come in all: those for idle workers, and with some at hand besides.

        Counted from the beginning, so that an answer on its way is not asked for twice.
        """
        ...

    def done(self, test: str, duration_ns: int, *, answered: bool) -> None:
        """Tell that the verdict on a test stands."""
        ...


class JobRun:
    """One job. Its tests are pulled by the workers of its shards, or dealt to them by the plan."""

    def __init__(
        self,
        job: Job,
        lanes: Mapping[str, LaneRuntime],
        work: Work,
        around: Surroundings,
        done: frozenset[str],
        stopped_pulling: Callable[[], bool],
        feed: Feed | None = None,
        lane_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.job = job
        self._lane_lost = lane_lost
        """Told that the lanes of the key that it leases are off: the order of jobs may have another key for it."""
        self._stranded = False
        self._ended = False
        self._group: TaskGroup | None = None
        self._work = work
        self._around = around
        self._stopped_pulling = stopped_pulling
        self._feed = feed
        self._closed = feed is None
        """Whether no further test will come."""
        self._received = 0
        """Tests that were fed."""
        self._wanted = (0, 0)
        self.done = sum(1 for test in job.tests if test in done)
        """Tests with a verdict that stands, for better or worse."""
        self._done_before = self.answered = self.done
        """Those of them that the model answered."""
        self._outstanding = len(job.tests) - self.done
        self._over = anyio.Event()
        self._attempts: dict[str, int] = {}
        dealt = {test for shard in job.shards if shard.tests is not None for test in shard.tests}
        self._queue: deque[str] = deque(test for test in job.tests if test not in done and test not in dealt)
        self._shards = [
            ShardRun(
                self,
                job.id,
                shard,
                lanes[shard.lane_id],
                deque(test for test in shard.tests or () if test not in done),
            )
            for shard in job.shards
        ]
        self.lanes = [shard.lane for shard in self._shards]
        self.hold(None)

    def hold(self, key: str | None) -> None:
        """Open the shards on the key that it leases, and close all others; without a lease all are open."""
        self.key = key
        if self.job.lease is not None:
            for shard in self._shards:
                shard.closed = key != shard.lane.lane.key_scope
                if not shard.closed and self._group is not None:
                    shard.start(self._group)
        self.refill()

    def retire(self) -> None:
        """End, as somebody else goes on with it: begin no further test, and keep what is left."""
        self.hold(None)
        self._over.set()

    def break_off(self) -> None:
        """Break off what is being played on a key that it does not hold any more; it is played again."""
        for shard in self._shards:
            if shard.closed:
                shard.break_off()

    def strand(self) -> None:
        """End, as no key will serve it any more; what is left stays unplayed."""
        self._stranded = True
        self._over.set()

    def feed(self, tests: Iterable[str], attempts: Mapping[str, int]) -> None:
        """Take further tests, and what other processes tried of them."""
        fresh = list(tests)
        self._received += len(fresh)
        self._outstanding += len(fresh)
        self._attempts.update(attempts)
        self._queue.extend(fresh)
        self.refill()

    def close(self) -> None:
        """Take note that no further test will come."""
        self._closed = True
        if not self._outstanding:
            self._over.set()

    @property
    def working(self) -> int | None:
        """Workers on lanes that take requests now; None: unlimited."""
        working = [shard.lane for shard in self._shards if not shard.closed]
        return together(lane.workers for lane in working if not lane.off and not lane.resting)

    @property
    def outlook(self) -> Outlook:
        """Return what decides when it ends."""
        keys: dict[str, int | None] = {}
        if self.job.lease is not None and self.key is None:
            for name in self.job.lease:
                lanes = [lane for lane in self.lanes if lane.lane.key_scope == name]
                workers = together(lane.workers for lane in lanes if not lane.off and not lane.resting)
                if workers != 0:
                    keys[name] = workers
        return Outlook(self.done, self.working, self.key, keys)

    @property
    def queued(self) -> int:
        """How many tests wait in its queues."""
        return len(self._queue) + sum(len(shard.own) for shard in self._shards)

    def plays_on(self, lane: LaneRuntime) -> bool:
        """Whether a test of it is being played on `lane`."""
        return any(shard.in_play for shard in self._shards if shard.lane is lane)

    @property
    def left(self) -> tuple[str, ...]:
        """Tests that wait in its queues."""
        return (*(test for shard in self._shards for test in shard.own), *self._queue)

    def attempts_of(self, tests: Iterable[str]) -> dict[str, int]:
        """Return how often those of `tests` were tried that were."""
        return {test: self._attempts[test] for test in tests if test in self._attempts}

    async def run(self) -> None:
        """Play all tests that can be played; what is left then, no lane could take."""
        if not self._outstanding and self._closed:
            return
        async with anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self._over.wait)
            start_s = 0.0
            for shard in self._shards:
                if shard.closed:
                    continue  # it starts if its key is the one that the job goes on with
                start_s += shard.shard.delay_s
                if start_s > 0:
                    group.start_soon(self._start_later, shard, start_s, group)
                else:
                    shard.start(group)
            self.refill()
        self._ended = True
        if self._feed is None:
            # What was to be tried again and found no lane any more: its last row stands.
            self.done += sum(1 for test in self._queue if test in self._attempts)

    @property
    def unplayed(self) -> int:
        """Tests that were never begun."""
        return len(self.job.tests) - self._done_before - len(self._attempts)

    async def _start_later(self, shard: ShardRun, delay_s: float, group: TaskGroup) -> None:
        with anyio.move_on_after(delay_s):
            await self._over.wait()
            return
        shard.start(group)
        self.refill()

    def drain(self) -> None:
        """Wait for no shard that has not started yet."""
        self._over.set()

    def next_test(self, shard: ShardRun) -> str | None:
        """Take the next test for `shard`: its own first, then the job's."""
        if self._stopped_pulling():
            return None
        if shard.own:
            return shard.own.popleft()
        test = self._queue.popleft() if self._queue else None
        if test is not None:
            self.ask()
        return test

    def _lanes_changed(self) -> None:
        """Take in that a lane was switched off: its tests go to the others; without any lane the job is over.

        It waits for lanes that somebody switched off by hand.
        """
        for shard in self._shards:
            if shard.lane.off and shard.own:
                self._queue.extend(shard.own)
                shard.own.clear()
        opened = [shard.lane for shard in self._shards if not shard.closed]
        if self.job.lease is not None and self._feed is None and opened and all(lane.off for lane in opened):
            self._lane_lost()
        if self._group is not None and not self._has_lane:
            self._over.set()  # one that has not begun may still get another key

    @property
    def _has_lane(self) -> bool:
        if self.job.lease is not None and self._feed is None:
            return not self._stranded  # the order of jobs has another key for it, or says that there is none
        if self.job.lease is not None:
            opened = [shard.lane for shard in self._shards if not shard.closed]
            return not opened or any(not lane.off for lane in opened)
        return any(not shard.lane.off or shard.lane.by_hand for shard in self._shards)

    def refill(self) -> None:
        """Start workers for what waits, shard by shard in turn, so that few tests still spread over all lanes."""
        if self._ended:
            return
        self._lanes_changed()
        if self._stopped_pulling():
            return
        shared = len(self._queue)
        started = True
        while started:
            started = False
            for shard in self._shards:
                if shard.has_room() and (shared or shard.own_waiting()):
                    shared -= not shard.own_waiting()
                    shard.add_worker()
                    started = True
        self.ask()

    def ask(self) -> None:
        """Ask the feed, where there is one, for tests as far as workers are free, and for some to have at hand."""
        if self._feed is None or self._closed:
            return
        free = sum(shard.free for shard in self._shards)
        at_hand = sum(shard.at_hand for shard in self._shards)
        waiting = len(self._queue)
        now = self._received + max(0, free - waiting)
        ahead = self._received + max(0, free + at_hand - waiting)
        if (now, ahead) == self._wanted or (now <= self._wanted[0] and ahead - self._wanted[1] < at_hand / 2):
            return  # a word for every few tests is enough
        self._wanted = (now, ahead)
        self._feed.want(now, ahead)

    async def play(self, test: str, shard: ShardRun) -> None:
        """Play one attempt of `test`, write its row, and give it back to the queue if infrastructure failed it."""
        around = self._around
        attempt_no = self._attempts.get(test, 0) + 1
        self._attempts[test] = attempt_no
        attempt = Attempt(around, shard.lane, job_id=self.job.id, work_id=test, attempt=attempt_no)
        attempt.long_rest = shard.rest
        started_ns = around.now_ns()
        said: list[Said] = []
        moves = False
        try:
            with shard.playing() as broken_off:
                result = await self._work.run(TestId.parse(test), attempt.ask, said)
            if moves := broken_off.cancelled_caught:
                text = "its key is in use by another run"
                result = TestResult(verdict=Verdict.CANCELLED, turns=attempt.turn, detail=text)
        except Unanswered as error:
            result = TestResult(verdict=Verdict.INFRASTRUCTURE, turns=attempt.turn, detail=str(error))
        except anyio.get_cancelled_exc_class():
            cancelled = TestResult(verdict=Verdict.CANCELLED, turns=attempt.turn, detail="stopped")
            around.recorder.write_now(
                self._row(test, attempt, shard, started_ns, cancelled),
                self._trace(attempt, shard, cancelled, said),
            )
            raise
        except Exception as error:  # noqa: BLE001 - one test that we cannot play must not end a run of thousands
            text = f"our fault, not the model's: {type(error).__name__}: {error}"
            around.recorder.event("error", "our_fault", test, text)
            result = TestResult(verdict=Verdict.INFRASTRUCTURE, turns=attempt.turn, detail=text[:500])
        await around.recorder.write(
            self._row(test, attempt, shard, started_ns, result), self._trace(attempt, shard, result, said)
        )
        again = result.verdict is Verdict.INFRASTRUCTURE and attempt_no < TEST_ATTEMPTS
        if moves or (again and (self._feed is not None or self._has_lane)):
            self._queue.append(test)
            self.refill()
            return
        answered = result.verdict in TERMINAL
        self.done += 1
        self.answered += answered
        self._outstanding -= 1
        if self._feed is not None:
            self._feed.done(test, around.now_ns() - started_ns, answered=answered)
        if not self._outstanding and self._closed:
            self._over.set()

    def _trace(
        self, attempt: Attempt, shard: ShardRun, result: TestResult, said: list[Said]
    ) -> TraceRow | None:
        """Return what was said so far, however the attempt ended; None where traces are not kept."""
        if not self._around.traces:
            return None
        return TraceRow(
            test=attempt.work_id,
            attempt=attempt.attempt,
            lane=shard.lane.lane,
            verdict=result.verdict,
            said=tuple(said),
        )

    def _row(
        self, test: str, attempt: Attempt, shard: ShardRun, started_ns: int, result: TestResult
    ) -> TestRow:
        return TestRow(
            test=test,
            attempt=attempt.attempt,
            job=self.job.id,
            lane=shard.lane.lane,
            verdict=result.verdict,
            score=result.score,
            turns=result.turns,
            requests=attempt.requests,
            at_ns=self._around.recorder.since_start(started_ns),
            duration_ns=self._around.now_ns() - started_ns,
            service_ns=attempt.service_ns,
            limiter_wait_ns=attempt.limiter_wait_ns,
            held_ns=attempt.held_ns,
            retry_wait_ns=attempt.retry_wait_ns,
            prompt_tokens=attempt.prompt_tokens,
            completion_tokens=attempt.completion_tokens,
            detail=result.detail,
            marks=result.marks,
        )
