"""A search on the real engine and virtual time, against a client that queues as a server with K slots does."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import trio
from trio.testing import MockClock
from virtual_time import MemoryJournal, now_ns

from console.capacity.level_runner import LevelSetting
from console.capacity.search import Budget, Pace, Search, Subject
from console.capacity.search_engine import SearchEngine, SearchPlan
from console.engine.board import Headline
from console.engine.load_ground import GroundPlan
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Stamps
from console.vocabulary.lane import Lane, LaneSetup, Limits
from console.vocabulary.outcome import Outcome


@dataclass
class Slots:
    """A server: so many answers are made at once, others wait; each lane has its own unless they are shared."""

    slots: int
    first_s: float = 0.2
    rest_s: float = 0.6
    spread: float = 0.1
    shared: bool = False
    fails: Callable[[str, int], Outcome | None] = lambda name, number: None
    prompts: list[str] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(0)
        self._busy: dict[str, int] = {}
        self._waiting: dict[str, deque[trio.Event]] = {}

    async def warm(self, endpoint: Endpoint) -> None:
        pass

    async def complete(self, endpoint: Endpoint, request: ChatRequest, on_sent=None) -> ChatResult:
        name = "" if self.shared else endpoint.deployment
        sent_ns = now_ns()
        self.prompts.append(str(request.messages[0]["content"]))
        self.sent.append(trio.current_time())
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            refused = self.fails(endpoint.deployment, len(self.prompts))
            if refused is not None:
                await anyio.sleep(0.01)
                return ChatResult(
                    stamps=Stamps(sent_ns=sent_ns, end_ns=now_ns()), outcome=refused, error="refused"
                )
            await self._slot(name)
            try:
                await anyio.sleep(self.first_s * self.rng.uniform(1 - self.spread, 1 + self.spread))
                first_ns = now_ns()
                await anyio.sleep(self.rest_s * self.rng.uniform(1 - self.spread, 1 + self.spread))
            finally:
                self._free(name)
        finally:
            self.in_flight -= 1
        done_ns = now_ns()
        return ChatResult(
            stamps=Stamps(sent_ns=sent_ns, end_ns=done_ns, first_content_ns=first_ns, last_content_ns=done_ns),
            outcome=Outcome.OK, content="fine", prompt_tokens=5, completion_tokens=30, chunks=30,
        )  # fmt: skip

    async def _slot(self, name: str) -> None:
        if self._busy.get(name, 0) < self.slots:
            self._busy[name] = self._busy.get(name, 0) + 1
            return
        event = trio.Event()
        self._waiting.setdefault(name, deque()).append(event)
        await event.wait()

    def _free(self, name: str) -> None:
        waiting = self._waiting.get(name)
        if waiting:
            waiting.popleft().set()
        else:
            self._busy[name] -= 1


class SearchRig:
    """One search with its surroundings."""

    def __init__(
        self,
        search: Search,
        client: Slots,
        *,
        lanes=1,
        pace=None,
        budget=None,
        levels=(),
        first_prompt=0,
        each=False,
        workers=None,
    ):
        self.search, self.client = search, client
        self.journal = MemoryJournal()
        self.lanes = [
            LaneSetup(
                lane=Lane("p", "m", f"d{number}", "key0"), model_class="open", limits=Limits(workers=workers)
            )
            for number in range(lanes)
        ]
        self.pace = pace or Pace(least_window_s=3.0, most_s=20.0, scan_s=8.0)
        self.budget = budget or Budget()
        self.levels, self.first_prompt = tuple(levels), first_prompt
        ids = tuple(setup.lane.id for setup in self.lanes)
        alone = tuple(Subject(lane_id, (lane_id,)) for lane_id in ids) if each else ()
        self.subjects = (*alone, Subject("", ids))
        self.engine: SearchEngine
        self.ended_s = 0.0

    def run(self, *beside) -> str:
        return trio.run(self._main, beside, clock=MockClock(autojump_threshold=0))

    async def _main(self, beside) -> str:
        setting = LevelSetting(
            search=self.search,
            pace=self.pace,
            prompt=lambda index: ChatRequest(messages=({"role": "user", "content": f"prompt {index}"},)),
        )
        plan = SearchPlan(
            model="m", setting=setting, subjects=self.subjects, budget=self.budget, levels=self.levels,
            first_prompt=self.first_prompt,
        )  # fmt: skip
        ground = GroundPlan(
            lanes=self.lanes,
            headline=Headline(
                run_id="r", run_dir="/r", pid=1, title="search", profile="test", simulated=True
            ),
            client=self.client,
            endpoints={
                setup.lane.id: Endpoint(api="openai", base_url="http://x", deployment=setup.lane.deployment)
                for setup in self.lanes
            },
            journal=self.journal,
            now_ns=now_ns,
            start_ns=now_ns(),
            rng=random.Random(0),
        )
        self.engine = SearchEngine(plan, ground, random.Random(0))
        async with anyio.create_task_group() as group:
            for function in beside:
                group.start_soon(function, self.engine)
            state = await self.engine.run()
            self.ended_s = trio.current_time()
            self.last = self.engine.look()
            group.cancel_scope.cancel()
        return state
