"""One engine process: plays its part of a run as the coordinator says, and ends when the coordinator is gone."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import anyio

from console.broker.run_share import RunShare
from console.control.lines import LineSocket
from console.engine.board import Headline
from console.engine.departure import AHEAD_NS
from console.engine.engine import Engine
from console.engine.link import Link
from console.engine.load import Level, LoadEngine
from console.engine.load_ground import GroundPlan
from console.engine.self_check import SelfCheck
from console.heap import settled_heap
from console.llm.client import LlmClient
from console.llm.read_probe import read_probe
from console.own_time import cpu_ns, waited_ns
from console.phases.plan import Plan
from console.processes.messages import (
    MAX_LINE_BYTES,
    AboutLane,
    AskAboutLane,
    Begin,
    CloseJob,
    ClosePrompts,
    Deal,
    DealPrompts,
    Done,
    Ended,
    Finish,
    FromPart,
    HoldLane,
    JobEnded,
    LaneIsOff,
    LeaveKey,
    Picture,
    Ready,
    Seen,
    Segment,
    SetLimits,
    StartJob,
    Told,
    Want,
    line_of,
    read_to_part,
)
from console.records.debug_log import DebugLog
from console.records.journal import JournalBlocked
from console.records.paired_writer import RowsOfRun, open_rows
from console.vocabulary.command import Adapt, Drain, Pause, Resume, Stop, Switch
from console.vocabulary.inspection import LaneDetail
from console.vocabulary.lane import Lane
from console.vocabulary.learnt import with_ages
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RunStarted
from console.vocabulary.snapshot import RunState
from console.work.choice import work_of

_GATHER_S = 0.002
"""Words to the coordinator gather this long, so that many tests that end together are one line."""


class Outbox(Link):
    """Gathers what there is to say; of what is asked for only the latest counts."""

    def __init__(self) -> None:
        self._wants: dict[tuple[int, int], Want] = {}
        self._done: dict[int, list[tuple[str, bool, int]]] = {}
        self._rest: list[FromPart] = []
        self._something = anyio.Event()

    def want(self, job: int, now: int, ahead: int, stint: int = 0) -> None:
        """Ask for work."""
        self._wants[job, stint] = Want(job, now, ahead, stint)
        self._something.set()

    def done(self, job: int, test: str, duration_ns: int, *, answered: bool) -> None:
        """Tell of a verdict."""
        self._done.setdefault(job, []).append((test, answered, duration_ns))
        self._something.set()

    def job_ended(self, job: int, left: Sequence[str], attempts: Mapping[str, int], stint: int = 0) -> None:
        """Give tests back."""
        tried = {test: attempts[test] for test in left if test in attempts}
        self.say(JobEnded(job, tuple(left), tried, stint))

    def held(self, lane: Lane, seconds: float) -> None:
        """Tell of a server's wish."""
        self.say(HoldLane(lane.id, seconds))

    def switched_off(self, lane: Lane, outcome: Outcome, reason: str) -> None:
        """Tell of a lane that is off."""
        self.say(LaneIsOff(lane, outcome, reason))

    def say(self, message: FromPart) -> None:
        """Send something."""
        self._rest.append(message)
        self._something.set()

    def take(self) -> list[FromPart]:
        """Return what there is to say: verdicts before the end of their job."""
        self._something = anyio.Event()
        done = [
            Done(job, *(tuple(column) for column in zip(*verdicts, strict=True)))
            for job, verdicts in self._done.items()
        ]
        said: list[FromPart] = [*done, *self._rest, *self._wants.values()]
        self._wants, self._done, self._rest = {}, {}, []
        return said

    async def wait(self) -> None:
        """Wait until there is something to say."""
        await self._something.wait()


class Part:
    """An engine and its line to the coordinator."""

    def __init__(self, line: LineSocket, engine: Engine | LoadEngine, outbox: Outbox) -> None:
        self._line = line
        self._engine = engine
        self._outbox = outbox
        self._told_s = -1.0

    async def run(self) -> RunState:
        """Play until the coordinator says that it is over, or is gone."""
        state: RunState = "interrupted"
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            group.start_soon(self._speak)
            self._outbox.say(Ready())
            state = await self._engine.run()
            self._tell_picture()  # the last one: with all that was done
            group.cancel_scope.cancel()
        return state

    async def _listen(self) -> None:
        try:
            while (line := await self._line.receive_line(MAX_LINE_BYTES)) is not None:
                self._obey(line)
        except OSError:
            pass  # as good as its end: the coordinator is gone
        self._engine.steering.stop("the coordinator is gone")

    async def _speak(self) -> None:
        try:
            while True:
                await self._outbox.wait()
                await anyio.sleep(_GATHER_S)
                with anyio.CancelScope(shield=True):  # half a line would make nonsense of the next one
                    await self.flush()
        except OSError:
            self._engine.steering.stop("the coordinator is gone")

    async def flush(self) -> None:
        """Send what there is to say."""
        await self._line.send(b"".join(line_of(message) for message in self._outbox.take()))

    def _obey(self, line: bytes) -> None:
        message, engine = read_to_part(line), self._engine
        match message:
            case Pause() | Resume() | Drain() | Stop() | Switch():
                engine.steering.obey(message)
            case Picture():
                self._tell_picture()
            case AskAboutLane(lane):
                self._tell_of_lane(lane)
            case HoldLane(lane_id, seconds):
                engine.hold_lane(lane_id, seconds)
            case LaneIsOff(lane, outcome, reason):
                engine.lane_is_off(lane, outcome, reason)
            case _ if isinstance(engine, Engine):
                match message:
                    case StartJob(job, key, stint):
                        engine.fed.start_job(job, key, stint)
                    case SetLimits(limits):
                        engine.tuning.apply(limits)
                    case Adapt(lanes, on):
                        engine.adapting.switch(lanes, on=on)
                    case LeaveKey(job):
                        engine.fed.leave_key(job)
                    case Deal(job, tests, attempts):
                        engine.fed.feed(job, tests, attempts)
                    case CloseJob(job):
                        engine.fed.close_job(job)
                    case Finish():
                        engine.fed.finish()
                    case _:
                        raise ValueError(f"no part of a plan takes {type(message).__name__}")
            case DealPrompts(prompts):
                engine.feed(prompts)
            case ClosePrompts() | Finish():
                engine.close()
            case _:
                raise ValueError(f"no part of a level takes {type(message).__name__}")

    def _tell_of_lane(self, lane: Lane) -> None:
        watching = self._engine.watching
        found = watching.inspect(lane.id)
        detail = found if isinstance(found, LaneDetail) else None
        self._outbox.say(AboutLane(lane.id, detail, watching.gates(lane)))

    def _tell_picture(self) -> None:
        snapshot = self._engine.look()
        for event in snapshot.events:
            if event.at_s > self._told_s:
                self._told_s = event.at_s
                self._outbox.say(Told(event))
        learnt = self._engine.learnt(time.time()) if isinstance(self._engine, Engine) else {}
        self._outbox.say(Seen(snapshot, self._engine.ttft_counts(), learnt))


async def play_part(connection: socket.socket) -> None:
    """Be one process of a run, from the first line to the last."""
    line = LineSocket(connection)
    first = await line.receive_line(MAX_LINE_BYTES)
    if first is None:
        return
    begin = read_to_part(first)
    if not isinstance(begin, Begin):
        raise ValueError("the first line is not a beginning")
    outbox = Outbox()
    journal = open_rows(
        Path(begin.run_dir),
        begin.process,
        traces=begin.traces,
        on_rotate=lambda name: outbox.say(Segment(name)),
    )
    journal.append(RunStarted(run_id=begin.run_id, pid=os.getpid(), wall=begin.wall, start_ns=begin.start_ns))
    self_check = SelfCheck(cpu_ns, waited_ns)
    now_ns = time.perf_counter_ns
    with closing(_shared(begin)) as shared:
        async with LlmClient(timeouts=begin.timeouts, now_ns=now_ns) as client:
            engine = _engine(begin, client, journal, self_check, outbox, shared)
            part = Part(line, engine, outbox)
            with settled_heap(), read_probe(self_check, now_ns):
                state = await part.run()
    lost_rows = 0
    try:
        journal.close()
    except JournalBlocked as error:
        lost_rows = error.pending_rows
    held_s = engine.held_s if isinstance(engine, LoadEngine) else 0.0
    outbox.say(
        Ended("finished" if state == "finished" else "interrupted", held_s=held_s, lost_rows=lost_rows)
    )
    try:
        await part.flush()
    except OSError:
        pass  # the coordinator is gone; the journal says everything
    line.close()


def _shared(begin: Begin) -> RunShare:
    """Open what this process's lanes share with other runs, and with other processes of this run."""
    level, plan = begin.level, begin.plan
    lanes = level.lanes if level is not None else plan.lanes if plan is not None else ()
    endpoints = {lane_id: sent.endpoint() for lane_id, sent in begin.endpoints.items()}
    return RunShare(
        lanes,
        endpoints,
        run_id=begin.run_id,
        now_ns=time.perf_counter_ns,
        own_lanes=frozenset(begin.own_lanes),
    )


def _engine(
    begin: Begin,
    client: LlmClient,
    journal: RowsOfRun,
    self_check: SelfCheck,
    outbox: Outbox,
    shared: RunShare,
) -> Engine | LoadEngine:
    headline = Headline(
        run_id=begin.run_id,
        run_dir=begin.run_dir,
        pid=os.getpid(),
        title="",
        profile="",
        simulated=False,
    )
    endpoints = {lane_id: sent.endpoint() for lane_id, sent in begin.endpoints.items()}
    now_ns = time.perf_counter_ns
    if begin.level is not None:
        level = Level(
            max_concurrency=begin.level.max_concurrency, request_rate=1.0 if begin.level.open_loop else None
        )
        return LoadEngine(
            level,
            (),
            GroundPlan(
                lanes=begin.level.lanes,
                headline=headline,
                client=client,
                endpoints=endpoints,
                journal=journal,
                now_ns=now_ns,
                start_ns=begin.start_ns,
                rng=random.Random(begin.process),
                self_check=self_check,
                link=outbox,
                sharing=shared,
                ahead_ns=AHEAD_NS,
            ),
        )
    plan: Plan | None = begin.plan
    assert plan is not None
    told = begin.told_lanes
    return Engine(
        plan=plan,
        headline=headline,
        work=work_of(plan.seed, plan.protocols, plan.max_tokens),
        client=client,
        endpoints=endpoints,
        journal=DebugLog(journal, Path(begin.run_dir), told, begin.process) if told else journal,
        now_ns=now_ns,
        start_ns=begin.start_ns,
        rng=random.Random(plan.seed + begin.process),
        learnt=with_ages(begin.learnt, time.time()),
        self_check=self_check,
        link=outbox,
        sharing=shared,
        ahead_ns=AHEAD_NS,
        traces=begin.traces != "none",
    )
