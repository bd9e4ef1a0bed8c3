"""A rig that runs the real engine on virtual time against the simulated provider in process."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import trio
from trio.testing import MockClock
from virtual_time import MemoryJournal, now_ns

from console.engine.board import Headline
from console.engine.engine import Engine
from console.phases.plan import Job, Plan, Shard
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Stamps, Timeouts
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope, ScopedLimits
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.snapshot import Snapshot
from console.work.contract import TestResult

S = 1_000_000_000


Answer = Callable[[Endpoint, ChatRequest, int], tuple[float, dict]]


@dataclass
class ScriptedClient:
    """Answers after a delay as `answer(endpoint, request, number)` says, and counts what is in flight per lane."""

    answer: Answer = lambda endpoint, request, number: (1.0, {})
    sent: list[tuple[int, str]] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)

    async def warm(self, endpoint: Endpoint) -> None:
        pass

    async def complete(self, endpoint: Endpoint, request: ChatRequest, on_sent=None) -> ChatResult:
        name = endpoint.deployment
        number = len(self.sent)
        sent = now_ns()
        self.sent.append((sent, name))
        self.in_flight[name] = self.in_flight.get(name, 0) + 1
        self.peak[name] = max(self.peak.get(name, 0), self.in_flight[name])
        try:
            delay, fields = self.answer(endpoint, request, number)
            await anyio.sleep(delay)
        finally:
            self.in_flight[name] -= 1
        done = now_ns()
        fields = {"outcome": Outcome.OK, "content": "fine", **fields}
        ok = fields["outcome"] is Outcome.OK
        stamps = Stamps(
            sent_ns=sent,
            end_ns=done,
            first_content_ns=done if ok else None,
            last_content_ns=done if ok else None,
        )
        return ChatResult(stamps=stamps, **fields)


class OneTurn:
    """A test that asks once and is content with any answer."""

    async def run(self, test, ask, said):
        await ask(ChatRequest(messages=({"role": "user", "content": "hello"},), max_tokens=10))
        return TestResult(verdict=Verdict.FULL, score=1.0)


def lane(
    deployment: str, *, workers: int = 1, key: str = "key0", outer=(), per="lane", **limits
) -> LaneSetup:
    return LaneSetup(
        lane=Lane("p", "m", deployment, key),
        model_class="open",
        limits=Limits(workers=workers, **limits),
        outer=tuple(ScopedLimits(Scope(kind, name), Limits(**values)) for kind, name, values in outer),
        per=per,
    )


def ids(count: int, model: str = "m") -> tuple[str, ...]:
    return tuple(f"{model}/optimal/easy/0.8/simple_task/{number}" for number in range(1, count + 1))


def job(tests, lanes, *, name="job", before=(), stagger_s=0.0, delays=(), dealt=False) -> Job:
    shards = tuple(
        Shard(
            lane_id=setup.lane.id,
            delay_s=delays[index] if index < len(delays) else 0.0,
            tests=tests[index :: len(lanes)] if dealt else None,
        )
        for index, setup in enumerate(lanes)
    )
    return Job(
        id=name,
        phase="x",
        model="m",
        provider="p",
        difficulty="easy",
        group="optimal",
        rate="0.8",
        prompt_types=("optimal",),
        tests=tuple(tests),
        shards=shards,
        before=tuple(before),
        stagger_s=stagger_s,
    )


class Rig:
    """One engine with its scripted surroundings."""

    def __init__(self, jobs, lanes, client=None, *, attempts=5, done=(), work=None) -> None:
        self.jobs, self.lanes = jobs, lanes
        self.client = client or ScriptedClient()
        self.journal = MemoryJournal()
        self.attempts, self.done, self.work = attempts, frozenset(done), work or OneTurn()
        self.leases = {}
        self.self_check = None
        self.sharing = None
        self.learnt = None
        self.traces = False
        self.keeps_history = False
        self.engine: Engine
        self.ended_s = 0.0
        self.last: Snapshot

    def run(self, *beside) -> str:
        """Run to the end on virtual time, with coroutines beside it; return how it ended."""
        return trio.run(self._main, beside, clock=MockClock(autojump_threshold=0))

    async def _main(self, beside) -> str:
        plan = Plan(
            title="x",
            profile="test",
            rate_mode="fixed",
            seed=0,
            lanes=tuple(self.lanes),
            jobs=tuple(self.jobs),
            timeouts=Timeouts(),
            attempts=self.attempts,
            leases=self.leases,
        )
        self.engine = Engine(
            plan=plan,
            headline=Headline(run_id="r", run_dir="/r", pid=1, title="x", profile="test", simulated=True),
            work=self.work,
            client=self.client,
            endpoints={
                setup.lane.id: Endpoint(api="openai", base_url="http://x", deployment=setup.lane.id)
                for setup in self.lanes
            },
            journal=self.journal,
            now_ns=now_ns,
            start_ns=now_ns(),
            rng=random.Random(0),
            done=self.done,
            self_check=self.self_check,
            sharing=self.sharing,
            learnt=self.learnt,
            traces=self.traces,
            keeps_history=self.keeps_history,
        )
        async with anyio.create_task_group() as group:
            for function in beside:
                group.start_soon(function, self.engine)
            state = await self.engine.run()
            self.ended_s = trio.current_time()
            self.last = self.engine.look()
            group.cancel_scope.cancel()
        return state
