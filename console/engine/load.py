"""Load of a capacity level: the same lanes and gates as phases, driven by concurrency and rate instead of tests.

Closed loop (no rate): as many loops as the concurrency admits, each sending its next prompt when the last one is
answered. Open loop (a rate): prompts are due at absolute times drawn beforehand and are sent then, or, where the
concurrency is used up, as soon as a slot is free; they are never skipped, and rows tell when they were due.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import anyio
import msgspec

from console.engine.asking import Attempt, ChatClient, Surroundings
from console.engine.board import Board, Headline, Tally, ttft_p50_ms
from console.engine.client_watch import ClientWatch
from console.engine.gates import NS_PER_S, NowNs, Slots, Valve
from console.engine.lane_runtime import LaneRuntime
from console.engine.quarantine import switch_off
from console.engine.recording import Recorder, RowWriter
from console.engine.self_check import SelfCheck
from console.engine.shared_gates import shared_gates
from console.engine.steering import Steering
from console.vocabulary.chat import ChatRequest, Endpoint
from console.vocabulary.lane import LaneSetup
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow, Row, RunEnded
from console.vocabulary.snapshot import RunState, Snapshot
from console.work.contract import Unanswered


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One level of load."""

    max_concurrency: int | None
    """Requests in flight over all lanes together; None: as many as the lanes take."""
    request_rate: float | None
    """Requests due per second over all lanes together; None: as fast as answers come (inf)."""
    burstiness: float = 1.0
    """Shape of the gamma distribution of gaps: 1 is Poisson, towards infinity is constant."""


def due_offsets_ns(count: int, level: Level, rng: random.Random) -> list[int]:
    """Return when each request is due after the start; they end at count / rate exactly, whatever was drawn."""
    rate = level.request_rate
    if rate is None:
        raise ValueError("a closed loop has no schedule")
    shape = level.burstiness
    gaps = [rng.gammavariate(shape, 1 / (rate * shape)) for _ in range(count)]
    stretch = count / rate / (sum(gaps) or 1.0)
    total = 0.0
    due: list[int] = []
    for gap in gaps:
        total += gap * stretch
        due.append(int(total * NS_PER_S))
    return due


class LoadEngine:
    """Sends the prompts of one level. `run` once; `look` and `steering` at any time."""

    def __init__(
        self,
        *,
        level: Level,
        requests: Sequence[ChatRequest],
        lanes: Sequence[LaneSetup],
        headline: Headline,
        client: ChatClient,
        endpoints: Mapping[str, Endpoint],
        journal: RowWriter,
        now_ns: NowNs,
        start_ns: int,
        rng: random.Random,
        attempts: int = 1,
        self_check: SelfCheck | None = None,
    ) -> None:
        self._level = level
        self._requests = requests
        self._now_ns = now_ns
        self._start_ns = start_ns
        self._rng = rng
        self._tally = Tally()
        self.rows: list[RequestRow] = []
        """Request rows as written, for the level's result."""
        valve = Valve()
        self._drained = anyio.Event()
        self._recorder = Recorder(
            journal, now_ns=now_ns, start_ns=start_ns, valve=valve, observe=self._observe
        )
        self.steering = Steering(valve, self._recorder, self._drained.set)
        gates = shared_gates(lanes)
        self._lanes = [
            LaneRuntime(setup, endpoints[setup.lane.id], gates, valve, now_ns, rests=False) for setup in lanes
        ]
        self._around = Surroundings(
            client=client,
            recorder=self._recorder,
            now_ns=now_ns,
            rng=rng,
            attempts=attempts,
            quarantine=self._quarantine,
            self_check=self_check,
        )
        self._client_watch = ClientWatch(
            self._around.self_check, self._recorder, now_ns, lambda: ttft_p50_ms(self._lanes)
        )
        self._board = Board(headline, self._tally)
        self._slots = Slots(level.max_concurrency)
        self._next = 0
        self.done = 0
        """Prompts that ended, well or not."""
        self._answered = 0

    async def run(self) -> RunState:
        """Send everything and return how it ended."""
        self.steering.begin()
        with self.steering.scope:
            async with anyio.create_task_group() as background:
                background.start_soon(self._recorder.mend)
                background.start_soon(self._client_watch.run)
                if self._level.request_rate is None:
                    await self._closed_loop()
                else:
                    await self._open_loop()
                background.cancel_scope.cancel()
        state = self.steering.end()
        self._recorder.write_now(
            RunEnded(
                at_ns=self._now_ns() - self._start_ns,
                state=state,
                planned=len(self._requests),
                done=self._answered,
                simulated=self._tally.simulated,
            )
        )
        return state

    async def _closed_loop(self) -> None:
        loops = min(len(self._requests), self._level.max_concurrency or self._capacity())
        async with anyio.create_task_group() as group:
            for _ in range(loops):
                group.start_soon(self._one_after_another)

    def _capacity(self) -> int:
        limits = [lane.workers for lane in self._lanes]
        return sum(len(self._requests) if limit is None else limit for limit in limits)

    async def _one_after_another(self) -> None:
        while self._next < len(self._requests) and not self.steering.draining:
            index = self._next
            self._next += 1
            await self._send(index, None)

    async def _open_loop(self) -> None:
        offsets = due_offsets_ns(len(self._requests), self._level, self._rng)
        start_ns = self._now_ns()
        async with anyio.create_task_group() as group:
            for index, offset_ns in enumerate(offsets):
                wait_ns = start_ns + offset_ns - self._now_ns()
                if wait_ns > 0:
                    with anyio.move_on_after(wait_ns / NS_PER_S):
                        await self._drained.wait()
                if self.steering.draining:
                    return
                group.start_soon(self._send_when_free, index, start_ns + offset_ns)

    async def _send_when_free(self, index: int, due_ns: int) -> None:
        self._around.self_check.schedule_delay(self._now_ns() - due_ns)
        await self._slots.acquire()
        try:
            if not self.steering.draining:
                await self._send(index, due_ns)
        finally:
            self._slots.release()

    async def _send(self, index: int, due_ns: int | None) -> None:
        lane = self._least_loaded()
        slots = lane.slots("")
        await slots.acquire()
        try:
            attempt = Attempt(self._around, lane, job_id="", work_id=f"prompt/{index}")
            attempt.due_ns = due_ns
            try:
                await attempt.ask(self._requests[index])
                self._answered += 1
            except Unanswered:
                pass  # its rows say what happened; a level counts it as failed
            self.done += 1
        finally:
            slots.release()

    def _least_loaded(self) -> LaneRuntime:
        if len(self._lanes) == 1:
            return self._lanes[0]
        open_lanes = [lane for lane in self._lanes if not lane.off] or self._lanes

        def load(lane: LaneRuntime) -> float:
            slots = lane.slots("")
            busy = slots.in_use + slots.waiting
            return busy if slots.limit is None else busy / slots.limit

        return min(open_lanes, key=load)

    @property
    def held_s(self) -> float:
        """For how long servers asked the lanes to wait, the longest lane."""
        return max(lane.held_ns for lane in self._lanes) / NS_PER_S

    def _observe(self, row: Row) -> None:
        self._tally.observe(row)
        if isinstance(row, RequestRow):
            self.rows.append(row)

    def _quarantine(self, lane: LaneRuntime, outcome: Outcome, reason: str) -> None:
        switch_off(self._lanes, lane, outcome, reason, self._recorder)

    def look(self) -> Snapshot:
        """Return the picture now."""
        now_ns = self._now_ns()
        elapsed_s = (now_ns - self._start_ns) / NS_PER_S
        left = len(self._requests) - self.done
        running = self.steering.state == "running" and self.done > 0
        return self._board.snapshot(
            state=self.steering.state,
            now_ns=now_ns,
            start_ns=self._start_ns,
            planned=len(self._requests),
            done=self.done,
            eta_s=elapsed_s * left / self.done if running else None,
            lanes=self._lanes,
            jobs=(),
            events=self._recorder.events,
            notice=f"disk: {self._recorder.blocked}" if self._recorder.blocked else "",
            health=self._client_watch.health,
        )
