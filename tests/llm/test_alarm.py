"""Requests that keep a rate leave when they may: never before, in the order they came, whatever the loop does."""

from __future__ import annotations

import time
from itertools import pairwise

import anyio
import pytest
from one_request import ASK, QUICK, at
from scripted_server import DONE, delta, plays, serving, stream

from console.engine.arbiter import Arbiter
from console.engine.departure import Departure
from console.engine.gates import Gate
from console.llm.alarm import Alarm
from console.llm.client import LlmClient
from console.vocabulary.lane import Limits, Scope
from console.vocabulary.outcome import Outcome

pytestmark = pytest.mark.anyio
FINE = stream(delta(content="fine"), delta(finish="stop"), DONE)
MS = 1_000_000


class At:
    """A departure at a time."""

    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns

    def wait_ns(self, now_ns: int) -> int:
        return max(0, self.due_ns - now_ns)

    def claim(self, now_ns: int) -> int:
        return self.wait_ns(now_ns)

    def sent(self, sent_ns: int) -> None:
        raise AssertionError("nothing is sent here")


@pytest.mark.parametrize("exact", [True, False])
async def test_nobody_is_woken_before_it_is_due(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exact:
        monkeypatch.setattr("console.llm.timerfd.TimerFd.open", lambda: None)
    alarm = Alarm(time.perf_counter_ns)
    woken: list[tuple[int, int]] = []

    async def wait(due_ns: int) -> None:
        await alarm.until_due(At(due_ns))
        woken.append((due_ns, time.perf_counter_ns()))

    start_ns = time.perf_counter_ns()
    async with anyio.create_task_group() as group:
        for ms in (9, 3, 5, 3, 0, -5):
            group.start_soon(wait, start_ns + ms * MS)
    alarm.close()
    assert len(woken) == 6
    assert all(at_ns >= due_ns for due_ns, at_ns in woken)


async def test_one_that_is_cancelled_keeps_nobody_waiting() -> None:
    alarm = Alarm(time.perf_counter_ns)
    with anyio.move_on_after(0.01) as scope:
        await alarm.until_due(At(time.perf_counter_ns() + 60_000 * MS))
    assert scope.cancelled_caught
    with anyio.fail_after(30):
        await alarm.until_due(At(time.perf_counter_ns() + 2 * MS))
    alarm.close()


async def test_requests_let_through_ahead_of_time_leave_at_their_distance() -> None:
    arbiter = Arbiter(time.perf_counter_ns, ahead_ns=50 * MS)
    gate = Gate(Scope("key", "p/key0"), Limits(qps=200))
    passage = arbiter.passage([gate])
    sent: list[int] = []

    async def one(client: LlmClient, url: str) -> None:
        due_ns = passage.enter_at_once(0, time.perf_counter_ns())
        assert due_ns is not None, "ten of them are due within fifty milliseconds"
        departure = Departure(passage, due_ns)
        result = await client.complete(at(url), ASK, departure)
        departure.over()
        passage.leave()
        assert result.outcome is Outcome.OK
        assert departure.sent_ns == result.stamps.sent_ns
        sent.append(departure.sent_ns or 0)
        assert departure.due_ns <= sent[-1]

    async with serving(plays(*FINE)) as server, LlmClient(timeouts=QUICK) as client:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(one, client, f"{server.url}/v1")
    assert min(later - sooner for sooner, later in pairwise(sorted(sent))) >= 5 * MS
