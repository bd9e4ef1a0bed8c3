"""Several engine processes of one run in this process, on virtual time: all is real but the sockets and the system."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import trio
from trio.testing import MockClock

from console.engine.board import Headline
from console.engine.engine import Engine
from console.engine.load import Level, LoadEngine
from console.engine.load_ground import GroundPlan
from console.phases.plan import Job, Plan, Shard
from console.processes.coordinator import Coordinator
from console.processes.messages import Begin, Ended, read_to_part
from console.processes.part import Outbox, Part
from console.records.journal import Journal
from console.records.read_journal import read_rows
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Stamps, Timeouts
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope, ScopedLimits
from console.vocabulary.learnt import with_ages
from console.vocabulary.outcome import TERMINAL, Outcome, Verdict
from console.vocabulary.rows import EventRow, TestRow
from console.vocabulary.snapshot import Snapshot
from console.work.contract import TestResult


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


class Pipe:
    """One direction of a line, with some delay; `stuck` delivers nothing, `cut` ends it."""

    def __init__(self, delay_s: float) -> None:
        self._lines: deque[bytes] = deque()
        self._news = anyio.Event()
        self._delay_s = delay_s
        self._cut = False
        self.stuck = False

    async def send(self, data: bytes) -> None:
        await anyio.sleep(self._delay_s)
        if self._cut:
            raise BrokenPipeError
        self._lines += data.splitlines()
        self.tell()

    async def receive(self) -> bytes | None:
        while True:
            if self._lines and not self.stuck:
                return self._lines.popleft()
            if self._cut and not self.stuck:
                return None
            self._news = anyio.Event()
            await self._news.wait()

    def tell(self) -> None:
        self._news.set()

    def drop(self) -> None:
        self._lines.clear()

    def cut(self) -> None:
        self._cut, self.stuck = True, False
        self.tell()


class Line:
    """One end of a line, in place of a LineSocket."""

    def __init__(self, come: Pipe, go: Pipe) -> None:
        self._come, self._go = come, go
        self.send = go.send

    async def receive_line(self, max_bytes: int) -> bytes | None:
        return await self._come.receive()

    def close(self) -> None:
        self._come.cut()
        self._go.cut()


class Process:
    """An engine process in place of a real one; `kill` ends it as SIGKILL does, `hang` stops it as SIGSTOP does."""

    def __init__(self, rig: Rig, pid: int) -> None:
        self.pid = pid
        self.scope = anyio.CancelScope()
        self.over = False
        self.written = True
        self.to, self.from_ = Pipe(rig.delay_s), Pipe(rig.delay_s)

    def kill(self) -> None:
        self.written = False
        self.over = True
        self.scope.cancel()
        self.to.drop()
        self.to.cut()
        self.from_.cut()

    def hang(self) -> None:
        self.to.stuck = self.from_.stuck = True

    def wait(self, timeout: float | None = None) -> int:
        if not self.over:
            raise subprocess.TimeoutExpired("part", timeout or 0)
        return 0


class FragileJournal:
    """A journal that takes nothing any more once its process is dead."""

    def __init__(self, journal: Journal, process: Process) -> None:
        self._journal, self._process = journal, process

    def hold(self, row: Any) -> None:
        if self._process.written:
            self._journal.hold(row)

    def flush(self) -> None:
        if self._process.written:
            self._journal.flush()


class Client:
    """Answers as `answer(endpoint, number)` says; counts what is in flight per lane over all processes."""

    def __init__(self, answer=lambda endpoint, number: (1.0, {})) -> None:
        self._answer = answer
        self.sent: list[str] = []
        self.live: Counter[str] = Counter()
        self.peaks: Counter[str] = Counter()

    async def warm(self, endpoint: Endpoint) -> None:
        pass

    async def complete(self, endpoint: Endpoint, request: ChatRequest, on_sent=None) -> ChatResult:
        name, sent_ns = endpoint.deployment, now_ns()
        self.sent.append(str(request.messages[0]["content"]))
        self.live[name] += 1
        self.peaks[name] = max(self.peaks[name], self.live[name])
        try:
            delay_s, fields = self._answer(endpoint, len(self.sent))
            await anyio.sleep(delay_s)
        finally:
            self.live[name] -= 1
        fields = {"outcome": Outcome.OK, "content": "fine", **fields}
        at_ns = now_ns() if fields["outcome"] is Outcome.OK else None
        stamps = Stamps(sent_ns=sent_ns, end_ns=now_ns(), first_content_ns=at_ns, last_content_ns=at_ns)
        return ChatResult(stamps=stamps, **fields)


class OneTurn:
    """A test that asks once and is content with any answer."""

    async def run(self, test, ask, said):
        await ask(ChatRequest(messages=({"role": "user", "content": str(test)},), max_tokens=10))
        return TestResult(verdict=Verdict.FULL, score=1.0)


@dataclass
class Seat:
    """What a coordinator is given."""

    headline: Headline
    journal: Any
    endpoints: dict[str, Endpoint]
    start_ns: int
    now_ns: Any = now_ns
    wall: str = "2026-01-01T00:00:00.000+00:00"
    own_lanes: frozenset[str] = frozenset()
    segments: list[str] = field(default_factory=list)

    def announce_segment(self, name: str) -> None:
        self.segments.append(name)


class Rig:
    """Runs one coordinator with its processes."""

    def __init__(self, run_dir: Path, lanes, client: Client | None = None, *, delay_s: float = 0.01) -> None:
        self.run_dir, self.lanes, self.delay_s = run_dir, lanes, delay_s
        self.client = client or Client()
        self.processes: list[Process] = []
        self.coordinator: Coordinator
        self.ended_s = 0.0
        self.last: Snapshot
        self._group: anyio.abc.TaskGroup

    @property
    def alive(self) -> list[Process]:
        return [process for process in self.processes if not process.over]

    @property
    def now_s(self) -> float:
        return trio.current_time()

    def plan(self, jobs, *, attempts: int = 2) -> Plan:
        return Plan(
            title="x", profile="t", rate_mode="fixed", seed=0, lanes=tuple(self.lanes), jobs=tuple(jobs),
            timeouts=Timeouts(), attempts=attempts,
        )  # fmt: skip

    def started(self, log_path: Path) -> tuple[Process, Line]:
        """Take the place of `console.processes.child.started`."""
        process = Process(self, 1000 + len(self.processes))
        self.processes.append(process)
        self._group.start_soon(self._be, process)
        return process, Line(process.from_, process.to)

    def run(self, make, *beside) -> str:
        """Run what `make(seat)` returns on virtual time, with coroutines beside it; return how it ended."""
        return trio.run(self._main, make, beside, clock=MockClock(autojump_threshold=0))

    async def _main(self, make, beside) -> str:
        endpoints = {
            setup.lane.id: Endpoint(api="openai", base_url="http://x", deployment=setup.lane.id)
            for setup in self.lanes
        }
        headline = Headline(
            run_id="r", run_dir=str(self.run_dir), pid=1, title="x", profile="t", simulated=True
        )
        with Journal.open(self.run_dir) as journal:
            seat = Seat(headline, journal, endpoints, now_ns())
            async with anyio.create_task_group() as group:
                self._group = group
                self.coordinator = make(seat)
                for function in beside:
                    group.start_soon(function, self)
                state = await self.coordinator.run()
                self.ended_s, self.last = trio.current_time(), self.coordinator.look()
                group.cancel_scope.cancel()
        return state

    async def _be(self, process: Process) -> None:
        with process.scope:
            line = Line(process.to, process.from_)
            first = await line.receive_line(0)
            if first is not None:
                await self._play(process, line, read_to_part(first))
        process.kill()

    async def _play(self, process: Process, line: Line, begin: Begin) -> None:
        outbox = Outbox()
        with Journal.open(self.run_dir, begin.process) as journal:
            engine = self._engine(begin, FragileJournal(journal, process), outbox)
            part = Part(line, engine, outbox)
            state = await part.run()
            held_s = engine.held_s if isinstance(engine, LoadEngine) else 0.0
        outbox.say(Ended("finished" if state == "finished" else "interrupted", held_s))
        try:
            await part.flush()
        except OSError:
            return

    def _engine(self, begin: Begin, journal: FragileJournal, outbox: Outbox) -> Engine | LoadEngine:
        shared: Any = {
            "headline": Headline(run_id="r", run_dir="", pid=1, title="", profile="", simulated=False),
            "client": self.client,
            "endpoints": {lane_id: sent.endpoint() for lane_id, sent in begin.endpoints.items()},
            "journal": journal,
            "now_ns": now_ns,
            "start_ns": begin.start_ns,
            "rng": random.Random(begin.process),
            "link": outbox,
        }
        if begin.level is not None:
            rate = 1.0 if begin.level.open_loop else None
            level = Level(max_concurrency=begin.level.max_concurrency, request_rate=rate)
            return LoadEngine(level, (), GroundPlan(lanes=begin.level.lanes, **shared))
        return Engine(plan=begin.plan, work=OneTurn(), learnt=with_ages(begin.learnt, time.time()), **shared)


def lane(deployment: str, *, workers: int | None = 1, key: str = "key0", outer=(), per="lane", **limits):
    return LaneSetup(
        lane=Lane("p", "m", deployment, key),
        model_class="open",
        limits=Limits(workers=workers, **limits),
        outer=tuple(ScopedLimits(Scope(kind, name), Limits(**values)) for kind, name, values in outer),
        per=per,
    )


def ids(count, model="m"):
    return tuple(f"{model}/optimal/easy/0.8/simple_task/{number}" for number in range(1, count + 1))


def job(tests, lanes, *, name="job", before=(), stagger_s=0.0, delays=(), dealt=False):
    shards = tuple(
        Shard(
            lane_id=setup.lane.id,
            delay_s=delays[index] if index < len(delays) else 0.0,
            tests=tests[index :: len(lanes)] if dealt else None,
        )
        for index, setup in enumerate(lanes)
    )
    return Job(
        id=name, phase="x", model="m", provider="p", difficulty="easy", group="optimal", rate="0.8",
        prompt_types=("optimal",), tests=tests, shards=shards, before=before, stagger_s=stagger_s,
    )  # fmt: skip


async def guard(rig):
    await anyio.sleep(80_000)
    raise AssertionError("it hangs")


def terminal(rig):
    rows = [row for row in read_rows(rig.run_dir) if isinstance(row, TestRow) and row.verdict in TERMINAL]
    return Counter(row.test for row in rows)


def events(rig, kind):
    return [row for row in read_rows(rig.run_dir) if isinstance(row, EventRow) and row.kind == kind]
