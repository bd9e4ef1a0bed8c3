"""Load of a capacity level: the same lanes and gates as phases, driven by concurrency and rate instead of tests.

Closed loop (no rate): as many loops as the concurrency admits, each sending its next prompt when the last one is
answered. Open loop (a rate): prompts are due at absolute times drawn beforehand and are sent then, or, where the
concurrency is used up, as soon as a slot is free; they are never skipped, and rows tell when they were due.

Where a level runs on several processes, a coordinator feeds each of them prompts, or its part of the schedule.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import anyio

from console.engine.arrivals import Level, due_offsets_ns
from console.engine.gates import NS_PER_S
from console.engine.link import Link, Prompt
from console.engine.load_ground import GroundPlan, LoadGround
from console.engine.quarantine import switch_off
from console.engine.senders import Senders
from console.engine.slots import Slots
from console.vocabulary.chat import ChatRequest
from console.vocabulary.command import Command, Drain, Refused, Stop
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow, RunEnded
from console.vocabulary.snapshot import RunState, Snapshot

_AT_HAND: Final = 16
"""Fewest prompts to have waiting in a fed loop, so that nobody waits for the next one to be sent over."""
_NAP_NS: Final = 20_000_000
"""A drain is not noticed in a shorter wait for the next due request, which then costs a quarter."""


class LoadEngine:
    """Sends the prompts of one level. `run` once; `look` and `steering` at any time."""

    def __init__(self, level: Level, requests: Sequence[ChatRequest], plan: GroundPlan) -> None:
        """Prepare a level, or with a link in `plan` the part of one, which gets its prompts from a coordinator."""
        self._level = level
        self._requests = requests
        self._link = plan.link
        self._fed: deque[Prompt] = deque()
        self._received = 0
        self._asked = (0, 0)
        self._idle = 0
        """Loops that have no prompt."""
        self._more = anyio.Event()
        self._closed = False
        self._now_ns = plan.now_ns
        self._rng = plan.rng
        self.rows: list[RequestRow] = []
        """Request rows as written, for the level's result."""
        self._drained = anyio.Event()
        self._ground = LoadGround(
            plan, observe=self.rows.append, on_course=self._obeyed, on_off=self._return_if_off
        )
        self.steering = self._ground.steering
        self.watching = self._ground.watching
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
                self._ground.attend(background)
                if self._link is not None:
                    await self._fed_loop(self._link)
                elif self._level.request_rate is None:
                    await self._closed_loop()
                else:
                    await self._open_loop()
                background.cancel_scope.cancel()
        state = self.steering.end()
        if self._link is not None:
            return state
        self._ground.recorder.write_now(
            RunEnded(
                at_ns=self._now_ns() - self._ground.start_ns,
                state=state,
                planned=len(self._requests),
                done=self._answered,
                simulated=self._ground.tally.simulated,
            )
        )
        return state

    async def _closed_loop(self) -> None:
        loops = min(len(self._requests), self._level.max_concurrency or self._capacity())
        async with anyio.create_task_group() as group:
            for _ in range(loops):
                group.start_soon(self._one_after_another)

    def _capacity(self) -> int:
        limits = [lane.workers for lane in self._ground.lanes]
        return sum(len(self._requests) if limit is None else limit for limit in limits)

    async def _one_after_another(self) -> None:
        while self._next < len(self._requests) and not self.steering.draining:
            index = self._next
            self._next += 1
            await self._send(Prompt(index, self._requests[index]))

    def _obeyed(self, command: Command) -> None:
        if isinstance(command, Drain | Stop):
            self._drained.set()
            self._more.set()

    # As a part of a level

    def feed(self, prompts: Iterable[Prompt]) -> None:
        """Take further prompts; without any lane they go back, as another process may have one."""
        fresh = list(prompts)
        self._received += len(fresh)
        self._fed.extend(fresh)
        self._return_if_off()
        self._wake()

    def close(self) -> None:
        """Take note that no further prompt comes."""
        self._closed = True
        self._wake()

    def hold_lane(self, lane_id: str, seconds: float) -> None:
        """Wait on a lane as a server asked another process to."""
        for lane in self._ground.lanes:
            if lane.lane.id == lane_id:
                lane.throttle(seconds)

    def lane_is_off(self, lane: Lane, outcome: Outcome, reason: str) -> None:
        """Switch off what another process had to switch off, as far as it is here as well."""
        switch_off(self._ground.lanes, lane, outcome, reason)
        self._return_if_off()

    def ttft_counts(self) -> dict[str, dict[int, int]]:
        """Return TTFT of each lane in logarithmic buckets, which the parts of a level merge."""
        return {lane.lane.id: lane.ttft.counts for lane in self._ground.lanes}

    def _return_if_off(self) -> None:
        """Give back what is due at no certain time; a part of a schedule stays here, as it would come too late."""
        if self._link is not None and self._level.request_rate is None and self._ground.all_off:
            left, self._fed = self._fed, deque()
            self._link.job_ended(0, [str(prompt.index) for prompt in left], {})

    def _wake(self) -> None:
        self._more.set()
        self._more = anyio.Event()

    async def _fed_loop(self, link: Link) -> None:
        loops = self._level.max_concurrency or self._capacity()
        if self._level.request_rate is not None:
            while not self._closed and not self.steering.draining:
                await self._more.wait()
            await self._on_schedule(self._fed)
            return
        async with anyio.create_task_group() as group:
            for _ in range(loops):
                group.start_soon(self._send_what_is_fed, link, max(_AT_HAND, loops // 2))

    async def _send_what_is_fed(self, link: Link, at_hand: int) -> None:
        self._idle += 1
        while not self.steering.draining:
            prompt = self._fed.popleft() if self._fed else None
            self._idle -= prompt is not None
            self._ask(link, at_hand)
            if prompt is not None:
                await self._send(prompt)
                self._idle += 1
            elif self._closed:
                return
            else:
                await self._more.wait()

    def _ask(self, link: Link, at_hand: int) -> None:
        if self._ground.all_off:
            return
        now = self._received + max(0, self._idle - len(self._fed))
        ahead = self._received + max(0, self._idle + at_hand - len(self._fed))
        if now > self._asked[0] or ahead - self._asked[1] >= at_hand / 2:
            self._asked = (now, ahead)
            link.want(0, now, ahead)

    async def _open_loop(self) -> None:
        offsets = due_offsets_ns(len(self._requests), self._level, self._rng)
        start_ns = self._now_ns()
        await self._on_schedule(
            Prompt(index, request, start_ns + offset_ns)
            for index, (request, offset_ns) in enumerate(zip(self._requests, offsets, strict=True))
        )

    async def _on_schedule(self, prompts: Iterable[Prompt]) -> None:
        async with anyio.create_task_group() as group:
            senders = Senders(group, self._send_when_free)
            for prompt in prompts:
                await self._until_due_or_drained(prompt.due_ns or 0)
                if self.steering.draining:
                    break
                senders.hand_over(prompt)
            senders.close()

    async def _until_due_or_drained(self, due_ns: int) -> None:
        wait_ns = due_ns - self._now_ns()
        if wait_ns > _NAP_NS:
            with anyio.move_on_after(wait_ns / NS_PER_S):
                await self._drained.wait()
        elif wait_ns > 0:
            await anyio.sleep(wait_ns / NS_PER_S)

    async def _send_when_free(self, prompt: Prompt) -> None:
        self._ground.around.self_check.schedule_delay(self._now_ns() - (prompt.due_ns or 0))
        if not self._slots.take_free():
            await self._slots.acquire()
        try:
            if not self.steering.draining:
                await self._send(prompt)
        finally:
            self._slots.release()

    async def _send(self, prompt: Prompt) -> None:
        answered = await self._ground.send(prompt, f"prompt/{prompt.index}", self._ground.lanes)
        self._answered += answered
        self.done += 1

    @property
    def held_s(self) -> float:
        """For how long servers asked the lanes to wait, the longest lane."""
        return self._ground.held_s

    async def inspect(self, lane_id: str) -> LaneDetail | Refused:
        """Return everything about one lane."""
        return self.watching.inspect(lane_id)

    def recall(self) -> History | Refused:
        """Return the figures of the last minutes."""
        return self.watching.recall()

    def look(self) -> Snapshot:
        """Return the picture now."""
        elapsed_s = (self._now_ns() - self._ground.start_ns) / NS_PER_S
        left = len(self._requests) - self.done
        running = self.steering.state == "running" and self.done > 0
        return self._ground.look(
            planned=len(self._requests),
            done=self.done,
            queued=max(0, left - sum(lane.held for lane in self._ground.lanes)),
            eta_s=elapsed_s * left / self.done if running else None,
        )
