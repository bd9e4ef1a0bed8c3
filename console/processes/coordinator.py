"""What runs several engine processes as one: starts them, passes commands on, merges what they see, ends them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import anyio
from anyio.abc import TaskGroup

from console.engine.board import Headline
from console.engine.gates import NS_PER_S, NowNs, Valve
from console.engine.recording import EVENTS_SHOWN, Recorder, RowWriter
from console.engine.steering import Steering
from console.processes.child import Child
from console.processes.merge import Merged, merge
from console.processes.messages import (
    Begin,
    Ended,
    Finish,
    FromPart,
    HoldLane,
    LaneIsOff,
    Picture,
    Ready,
    Seen,
    Segment,
    Told,
)
from console.vocabulary.command import Command, Stop
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import LaneSetup
from console.vocabulary.rows import Row, RunEnded
from console.vocabulary.snapshot import EventView, JobView, RunState, Snapshot

_LOOK_EVERY_S: Final = 0.25
_LOOKED_AT_FOR_S: Final = 2.0
"""A picture that nobody asked for in this time is not kept fresh."""
_END_WITHIN_S: Final = 15.0
_MOST_DEATHS: Final = 3
"""Deaths of one process after which no other takes its place: what kills it would kill the next one too."""


class Given(Protocol):
    """What a coordinator is given by its host."""

    @property
    def headline(self) -> Headline:
        """What snapshots say besides figures."""
        ...

    @property
    def journal(self) -> RowWriter:
        """Takes the coordinator's own rows: events and the end."""
        ...

    @property
    def now_ns(self) -> NowNs:
        """The monotonic clock."""
        ...

    @property
    def start_ns(self) -> int:
        """The time that rows count from."""
        ...

    @property
    def announce_segment(self) -> Callable[[str], None]:
        """Puts a segment of the journal into `run.toml`."""
        ...


class Coordinator(ABC):
    """Runs a plan or a level on several processes. `run` once; `look` and `steering` at any time."""

    def __init__(self, given: Given, lanes: Sequence[LaneSetup]) -> None:
        self._given = given
        self._order = [setup.lane.id for setup in lanes]
        self._now_ns = given.now_ns
        self._simulated = given.headline.simulated
        self._events: deque[EventView] = deque(maxlen=EVENTS_SHOWN)
        self.recorder = Recorder(
            given.journal,
            now_ns=given.now_ns,
            start_ns=given.start_ns,
            valve=Valve(),
            observe=_count_nothing,
            events=self._events,
        )
        self.steering = Steering(Valve(), self.recorder, self._pass_on)
        self.children: dict[int, Child] = {}
        self.held_s = 0.0
        """For how long servers asked the lanes to wait, the longest process."""
        self._looked_ns = given.now_ns()
        self._group: TaskGroup | None = None
        """Where processes are attended that take the place of others; None: the run is at its end."""
        self._deaths: dict[int, int] = {}
        self._seq = 0

    # What a plan and a level do differently

    @abstractmethod
    def beginnings(self) -> Sequence[Begin]:
        """Return what each process is told first."""

    @abstractmethod
    async def play(self) -> None:
        """Hand out the work until it is done, or drained."""

    @abstractmethod
    def hear(self, child: Child, message: FromPart) -> None:
        """Take in what a process says of its work."""

    @abstractmethod
    def lost(self, child: Child) -> None:
        """Take in that a process died: what it had is for others."""

    @abstractmethod
    def replacement(self, number: int) -> Begin | None:
        """Return what a process is told first that takes the place of one that died; None: none does."""

    @abstractmethod
    def replaced(self, number: int) -> None:
        """Give work to a process that took the place of another."""

    @abstractmethod
    def drain(self) -> None:
        """Take note that nothing new is to be begun."""

    @property
    @abstractmethod
    def planned(self) -> int:
        """How much there is to do."""

    @property
    @abstractmethod
    def done(self) -> int:
        """How much has ended, well or not."""

    @property
    @abstractmethod
    def answered(self) -> int:
        """How much of it was answered."""

    @abstractmethod
    def jobs(self) -> tuple[JobView, ...]:
        """Return the picture of the jobs."""

    @abstractmethod
    def eta_s(self) -> float | None:
        """Return the seconds to the end, where they can be told."""

    # What both do alike

    async def run(self) -> RunState:
        """Run to the end and return how it ended.

        Raises:
            ConsoleError: if the processes cannot be started.
        """
        self.steering.begin()
        failure: ConsoleError | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self.recorder.mend)
                group.start_soon(self._keep_fresh)
                try:
                    with self.steering.scope:
                        await self._start_children(group)
                        await self.play()
                except ConsoleError as error:
                    failure = error  # raised outside, where no group wraps it
                self._group = None
                await self._end_children()
                group.cancel_scope.cancel()
        finally:
            for child in self.children.values():
                child.end()
        if failure is not None:
            raise failure
        state = self.steering.end()
        self.recorder.write_now(
            RunEnded(
                at_ns=self._now_ns() - self._given.start_ns,
                state=state,
                planned=self.planned,
                done=self.answered,
                simulated=self._simulated,
            )
        )
        return state

    async def _start_children(self, group: TaskGroup) -> None:
        self._group = group
        for begin in self.beginnings():
            child = self.children[begin.process] = Child(begin)
            group.start_soon(child.attend, self._hear, self._lost)
        for child in self.children.values():
            await child.wait_ready()

    async def _end_children(self) -> None:
        """Let every process end in order; what takes too long is killed: its journal says what it did."""
        with anyio.move_on_after(_END_WITHIN_S):
            for child in self.children.values():
                child.say(Stop() if self.steering.stopping else Finish())
            for child in self.children.values():
                await child.gone.wait()

    def _pass_on(self, command: Command) -> None:
        for child in self.children.values():
            child.say(command)
        if self.steering.draining or self.steering.stopping:
            self.drain()

    def _hear(self, child: Child, message: FromPart) -> None:
        match message:
            case Ready():
                child.ready.set()
            case Segment(name):
                self._given.announce_segment(name)
            case Seen():
                child.seen = message
                self._simulated = self._simulated or message.snapshot.simulated
            case Told(event):
                self._show(event)
            case HoldLane() | LaneIsOff():
                for other in self.children.values():
                    if other is not child:
                        other.say(message)
            case Ended():
                child.ended = message
                self.held_s = max(self.held_s, message.held_s)
                if message.lost_rows:
                    text = f"process {child.number} ended while the disk took no rows: {message.lost_rows} are lost"
                    self.recorder.event("error", "rows_lost", "", text)
            case _:
                self.hear(child, message)

    def _lost(self, child: Child) -> None:
        number = child.number
        self.lost(child)
        begin = None
        if self._group is not None and not self.steering.draining and not self.steering.stopping:
            self._deaths[number] = self._deaths.get(number, 0) + 1
            begin = self.replacement(number) if self._deaths[number] <= _MOST_DEATHS else None
        what = "another takes its place" if begin is not None else "its part of the limits stays unused"
        text = f"engine process {number} (pid {child.pid}) died: what it had in hand is played again, {what}"
        self.recorder.event("error", "process_lost", "", text)
        if begin is not None and self._group is not None:
            self.children[number] = Child(begin)
            self._group.start_soon(self.children[number].attend, self._hear, self._lost)
            self.replaced(number)

    async def _keep_fresh(self) -> None:
        """Ask for pictures while somebody looks."""
        while True:
            if self._now_ns() - self._looked_ns < _LOOKED_AT_FOR_S * NS_PER_S:
                for child in self.children.values():
                    child.say(Picture())
            await anyio.sleep(_LOOK_EVERY_S)

    def look(self) -> Snapshot:
        """Return the picture as the processes last showed it, at most a moment old while somebody looks."""
        now_ns = self._looked_ns = self._now_ns()
        self._seq += 1
        seen: Merged = merge(
            {child.number: child.seen for child in self.children.values() if child.seen is not None},
            self._order,
        )
        head = self._given.headline
        notice = f"disk: {self.recorder.blocked}" if self.recorder.blocked else seen.notice
        return Snapshot(
            seq=self._seq,
            run_id=head.run_id,
            run_dir=head.run_dir,
            pid=head.pid,
            title=head.title,
            profile=head.profile,
            simulated=self._simulated,
            state=self.steering.state,
            elapsed_s=(now_ns - self._given.start_ns) / NS_PER_S,
            eta_s=self.eta_s() if self.steering.state == "running" else None,
            planned=self.planned,
            done=self.done,
            verdicts=seen.verdicts,
            requests=seen.requests,
            in_flight=sum(lane.in_flight for lane in seen.lanes),
            rate=sum(lane.rate for lane in seen.lanes),
            tokens_per_s=sum(lane.tokens_per_s for lane in seen.lanes),
            ttft_p50_ms=seen.ttft_p50_ms,
            ttft_p95_ms=seen.ttft_p95_ms,
            lanes=seen.lanes,
            jobs=self.jobs(),
            events=tuple(self._events),
            notice=notice,
            health=seen.health,
        )

    def _show(self, event: EventView) -> None:
        """Show an event behind those that are shown: watchers tell only what is newer than what they told."""
        last_s = self._events[-1].at_s if self._events else 0.0
        at_s = max(event.at_s, last_s + 1e-6)
        self._events.append(EventView(at_s=at_s, level=event.level, subject=event.subject, text=event.text))


def _count_nothing(row: Row) -> None:
    """Rows of a coordinator are events: nothing to count."""
