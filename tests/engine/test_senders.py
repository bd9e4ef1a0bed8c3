"""Senders are used again, every request is sent once and at once, and none outlives the schedule."""

from __future__ import annotations

import anyio
import trio
from trio.testing import MockClock

from console.engine.senders import Senders


def sent(due_s: list[float], taking_s: float) -> tuple[dict[int, float], int]:
    """Hand requests over when they are due; return when each was begun, and how many tasks that took."""
    begun: dict[int, float] = {}
    tasks: set[int] = set()

    async def send(index: int) -> None:
        assert index not in begun
        begun[index] = trio.current_time()
        tasks.add(id(trio.lowlevel.current_task()))
        await anyio.sleep(taking_s)

    async def main() -> None:
        start_s = trio.current_time()
        async with anyio.create_task_group() as group:
            senders = Senders(group, send)
            for index, at_s in enumerate(due_s):
                await anyio.sleep(start_s + at_s - trio.current_time())
                senders.hand_over(index)
            senders.close()
        for index in begun:
            begun[index] -= start_s

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return begun, len(tasks)


def test_a_sender_that_is_idle_sends_the_next_request():
    begun, tasks = sent([0.0, 1.0, 2.0, 3.0], taking_s=0.5)
    assert [round(begun[index], 6) for index in range(4)] == [0, 1, 2, 3]
    assert tasks == 1


def test_no_request_waits_for_a_sender():
    begun, tasks = sent([0.0, 0.0, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0], taking_s=0.5)
    assert [round(begun[index], 6) for index in range(9)] == [0, 0, 0.1, 0.1, 1, 1, 1, 1, 1]
    assert tasks == 5


def test_senders_end_with_their_scope_whether_busy_or_idle():
    begun: list[int] = []

    async def send(index: int) -> None:
        begun.append(index)
        await anyio.sleep(index)

    async def main() -> float:
        start_s = trio.current_time()
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as group:
                senders = Senders(group, send)
                senders.hand_over(1)
                senders.hand_over(100)
                await anyio.sleep_forever()
        return trio.current_time() - start_s

    took_s = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert sorted(begun) == [1, 100]
    assert round(took_s, 6) == 5
