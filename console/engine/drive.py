"""Load at one level of a search: so many in flight, or so many a second, until told that it is enough.

Closed loop: as many loops as the concurrency, each sending its next prompt when the last one is answered. Open loop:
prompts are due on an absolute schedule and are sent then, or as soon as one of the slots is free; rows tell when they
were due. Either way what is in flight when it ends is waited for, and nothing begins any more.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

import anyio

from console.engine.arrivals import endless_offsets_ns
from console.engine.gates import NS_PER_S
from console.engine.lane_runtime import LaneRuntime
from console.engine.link import Prompt
from console.engine.load_ground import LoadGround
from console.engine.senders import Senders
from console.engine.slots import Slots
from console.vocabulary.chat import ChatRequest

_NAP_NS: Final = 20_000_000
"""In a shorter wait for the next due request the end is not noticed; a longer one costs a quarter."""


class Drive:
    """Drives one level. `run` once; `end` ends it."""

    def __init__(
        self,
        ground: LoadGround,
        lanes: Sequence[LaneRuntime],
        next_prompt: Callable[[], tuple[int, ChatRequest]],
        work_id: Callable[[int], str],
        *,
        concurrency: int,
        rate: float | None = None,
        count: int | None = None,
        ramp_in_s: float = 0.0,
        burstiness: float = 1.0,
        rng: random.Random,
    ) -> None:
        """Prepare it.

        Args:
            ground: what it sends on.
            lanes: those it sends through.
            next_prompt: makes the next prompt, and its number.
            work_id: what rows call the work of a number.
            concurrency: in flight at most.
            rate: due per second; None: closed loop.
            count: prompts after which it ends by itself; None: never.
            ramp_in_s: over how long loops begin.
            burstiness: shape of the gamma distribution of gaps.
            rng: draws the gaps.
        """
        self._ground = ground
        self._lanes = lanes
        self._next_prompt = next_prompt
        self._work_id = work_id
        self._concurrency = concurrency
        self._rate = rate
        self._count = count
        self._ramp_in_s = ramp_in_s
        self._burstiness = burstiness
        self._rng = rng
        self._slots = Slots(concurrency)
        self._ended = anyio.Event()
        self.due_ns: list[int] = []
        """When prompts of an open loop were due so far, since the run's start, in order; those that still wait for a
        slot are in it."""
        self.begun = 0
        """Prompts that were handed out."""
        self.done = 0
        """Prompts that ended, well or not."""

    @property
    def ended(self) -> bool:
        """Whether nothing begins any more."""
        return self._ended.is_set()

    @property
    def queued(self) -> int:
        """Prompts that are due and wait for a slot."""
        return self._slots.waiting

    def end(self) -> None:
        """Begin nothing any more."""
        self._ended.set()

    async def run(self) -> None:
        """Send until told to end, and wait for what is in flight."""
        async with anyio.create_task_group() as group:
            if self._rate is None:
                for number in range(self._concurrency):
                    group.start_soon(self._loop, number * self._ramp_in_s / self._concurrency)
            else:
                senders = Senders(group, self._send_when_free)
                await self._schedule(senders, self._rate)
                senders.close()

    async def _loop(self, after_s: float) -> None:
        if after_s > 0:
            with anyio.move_on_after(after_s):
                await self._ended.wait()
        while not self._over():
            await self._send(self._prompt(None))

    async def _schedule(self, senders: Senders[Prompt], rate: float) -> None:
        """Hand over each prompt when it is due: times count from the start, so that no delay is carried on."""
        start_ns = self._ground.now_ns()
        for offset_ns in endless_offsets_ns(rate, self._burstiness, self._rng):
            due_ns = start_ns + offset_ns
            await self._until(due_ns)
            if self._over():
                return
            self.due_ns.append(due_ns - self._ground.start_ns)
            senders.hand_over(self._prompt(due_ns))

    async def _until(self, due_ns: int) -> None:
        wait_ns = due_ns - self._ground.now_ns()
        if wait_ns > _NAP_NS:
            with anyio.move_on_after(wait_ns / NS_PER_S):
                await self._ended.wait()
        elif wait_ns > 0:
            await anyio.sleep(wait_ns / NS_PER_S)

    async def _send_when_free(self, prompt: Prompt) -> None:
        self._ground.around.self_check.schedule_delay(self._ground.now_ns() - (prompt.due_ns or 0))
        if not self._slots.take_free():
            await self._slots.acquire()
        try:
            if not self._ended.is_set() or self._count is not None:
                await self._send(prompt)
        finally:
            self._slots.release()

    def _over(self) -> bool:
        """Whether no prompt begins any more; with every lane off nothing would be sent at all."""
        if all(lane.off for lane in self._lanes) or (self._count is not None and self.begun >= self._count):
            self._ended.set()
        return self._ended.is_set() or self._ground.steering.draining

    def _prompt(self, due_ns: int | None) -> Prompt:
        index, request = self._next_prompt()
        self.begun += 1
        return Prompt(index, request, due_ns)

    async def _send(self, prompt: Prompt) -> None:
        await self._ground.send(prompt, self._work_id(prompt.index), self._lanes)
        self.done += 1
