"""What load stands on, be it one level or a search over many: lanes and gates, the recorder, who watches and steers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import msgspec
from anyio.abc import TaskGroup

from console.engine.arbiter import Arbiter
from console.engine.asking import Attempt, ChatClient, Surroundings
from console.engine.board import Board, Headline, Tally, ttft_p50_ms
from console.engine.client_watch import ClientWatch
from console.engine.gates import NS_PER_S, NowNs
from console.engine.lane_runtime import LaneRuntime
from console.engine.link import Link, Prompt
from console.engine.quarantine import record_switch, switch_by_hand, switch_off, switch_refused, switch_text
from console.engine.recording import Recorder, RowWriter
from console.engine.self_check import SelfCheck
from console.engine.shared_gates import shared_gates
from console.engine.sharing import Sharing
from console.engine.steering import Course, Steering
from console.engine.valve import Valve
from console.engine.watching import Watching
from console.vocabulary.chat import Endpoint
from console.vocabulary.command import Accepted, Refused, Switch
from console.vocabulary.lane import LaneSetup
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow, Row
from console.vocabulary.snapshot import Snapshot
from console.work.contract import Unanswered


class GroundPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a host gives to any load."""

    lanes: Sequence[LaneSetup]
    headline: Headline
    client: ChatClient
    endpoints: Mapping[str, Endpoint]
    journal: RowWriter
    now_ns: NowNs
    start_ns: int
    rng: random.Random
    attempts: int = 1
    """Sendings of a prompt at most."""
    self_check: SelfCheck | None = None
    link: Link | None = None
    """The way to a coordinator, where this is a part of a level."""
    sharing: Sharing | None = None
    ahead_ns: int = 0
    """How far ahead of its time a request passes rates, where `client` holds it until then."""
    keeps_history: bool = False
    """Whether the figures of the last minutes are kept for those who ask."""


class LoadGround:
    """Sends single prompts through the lanes, and shows what becomes of them."""

    def __init__(
        self,
        plan: GroundPlan,
        *,
        observe: Callable[[RequestRow], None],
        on_course: Callable[[Course], None],
        on_off: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare it.

        Args:
            plan: what the host gives.
            observe: told of every request row that is written.
            on_course: told of every command to the run as a whole that was taken.
            on_off: told that lanes were switched off.
        """
        self.now_ns = plan.now_ns
        self.start_ns = plan.start_ns
        self._link = plan.link
        self._observed = observe
        self._on_off = on_off
        self.tally = Tally()
        valve = Valve()
        self.recorder = Recorder(
            plan.journal, now_ns=plan.now_ns, start_ns=plan.start_ns, valve=valve, observe=self._observe
        )
        self.steering = Steering(valve, self.recorder, on_course, self._switch, recorded=plan.link is None)
        if plan.sharing is not None:
            plan.sharing.tell(lambda text: self.recorder.event("warn", "share", "", text))
        self._arbiter = Arbiter(plan.now_ns, plan.ahead_ns)
        gates = shared_gates(plan.lanes)
        self.lanes = [
            LaneRuntime(
                setup,
                plan.endpoints[setup.lane.id],
                gates,
                self._arbiter,
                valve,
                plan.now_ns,
                rests=False,
                beyond=None if plan.sharing is None else plan.sharing.beyond(setup.lane.id),
            )
            for setup in plan.lanes
        ]
        self.around = Surroundings(
            client=plan.client,
            recorder=self.recorder,
            now_ns=plan.now_ns,
            rng=plan.rng,
            attempts=plan.attempts,
            quarantine=self._quarantine,
            self_check=plan.self_check,
            held=None if plan.link is None else plan.link.held,
        )
        self.client_watch = ClientWatch(
            self.around.self_check, self.recorder, plan.now_ns, lambda: ttft_p50_ms(self.lanes)
        )
        self._board = Board(plan.headline, self.tally)
        self.watching = Watching(self.lanes, plan.now_ns, plan.start_ns, keeps=plan.keeps_history)

    def attend(self, group: TaskGroup) -> None:
        """Start what goes on beside the load, in `group`; cancel it at the end."""
        group.start_soon(self.recorder.mend)
        group.start_soon(self._arbiter.run)
        group.start_soon(self.client_watch.run)
        group.start_soon(self.watching.run)

    async def send(self, prompt: Prompt, work_id: str, among: Sequence[LaneRuntime]) -> bool:
        """Send one prompt through the lane of `among` with least to do; return whether it was answered."""
        lane = least_loaded(among)
        slots = lane.slots("")
        if not slots.take_free():
            await slots.acquire()
        try:
            attempt = Attempt(self.around, lane, job_id="", work_id=work_id)
            attempt.due_ns = prompt.due_ns
            try:
                await attempt.ask(prompt.request)
            except Unanswered:
                return False  # its rows say what happened; a level counts it as failed
            return True
        finally:
            slots.release()

    @property
    def all_off(self) -> bool:
        """Whether there is no lane left to send through."""
        return all(lane.off for lane in self.lanes)

    @property
    def held_s(self) -> float:
        """For how long servers asked the lanes to wait, the longest lane."""
        return max(lane.held_ns for lane in self.lanes) / NS_PER_S

    def look(self, *, planned: int, done: int, queued: int, eta_s: float | None) -> Snapshot:
        """Return the picture now."""
        blocked = self.recorder.blocked
        return self._board.snapshot(
            state=self.steering.state,
            now_ns=self.now_ns(),
            start_ns=self.start_ns,
            planned=planned,
            done=done,
            queued=queued,
            eta_s=eta_s,
            lanes=self.lanes,
            jobs=(),
            events=self.recorder.events,
            notice=f"disk: {blocked}" if blocked else "",
            health=self.client_watch.health,
        )

    def _observe(self, row: Row) -> None:
        self.tally.observe(row)
        if isinstance(row, RequestRow):
            self._observed(row)

    def _switch(self, switch: Switch) -> Accepted | Refused:
        changed = switch_by_hand(self.lanes, switch)
        if not changed:
            return switch_refused(((lane.lane, bool(lane.by_hand)) for lane in self.lanes), switch)
        if self._link is None:
            for lane in changed:
                record_switch(self.recorder, lane.lane, on=switch.on)
        self._on_off()
        return Accepted(switch_text(switch, len(changed)))

    def _quarantine(self, lane: LaneRuntime, outcome: Outcome, reason: str) -> None:
        switched = switch_off(self.lanes, lane.lane, outcome, reason)
        if self._link is None:
            for off in switched:
                self.recorder.event("error", "lane_off", off.lane.id, f"switched off: {reason}")
        elif switched:
            self._link.switched_off(lane.lane, outcome, reason)  # which other processes have lanes of, too
        if switched:
            self._on_off()


def least_loaded(lanes: Sequence[LaneRuntime]) -> LaneRuntime:
    """Return the lane with the smallest share of its slots in use, of those that are on."""
    if len(lanes) == 1:
        return lanes[0]
    open_lanes = [lane for lane in lanes if not lane.off] or lanes

    def load(lane: LaneRuntime) -> float:
        slots = lane.slots("")
        busy = slots.in_use + slots.waiting
        return busy if slots.limit is None else busy / slots.limit

    return min(open_lanes, key=load)
