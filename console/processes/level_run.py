"""A level of load on several processes: prompts are handed out as they are asked for, or their schedule is dealt."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio

from console.engine.gates import NS_PER_S
from console.engine.link import Prompt
from console.engine.load import Level, due_offsets_ns
from console.processes.child import Child
from console.processes.coordinator import Coordinator
from console.processes.count import parts_text
from console.processes.deal import deal_lanes, shares
from console.processes.dealer import Dealer
from console.processes.given import Given, beginning
from console.processes.messages import (
    Begin,
    ClosePrompts,
    DealPrompts,
    FromPart,
    JobEnded,
    PartOfLevel,
    Want,
)
from console.records.read_journal import read_rows
from console.vocabulary.chat import ChatRequest, Timeouts
from console.vocabulary.lane import LaneSetup, together
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow
from console.vocabulary.snapshot import JobView

_PROMPTS_PER_LINE: Final = 100
_START_IN_S: Final = 0.1
_DELIVERY_NS_PER_CHARACTER: Final = 10
"""A schedule begins this long after it is dealt, so that every process has it by then."""


class LevelOnProcesses(Coordinator):
    """Runs one level on several processes."""

    def __init__(
        self,
        given: Given,
        level: Level,
        requests: Sequence[ChatRequest],
        lanes: Sequence[LaneSetup],
        *,
        processes: int,
        timeouts: Timeouts,
        seed: int,
    ) -> None:
        super().__init__(given, lanes)
        self._level = level
        self._requests = requests
        self._setups = lanes
        self._timeouts = timeouts
        self._seed = seed
        at_once = level.max_concurrency or capacity_of(lanes, len(requests))
        parts = deal_lanes(lanes, min(processes, at_once))
        weights = [capacity_of(part, at_once) for part in parts]
        self._parts = dict(enumerate(zip(parts, shares(at_once, weights), strict=True), start=1))
        self._dealer = Dealer((str(index) for index in range(len(requests))), {}, self._parts)
        self._ended: int | None = None
        """Prompts that ended, once the journal was asked."""
        self._changed = anyio.Event()

    def beginnings(self) -> Sequence[Begin]:
        """Return what each process is told first: its lanes, and its part of the concurrency."""
        open_loop = self._level.request_rate is not None
        return [
            beginning(
                self._given,
                number,
                lanes,
                self._timeouts,
                level=PartOfLevel(max_concurrency=at_once, open_loop=open_loop, lanes=lanes),
            )
            for number, (lanes, at_once) in self._parts.items()
        ]

    async def play(self) -> None:
        """Hand out the prompts until all have gone; the processes end when those are answered."""
        text = parts_text(self._setups, [lanes for lanes, _ in self._parts.values()])
        self.recorder.event("info", "processes", "", text)
        if self._level.request_rate is not None:
            self._deal_schedule()
        else:
            await self._deal_as_asked()
        for child in self.children.values():
            child.say(ClosePrompts())
        for child in self.children.values():
            await child.gone.wait()
        if self.deaths:
            self._ended = len({row.test for row in self.rows()})

    def hear(self, child: Child, message: FromPart) -> None:
        """Take in what a process asks for, and what comes back from one that has no lane any more."""
        match message:
            case Want(_, now, ahead):
                self._dealer.want(child.number, now, ahead)
            case JobEnded(_, returned, _):
                self._dealer.leave(child.number, returned, {})
            case _:
                return
        self._changed.set()

    def lost(self, child: Child) -> None:
        """Go on without it: what it had is not sent twice, so its prompts count as failed."""
        self._dealer.write_off(child.number)
        self._changed.set()

    def replacement(self, number: int) -> Begin | None:
        """Return none: a level that lost a process measured something else than was asked for."""
        return None

    def replaced(self, number: int) -> None:
        """Do nothing: nobody takes the place of another here."""

    def drain(self) -> None:
        """Send no further prompt."""
        self._changed.set()

    @property
    def planned(self) -> int:
        """Prompts to send."""
        return len(self._requests)

    @property
    def done(self) -> int:
        """Prompts that ended, well or not; of a process that died its journal knows better than its last picture."""
        if self._ended is not None:
            return self._ended
        return sum(seen.snapshot.done for _, seen in self.pictures())

    @property
    def queued(self) -> int:
        """Prompts that have not begun: all but those that ended and those that hold a slot of a lane."""
        held = sum(lane.held for _, seen in self.pictures() for lane in seen.snapshot.lanes)
        return max(0, self.planned - self.done - held)

    @property
    def answered(self) -> int:
        """Prompts that were answered in full, by the journal."""
        return sum(row.outcome is Outcome.OK for row in self.rows())

    def jobs(self) -> tuple[JobView, ...]:
        """Return none: a level has no jobs."""
        return ()

    def eta_s(self) -> float | None:
        """Return the time until the last prompt, at the pace so far."""
        done = self.done
        elapsed_s = (self._now_ns() - self._given.start_ns) / NS_PER_S
        return elapsed_s * (self.planned - done) / done if done else None

    def rows(self) -> list[RequestRow]:
        """Return the request rows of all processes, in the order in which they were sent."""
        scan = read_rows(Path(self._given.headline.run_dir))
        return sorted((row for row in scan if isinstance(row, RequestRow)), key=lambda row: row.at_ns)

    async def _deal_as_asked(self) -> None:
        while not self.steering.draining and self._dealer.waiting and self._dealer.playing:
            self._changed = anyio.Event()
            for number, names in self._dealer.deal().items():
                indexes = [int(name) for name in names]
                prompts = tuple(Prompt(index, self._requests[index]) for index in indexes)
                self.children[number].say(DealPrompts(prompts))
            if self._dealer.waiting:
                await self._changed.wait()

    def _deal_schedule(self) -> None:
        """Deal the one schedule of the level: every process gets an even part of it, by its concurrency."""
        offsets = due_offsets_ns(len(self._requests), self._level, random.Random(self._seed))
        characters = sum(
            len(str(message.get("content"))) for request in self._requests for message in request.messages
        )
        delivery_ns = characters * _DELIVERY_NS_PER_CHARACTER
        start_ns = self._now_ns() + int(_START_IN_S * NS_PER_S) + delivery_ns
        dealt: dict[int, list[Prompt]] = {number: [] for number in self._parts}
        owed = dict.fromkeys(self._parts, 0.0)
        whole = sum(at_once for _, at_once in self._parts.values())
        for index, (request, offset_ns) in enumerate(zip(self._requests, offsets, strict=True)):
            for number, (_, at_once) in self._parts.items():
                owed[number] += at_once / whole
            number = max(owed, key=lambda one: owed[one])
            owed[number] -= 1
            dealt[number].append(Prompt(index, request, start_ns + offset_ns))
        for number, prompts in dealt.items():
            for first in range(0, len(prompts), _PROMPTS_PER_LINE):
                self.children[number].say(DealPrompts(tuple(prompts[first : first + _PROMPTS_PER_LINE])))


def capacity_of(lanes: Sequence[LaneSetup], most: int) -> int:
    """Return how many requests lanes take at once, `most` where they are not limited."""
    limit = together(setup.limits.workers for setup in lanes)
    return most if limit is None else min(most, limit)
