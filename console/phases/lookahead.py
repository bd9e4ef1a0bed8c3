"""What a plan will do, without doing it: its jobs, workers and gates as events on a clock that only counts.

The order of jobs is the very one of the engine (`order.py`). A worker is held from the moment it takes a test
until its last answer is there, one request after another; a request passes the pacers and slots of all its scopes as in the engine, first come
first served on a lane; every answer takes as long as was guessed. Tokens per minute are not looked at.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from console.phases.order import NS_PER_S, order_of
from console.phases.plan import Job, Plan
from console.vocabulary.lane import LaneSetup, Limits, Scope

MOST_EVENTS: Final = 100_000
"""Beyond so many requests several tests count as one whose requests take as long as theirs one after another."""


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One request, in ns from the start of the run."""

    held_ns: int
    """When its test took a worker, or had the answer to its last request."""
    sent_ns: int
    end_ns: int


class JobSpan(msgspec.Struct, frozen=True):
    """When a job runs, and where."""

    start_ns: int
    end_ns: int
    key: str | None
    """The key that it leases."""
    lanes: tuple[str, ...]
    """Ids of the lanes that are open to it."""


class Lookahead(msgspec.Struct, frozen=True):
    """What comes of a plan."""

    jobs: tuple[JobSpan, ...]
    sent: Mapping[str, list[Sent]]
    """Lane id → its requests."""
    unit: int
    """Requests that each of them stands for."""

    @property
    def end_ns(self) -> int:
        """When the last job ends."""
        return max((job.end_ns for job in self.jobs), default=0)


def look_ahead(plan: Plan, latency_ns: Mapping[str, int]) -> Lookahead:
    """Go through a plan; `latency_ns` says for each lane what an answer takes."""
    return _Run(plan, latency_ns).run()


def rate_per_s(limits: Limits) -> float | None:
    """Return the requests per second that limits let through, the tighter of QPS and RPM; None: any number."""
    rates = [rate for rate in (limits.qps, limits.rpm and limits.rpm / 60) if rate is not None]
    return min(rates, default=None)


class _Gate:
    """Pacer and slots of one scope."""

    def __init__(self, limits: Limits, burst: float, *, slots: bool) -> None:
        rate = rate_per_s(limits)
        self.interval_ns = 0 if rate is None else round(NS_PER_S / rate)
        self._early_ns = round(burst * self.interval_ns)
        self._next_ns = 0
        self.slots = limits.workers if slots else None
        self._used = 0
        self.blocked: dict[_Lane, None] = {}
        """Lanes whose first request waits for a slot."""

    def full(self) -> bool:
        return self.slots is not None and self._used >= self.slots

    def enter(self) -> None:
        self._used += 1

    def leave(self) -> None:
        self._used -= 1

    def opens_ns(self) -> int:
        return self._next_ns - self._early_ns

    def pass_at(self, now_ns: int, unit: int) -> None:
        self._next_ns = max(self._next_ns, now_ns) + unit * self.interval_ns


class _Lane:
    """A lane, or a job's own copy of its limits."""

    def __init__(self, setup: LaneSetup, gates: list[_Gate], latency_ns: int, sent: list[Sent]) -> None:
        self.setup = setup
        self.sent = sent
        self.paced = [gate for gate in gates if gate.interval_ns]
        self.slotted = [gate for gate in gates if gate.slots is not None]
        self.latency_ns = max(1, latency_ns)
        self.busy = 0
        self.flows: deque[_Flow] = deque()
        self.waiting: deque[_Test] = deque()
        """Tests that hold a worker and whose next request is not sent yet."""
        self.tries_ns = -1
        """When its first request is tried next."""

    def room(self) -> bool:
        limit = self.setup.limits.workers
        return limit is None or self.busy < limit


class _JobRun:
    def __init__(self, job: Job, unit: int) -> None:
        dealt = sum(len(shard.tests or ()) for shard in job.shards)
        self.queue = -(-(len(job.tests) - dealt) // unit)
        self.turns = job.turns
        self._taken = 0
        self.left = self.queue + sum(-(-len(shard.tests or ()) // unit) for shard in job.shards)
        self.flows: list[_Flow] = []
        self.start_ns = self.end_ns = 0
        self.key: str | None = None

    def requests(self) -> int:
        """Return how many requests the next test takes, so that all together take as many as was expected."""
        before = round(self._taken * self.turns)
        self._taken += 1
        return max(1, round(self._taken * self.turns) - before)


class _Flow:
    """A job on a lane."""

    def __init__(self, index: int, job: _JobRun, lane: _Lane, own: int) -> None:
        self.index, self.job, self.lane, self.own = index, job, lane, own
        self.open = False

    def has_work(self) -> bool:
        return self.open and bool(self.own or self.job.queue)

    def take(self) -> None:
        if self.own:
            self.own -= 1
        else:
            self.job.queue -= 1


class _Test:
    """A test that holds a worker."""

    __slots__ = ("flow", "held_ns", "left")

    def __init__(self, flow: _Flow, held_ns: int, left: int) -> None:
        self.flow = flow
        self.held_ns = held_ns
        """Since when it waits for its next request to be sent."""
        self.left = left
        """Requests that it has not sent."""


class _Answer:
    """A request that was sent."""

    __slots__ = ("sent", "test")

    def __init__(self, test: _Test, sent: Sent) -> None:
        self.test, self.sent = test, sent


_Event = _Answer | _Lane | _Flow | None
"""An answer is there; a lane tries again; a job's lane opens; None: a staggered job may start."""


class _Run:
    def __init__(self, plan: Plan, latency_ns: Mapping[str, int]) -> None:
        self._plan = plan
        self._latency_ns = latency_ns
        self._unit = max(1, -(-round(plan.requests) // MOST_EVENTS))
        self._order = order_of(plan)
        self._setups = {setup.lane.id: setup for setup in plan.lanes}
        self._outer: dict[Scope, _Gate] = {}
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._jobs = [_JobRun(job, self._unit) for job in plan.jobs]
        self._sent: dict[str, list[Sent]] = {lane_id: [] for lane_id in self._setups}
        self._heap: list[tuple[int, int, _Event]] = []
        self._count = 0
        self._now_ns = 0
        self._looks_ns: int | None = None
        """When it is looked next whether a staggered job may start; once, however many ends of jobs ask for it."""

    def run(self) -> Lookahead:
        self._start_jobs()
        while self._heap:
            self._now_ns, _, event = heapq.heappop(self._heap)
            match event:
                case _Answer():
                    self._answered(event.test, event.sent)
                case _Lane():
                    self._try(event)
                case _Flow():
                    event.open = True
                    self._dispatch(event.job)
                case None:
                    if self._looks_ns == self._now_ns:  # else it has been looked already
                        self._looks_ns = None
                        self._start_jobs()
        spans = [
            JobSpan(job.start_ns, job.end_ns, job.key, tuple(flow.lane.setup.lane.id for flow in job.flows))
            for job in self._jobs
        ]
        return Lookahead(tuple(spans), self._sent, self._unit)

    def _at(self, time_ns: int, event: _Event) -> None:
        self._count += 1
        heapq.heappush(self._heap, (time_ns, self._count, event))

    def _start_jobs(self) -> None:
        while (index := self._order.startable(self._now_ns)) is not None:
            self._start(index, self._order.start(index, self._now_ns))
        next_ns = self._order.next_start_ns()
        if next_ns is not None and next_ns != self._looks_ns:
            self._looks_ns = next_ns
            self._at(next_ns, None)

    def _start(self, index: int, key: str | None) -> None:
        job = self._jobs[index]
        job.start_ns = job.end_ns = self._now_ns
        job.key = key
        opens_ns = self._now_ns
        for shard in self._plan.jobs[index].shards:
            lane = self._setups[shard.lane_id].lane
            if key is not None and lane.key_scope != key:
                continue
            own = -(-len(shard.tests or ()) // self._unit)
            flow = _Flow(index, job, self._lane(shard.lane_id, index), own)
            job.flows.append(flow)
            flow.lane.flows.append(flow)
            opens_ns += round(shard.delay_s * NS_PER_S)
            if opens_ns > self._now_ns:
                self._at(opens_ns, flow)
            else:
                flow.open = True
        if job.left:
            self._dispatch(job)
        else:
            self._order.finish(index)

    def _lane(self, lane_id: str, index: int) -> _Lane:
        setup = self._setups[lane_id]
        copy = (lane_id, index if setup.per == "job" else -1)
        if copy not in self._lanes:
            own = _Gate(setup.limits, setup.burst, slots=False)
            outer = [
                self._outer.setdefault(one.scope, _Gate(one.limits, setup.burst, slots=True))
                for one in setup.outer
            ]
            self._lanes[copy] = _Lane(setup, [own, *outer], self._latency_ns[lane_id], self._sent[lane_id])
        return self._lanes[copy]

    def _dispatch(self, job: _JobRun) -> None:
        """Give a job workers, lane by lane in turn, so that few tests spread over all of them."""
        started = True
        while started:
            started = False
            for flow in job.flows:
                if flow.lane.room() and flow.has_work():
                    self._take(flow)
                    started = True

    def _take(self, flow: _Flow) -> None:
        flow.take()
        lane = flow.lane
        lane.busy += 1
        self._wait(_Test(flow, self._now_ns, flow.job.requests()))

    def _wait(self, test: _Test) -> None:
        lane = test.flow.lane
        lane.waiting.append(test)
        if len(lane.waiting) == 1:
            self._try(lane)

    def _try(self, lane: _Lane) -> None:
        """Send what all gates let through now."""
        while lane.waiting:
            for gate in lane.slotted:
                if gate.full():
                    gate.blocked[lane] = None
                    return
            opens_ns = max([gate.opens_ns() for gate in lane.paced], default=0)
            if opens_ns > self._now_ns:
                if lane.tries_ns != opens_ns:
                    lane.tries_ns = opens_ns
                    self._at(opens_ns, lane)
                return
            test = lane.waiting.popleft()
            test.left -= 1
            for gate in lane.slotted:
                gate.enter()
            for gate in lane.paced:
                gate.pass_at(self._now_ns, self._unit)
            end_ns = self._now_ns + self._unit * lane.latency_ns
            self._at(end_ns, _Answer(test, Sent(test.held_ns, self._now_ns, end_ns)))

    def _answered(self, test: _Test, sent: Sent) -> None:
        """Take in an answer: the test sends its next request, or is done."""
        lane = test.flow.lane
        lane.sent.append(sent)
        if not test.left:
            lane.busy -= 1
        blocked: dict[_Lane, None] = {}
        for gate in lane.slotted:
            gate.leave()
            blocked |= gate.blocked
            gate.blocked = {}
        for other in blocked:
            self._try(other)
        if test.left:
            test.held_ns = self._now_ns
            self._wait(test)
        else:
            self._done(test.flow)

    def _done(self, flow: _Flow) -> None:
        lane, job = flow.lane, flow.job
        job.left -= 1
        if not job.left:
            job.end_ns = self._now_ns
            for other in job.flows:
                other.lane.flows.remove(other)
            self._order.finish(flow.index)
            self._start_jobs()
        self._next(lane)

    def _next(self, lane: _Lane) -> None:
        """Give a free worker to the next job that has tests, in turn."""
        for _ in range(len(lane.flows)):
            flow = lane.flows[0]
            lane.flows.rotate(-1)
            if lane.room() and flow.has_work():
                self._take(flow)
                return
