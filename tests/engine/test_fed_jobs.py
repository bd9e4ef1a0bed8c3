"""A job whose tests are fed to it: it asks in time, never twice for the same, and gives back what it cannot play."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import anyio
import trio
from engine_rig import MemoryJournal, OneTurn, ScriptedClient, ids, job, lane, now_ns
from trio.testing import MockClock

from console.engine.board import Headline
from console.engine.engine import Engine
from console.phases.plan import Plan
from console.vocabulary.chat import Endpoint, Timeouts
from console.vocabulary.command import Drain
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome


class Coordinator:
    """Feeds one engine from a queue, a batch after every wish, as a coordinator over a socket does."""

    def __init__(self, tests: Sequence[str], *, answers_after_s: float = 0.05) -> None:
        self.queue = list(tests)
        self.given = 0
        self.wanted: list[tuple[int, int]] = []
        self.finished: list[str] = []
        self.ended: list[tuple[tuple[str, ...], dict[str, int]]] = []
        self.off: list[tuple[str, Outcome]] = []
        self.holds: list[tuple[str, float]] = []
        self._delay_s = answers_after_s
        self.engine: Engine
        self.group: anyio.abc.TaskGroup

    def want(self, job: int, now: int, ahead: int, stint: int = 0) -> None:
        self.wanted.append((now, ahead))
        self.group.start_soon(self._deal, ahead)

    async def _deal(self, upto: int) -> None:
        await anyio.sleep(self._delay_s)
        batch = [self.queue.pop(0) for _ in range(min(len(self.queue), max(0, upto - self.given)))]
        self.given += len(batch)
        if batch:
            self.engine.fed.feed(0, batch, {})

    def done(self, job: int, test: str, duration_ns: int, *, answered: bool) -> None:
        self.finished.append(test)
        if not self.queue and len(self.finished) == self.given:
            self.engine.fed.close_job(0)

    def job_ended(self, job: int, left: Sequence[str], attempts: Mapping[str, int], stint: int) -> None:
        self.ended.append((tuple(left), dict(attempts)))
        self.engine.fed.finish()

    def held(self, lane: Lane, seconds: float) -> None:
        self.holds.append((lane.id, seconds))

    def switched_off(self, lane: Lane, outcome: Outcome, reason: str) -> None:
        self.off.append((lane.id, outcome))


def play(coordinator: Coordinator, lanes, client=None, *, beside=None) -> tuple[MemoryJournal, float]:
    """Run one engine on virtual time under `coordinator`; return its journal and when it ended."""
    journal = MemoryJournal()

    async def main() -> float:
        plan = Plan(
            title="x", profile="t", rate_mode="fixed", seed=0, lanes=tuple(lanes), jobs=(job((), lanes),),
            timeouts=Timeouts(), attempts=2,
        )  # fmt: skip
        coordinator.engine = Engine(
            plan=plan,
            headline=Headline(run_id="r", run_dir="/r", pid=1, title="x", profile="t", simulated=True),
            work=OneTurn(),
            client=client or ScriptedClient(),
            endpoints={
                setup.lane.id: Endpoint(api="openai", base_url="http://x", deployment=setup.lane.id)
                for setup in lanes
            },
            journal=journal,
            now_ns=now_ns,
            start_ns=now_ns(),
            rng=random.Random(0),
            link=coordinator,
        )
        async with anyio.create_task_group() as group:
            coordinator.group = group
            if beside is not None:
                group.start_soon(beside, coordinator.engine)

            async def begin() -> None:
                coordinator.engine.fed.start_job(0, None)

            group.start_soon(begin)
            await coordinator.engine.run()
            ended_s = trio.current_time()
            group.cancel_scope.cancel()
        return ended_s

    return journal, trio.run(main, clock=MockClock(autojump_threshold=0))


def test_all_that_is_fed_is_played_once_and_workers_do_not_wait_for_the_next() -> None:
    coordinator = Coordinator(ids(80))
    client = ScriptedClient()
    journal, ended_s = play(coordinator, [lane("a", workers=8)], client)
    assert sorted(coordinator.finished) == sorted(ids(80))
    assert sorted(row.test for row in journal.tests) == sorted(ids(80))
    assert client.peak == {"p/a@key0": 8}
    assert ended_s < 10 + 1, "ten rounds of a second, and hardly more for the way to the coordinator"
    assert coordinator.ended == [((), {})]


def test_it_asks_for_no_more_than_its_workers_and_a_few_at_hand() -> None:
    coordinator = Coordinator(ids(80))
    play(coordinator, [lane("a", workers=8)])
    for now, ahead in coordinator.wanted:
        assert ahead - now <= 1
    assert len(coordinator.wanted) < 2 * 80
    assert [now for now, _ in coordinator.wanted] == sorted(now for now, _ in coordinator.wanted)


def test_a_lane_that_goes_off_gives_its_tests_back_with_what_was_tried() -> None:
    coordinator = Coordinator(ids(20))
    refused = ScriptedClient(
        answer=lambda endpoint, request, number: (1.0, {"outcome": Outcome.AUTH} if number >= 4 else {})
    )
    play(coordinator, [lane("a", workers=4)], refused)
    assert len(coordinator.finished) == 4
    assert coordinator.off == [("p/a@key0", Outcome.AUTH)]
    ((left, attempts),) = coordinator.ended
    assert sorted([*coordinator.finished, *left, *coordinator.queue]) == sorted(ids(20))
    assert set(attempts.values()) == {1}
    assert set(attempts) <= set(left)


def test_a_drain_ends_what_is_begun_and_gives_the_rest_back() -> None:
    coordinator = Coordinator(ids(40))

    async def drain(engine: Engine) -> None:
        await anyio.sleep(2.5)
        engine.steering.obey(Drain())

    journal, ended_s = play(coordinator, [lane("a", workers=4)], beside=drain)
    assert ended_s < 4.2
    ((left, _),) = coordinator.ended
    assert sorted([*coordinator.finished, *left, *coordinator.queue]) == sorted(ids(40))
    assert {str(row.verdict) for row in journal.tests} == {"full"}


def test_a_wish_to_wait_is_passed_on() -> None:
    coordinator = Coordinator(ids(2))
    slow_down = ScriptedClient(
        answer=lambda endpoint, request, number: (
            1.0,
            {"outcome": Outcome.RATE_LIMITED, "retry_after_s": 3.0} if number == 0 else {},
        )
    )
    play(coordinator, [lane("a", workers=1)], slow_down)
    assert coordinator.holds == [("p/a@key0", 3.0)]
    assert sorted(coordinator.finished) == sorted(ids(2))
