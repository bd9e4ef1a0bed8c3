"""What runs several engine processes as one: starts them, passes commands on, merges what they see, ends them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Final

import anyio
from anyio.abc import TaskGroup

from console.engine.board import phase_views
from console.engine.gates import NS_PER_S
from console.engine.quarantine import (
    is_switched,
    is_switched_off_with,
    record_switch,
    switch_refused,
    switch_text,
)
from console.engine.recording import EVENTS_SHOWN, Recorder
from console.engine.steering import LEVEL_LIMITS, Course, Steering
from console.engine.valve import Valve
from console.processes.child import Child
from console.processes.given import Given
from console.processes.looking import Looking
from console.processes.merge import Merged, latest_learnt, merge, remains_of
from console.processes.messages import (
    AboutLane,
    Begin,
    Ended,
    Finish,
    FromPart,
    HoldLane,
    LaneIsOff,
    Ready,
    Seen,
    Segment,
    Told,
)
from console.processes.tuning import PartsTuning
from console.vocabulary.command import (
    Accepted,
    Adapt,
    Pause,
    Refused,
    Stop,
    Switch,
    SwitchKind,
    Tune,
)
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.lane import LaneSetup
from console.vocabulary.learnt import Learnt
from console.vocabulary.names import PROCESS_LOST
from console.vocabulary.rows import Row, RunEnded
from console.vocabulary.snapshot import EventView, JobView, RunState, Snapshot

_LOOK_EVERY_S: Final = 0.25
_LOOKED_AT_FOR_S: Final = 2.0
"""A picture that nobody asked for in this time need not be as fresh."""
_TURNS_UNLOOKED_AT: Final = 8
_TURNS_OF_SILENCE: Final = 240
"""A process that shows no picture in so many turns hangs."""
_END_WITHIN_S: Final = 15.0
_MOST_DEATHS: Final = 3
"""Deaths of one process after which no other takes its place: what kills it would kill the next one too."""


class Coordinator(ABC):
    """Runs a plan or a level on several processes. `run` once; `look` and `steering` at any time."""

    def __init__(self, given: Given, lanes: Sequence[LaneSetup]) -> None:
        self._given = given
        self._lanes = [setup.lane for setup in lanes]
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
        self.steering = Steering(
            Valve(), self.recorder, self._pass_on, self._switch_by_hand, self._tune, self._adapt
        )
        self.children: dict[int, Child] = {}
        self.held_s = 0.0
        """For how long servers asked the lanes to wait, the longest process."""
        self._looked_ns = given.now_ns()
        self._group: TaskGroup | None = None
        """Where processes are attended that take the place of others; None: the run is at its end."""
        self.deaths: dict[int, int] = {}
        """How often processes died while there was work for them."""
        self._remains: list[tuple[int, Seen]] = []
        """What those had counted that are gone."""
        self._switched: list[LaneIsOff | Switch] = []
        """In order, for processes that take the place of others."""
        self._off_ids: set[str] = set()
        self._by_hand: dict[str, set[SwitchKind]] = {lane.id: set() for lane in self._lanes}
        """By what somebody switched them off who may switch that on again."""
        self._holds_until_ns: dict[str, int] = {}
        self._seq = 0
        self.tuning: PartsTuning | None = None
        """Changes limits; None: they stay as they are."""
        self._looking = Looking(self._lanes, self.children, given.now_ns, given.start_ns)

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

    def switched(self) -> None:
        """Take in that lanes went off or on."""
        return

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
    def queued(self) -> int:
        """How much has not begun."""

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
        failure: ConsoleError | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self.recorder.mend)
                group.start_soon(self._keep_fresh)
                group.start_soon(self._looking.keep_history, lambda: self.merged().lanes)
                try:
                    with self.steering.scope:
                        await self._start_children(group)
                        self.steering.begin()
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
            self._start_child(begin, group)
        for number in self.children:
            while not await (child := self.children[number]).wait_ready():
                if child is self.children[number]:  # no other has taken its place
                    raise ConsoleError(
                        f"engine process {number} did not start",
                        hint="engine.log in the run directory says why",
                        exit_code=ExitCode.OUR_FAULT,
                    )

    def _start_child(self, begin: Begin, group: TaskGroup) -> None:
        """Start a process and tell it what the others have been told already.

        Raises:
            ConsoleError: if the system starts no further process.
        """
        child = self.children[begin.process] = Child(begin)
        for switched in self._switched:
            child.say(switched)
        for told in () if self.tuning is None else self.tuning.told(begin.process):
            child.say(told)
        now_ns = self._now_ns()
        for lane_id, until_ns in self._holds_until_ns.items():
            if until_ns > now_ns:
                child.say(HoldLane(lane_id, (until_ns - now_ns) / NS_PER_S))
        if self.steering.paused:
            child.say(Pause())
        group.start_soon(child.attend, self._hear, self._lost)

    async def _end_children(self) -> None:
        """Let every process end in order; what takes too long is killed: its journal says what it did."""
        with anyio.move_on_after(_END_WITHIN_S):
            for child in self.children.values():
                child.say(Stop() if self.steering.stopping else Finish())
            for child in self.children.values():
                await child.gone.wait()

    def _pass_on(self, command: Course) -> None:
        for child in self.children.values():
            child.say(command)
        if self.steering.draining or self.steering.stopping:
            self.drain()
        else:
            self.switched()  # a pause, or its end

    def _hear(self, child: Child, message: FromPart) -> None:
        match message:
            case Ready():
                child.ready.set()
            case Segment(name):
                self._announce(name)
            case Seen():
                child.seen, child.asked = message, 0
                self._simulated = self._simulated or message.snapshot.simulated
            case AboutLane():
                child.hear_about(message)
            case Told(event):
                self._show(event)
            case HoldLane(lane_id, seconds):
                until_ns = self._now_ns() + int(seconds * NS_PER_S)
                self._holds_until_ns[lane_id] = max(until_ns, self._holds_until_ns.get(lane_id, 0))
                self._say_to_others(child, message)
            case LaneIsOff():
                self._switch_off(message)
                self._say_to_others(child, message)
                self.switched()
            case Ended():
                child.ended = message
                self.held_s = max(self.held_s, message.held_s)
                if message.lost_rows:
                    text = f"process {child.number} ended while the disk took no rows: {message.lost_rows} are lost"
                    self.recorder.event("error", "rows_lost", "", text)
            case _:
                self.hear(child, message)

    def _say_to_others(self, child: Child, message: HoldLane | LaneIsOff) -> None:
        for other in self.children.values():
            if other is not child:
                other.say(message)

    def _switch_off(self, off: LaneIsOff) -> None:
        """Record it once for every lane, whichever processes have it."""
        self._switched.append(off)
        for lane in self._lanes:
            if lane.id not in self._off_ids and is_switched_off_with(lane, off.lane, off.outcome):
                self._off_ids.add(lane.id)
                self.recorder.event("error", "lane_off", lane.id, f"switched off: {off.reason}")

    def _switch_by_hand(self, switch: Switch) -> Accepted | Refused:
        changed = [
            lane
            for lane in self._lanes
            if switch.concerns(lane) and is_switched(self._by_hand[lane.id], lane.id in self._off_ids, switch)
        ]
        self._switched.append(switch)
        for child in self.children.values():
            child.say(switch)
        if not changed:
            return switch_refused(((lane, bool(self._by_hand[lane.id])) for lane in self._lanes), switch)
        for lane in changed:
            if switch.on:
                self._off_ids.discard(lane.id)
            else:
                self._off_ids.add(lane.id)
            record_switch(self.recorder, lane, on=switch.on)
        self.switched()
        return Accepted(switch_text(switch, len(changed)))

    def _tune(self, tune: Tune) -> Accepted | Refused:
        return Refused(LEVEL_LIMITS) if self.tuning is None else self.tuning.tune(tune)

    def _adapt(self, adapt: Adapt) -> Accepted | Refused:
        return Refused(LEVEL_LIMITS) if self.tuning is None else self.tuning.adapt(adapt)

    def _announce(self, segment: str) -> None:
        try:
            self._given.announce_segment(segment)
        except ConsoleError as error:  # run.toml lists it with the next one; readers look into the directory
            self.recorder.event("warn", "segment", segment, f"not in run.toml yet: {error.message}")

    def _lost(self, child: Child) -> None:
        if child.seen is not None:
            self._remains.append((child.number, remains_of(child.seen)))
            child.seen = None
        self.lost(child)
        group, what = self._group, ""
        if group is None or self.steering.draining or self.steering.stopping:
            what = "the run ends without it"
        else:
            self.deaths[child.number] = self.deaths.get(child.number, 0) + 1
            what = self._replace(child.number, group)
        text = f"engine process {child.number} (pid {child.pid}) died: {what}"
        self.recorder.event("error", PROCESS_LOST, "", text)

    def _replace(self, number: int, group: TaskGroup) -> str:
        """Let another process take the place of one that died, if one does, and say what comes of it."""
        begin = self.replacement(number)
        if begin is None:
            return "what it had in hand counts as failed"
        unused = "others play what it had in hand; its part of the limits stays unused"
        if self.deaths[number] > _MOST_DEATHS:
            return unused
        try:
            self._start_child(begin, group)
        except ConsoleError as error:
            return f"{unused}, as {error.message}"
        self.replaced(number)
        return "another takes its place and plays what it had in hand again"

    async def _keep_fresh(self) -> None:
        """Ask for pictures, often while somebody looks; end a process that shows none: it hangs.

        Turns are counted there and not seconds: a machine that was away is no process that hangs.
        """
        turn = 0
        while True:
            turn += 1
            looked_at = self._now_ns() - self._looked_ns < _LOOKED_AT_FOR_S * NS_PER_S
            for child in self.children.values():
                if child.asked or looked_at or turn % _TURNS_UNLOOKED_AT == 0:
                    child.ask_for_picture()
                if child.asked == _TURNS_OF_SILENCE and not child.gone.is_set():
                    silent_s = _TURNS_OF_SILENCE * _LOOK_EVERY_S
                    text = f"engine process {child.number} (pid {child.pid}) hangs, silent for {silent_s:.0f} s: it is killed"
                    self.recorder.event("error", "process_hangs", "", text)
                    child.kill()
            await anyio.sleep(_LOOK_EVERY_S)

    def pictures(self) -> list[tuple[int, Seen]]:
        """Return what processes showed last, those that are gone included."""
        shown = [(child.number, child.seen) for child in self.children.values() if child.seen is not None]
        return [*self._remains, *shown]

    def merged(self) -> Merged:
        """Return what the processes showed last, together."""
        return merge(self.pictures(), [lane.id for lane in self._lanes])

    def look(self) -> Snapshot:
        """Return the picture as the processes last showed it, at most a moment old while somebody looks, else two seconds."""
        now_ns = self._looked_ns = self._now_ns()
        self._seq += 1
        seen = self.merged()
        state, jobs = self.steering.state, self.jobs()
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
            state="blocked" if seen.blocked and state in ("running", "paused", "draining") else state,
            elapsed_s=(now_ns - self._given.start_ns) / NS_PER_S,
            eta_s=self.eta_s() if state == "running" else None,
            planned=self.planned,
            done=self.done,
            verdicts=seen.verdicts,
            requests=seen.requests,
            in_flight=sum(lane.in_flight for lane in seen.lanes),
            queued=min(self.queued, max(0, self.planned - self.done)),
            rate=sum(lane.rate for lane in seen.lanes),
            tokens_per_s=sum(lane.tokens_per_s for lane in seen.lanes),
            ttft_p50_ms=seen.ttft_p50_ms,
            ttft_p95_ms=seen.ttft_p95_ms,
            lanes=seen.lanes,
            jobs=jobs,
            phases=phase_views(jobs),
            events=tuple(self._events),
            notice=notice,
            health=seen.health,
        )

    async def inspect(self, lane_id: str) -> LaneDetail | Refused:
        """Return everything about one lane, as its processes tell it now."""
        self._looked_ns = self._now_ns()
        by_hand = () if self.tuning is None else self.tuning.changes(lane_id)
        return await self._looking.inspect(lane_id, [seen for _, seen in self._remains], by_hand)

    def recall(self) -> History | Refused:
        """Return the figures of the last minutes."""
        return self._looking.recall()

    def learnt(self, wall_s: float) -> dict[str, Learnt]:
        """Return what adaptive lanes had learnt by the latest pictures; each bears its own time, so `wall_s` is idle."""
        return latest_learnt(picture for _, picture in self.pictures())

    def tell(self, level: str, kind: str, subject: str, text: str) -> None:
        """Record and show what somebody round the run has to say."""
        self.recorder.event(level, kind, subject, text)

    def _show(self, event: EventView) -> None:
        """Show an event behind those that are shown: watchers tell only what is newer than what they told."""
        last_s = self._events[-1].at_s if self._events else 0.0
        at_s = max(event.at_s, last_s + 1e-6)
        self._events.append(EventView(at_s=at_s, level=event.level, subject=event.subject, text=event.text))


def _count_nothing(row: Row) -> None:
    """Rows of a coordinator are events: nothing to count."""
