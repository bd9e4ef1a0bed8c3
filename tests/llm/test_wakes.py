"""Answers that end together: their requests go on a few a turn, in order, and sockets are looked at in between."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from console.llm.wakes import Wakes

pytestmark = pytest.mark.anyio


async def test_few_go_on_at_once() -> None:
    loop = asyncio.get_running_loop()
    wakes = Wakes()
    waiters = [loop.create_future() for _ in range(5)]
    for waiter in waiters:
        wakes.wake(waiter)
    assert all(waiter.done() for waiter in waiters)


async def test_many_go_on_in_order_over_several_turns() -> None:
    loop = asyncio.get_running_loop()
    wakes = Wakes()
    waiters = [loop.create_future() for _ in range(100)]
    for waiter in waiters:
        wakes.wake(waiter)
    seen = [sum(waiter.done() for waiter in waiters)]
    late = loop.create_future()
    wakes.wake(late)
    while not late.done():
        await asyncio.sleep(0)
        done = [waiter.done() for waiter in waiters]
        assert done == sorted(done, reverse=True)
        seen.append(sum(done))
    steps = [after - before for before, after in pairwise(seen)]
    assert 0 < seen[0] < 100
    assert max(steps) <= seen[0]
    assert seen[-1] == 100


async def test_who_was_cancelled_meanwhile_is_passed_over() -> None:
    loop = asyncio.get_running_loop()
    wakes = Wakes()
    waiters = [loop.create_future() for _ in range(100)]
    for waiter in waiters:
        wakes.wake(waiter)
    for waiter in waiters[50:90]:
        waiter.cancel()
    await asyncio.wait_for(asyncio.gather(*waiters[:50], *waiters[90:]), 5)
    fresh = loop.create_future()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    wakes.wake(fresh)
    assert fresh.done()
