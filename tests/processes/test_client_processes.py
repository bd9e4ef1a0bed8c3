"""A client that reads in several processes: the same answers and the same clock, and what becomes of one that dies."""

from __future__ import annotations

import os
import signal
import time
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from console.processes.client_processes import ClientProcesses
from console.sim.config import SimConfig
from console.sim.process import simulator_process
from console.vocabulary.chat import ChatRequest, Endpoint, Timeouts
from console.vocabulary.outcome import Outcome
from console.vocabulary.simulated import SimBehaviour

ASK = ChatRequest(messages=({"role": "user", "content": "wörter 🙂"},), max_tokens=8, keep_content=False)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def serving(tmp_path: Path, processes: int = 2, **behaviour):
    """Yield the processes, an endpoint of a simulator, and what was heard."""
    heard = []
    simulated = SimBehaviour(ttft_ms=20, itl_ms=1, **behaviour)
    async with simulator_process(SimConfig(providers={"p": simulated})) as urls:
        clients = ClientProcesses(
            processes,
            log_path=tmp_path / "engine.log",
            timeouts=Timeouts(),
            now_ns=time.perf_counter_ns,
            heard=heard.append,
        )
        async with anyio.create_task_group() as group:
            group.start_soon(clients.run)
            try:
                yield clients, Endpoint(api="openai", base_url=urls["p"], deployment="m"), heard
            finally:
                group.cancel_scope.cancel()
    assert all(one.process.poll() is not None for one in clients._processes), "a process is left"
    assert (tmp_path / "engine.log").read_text() == ""


async def until(holds) -> None:
    for _ in range(1000):
        if holds():
            return
        await anyio.sleep(0.02)
    pytest.fail("never came")


@pytest.mark.anyio
async def test_requests_are_spread_and_answered_on_our_clock(tmp_path: Path):
    async with serving(tmp_path) as (clients, endpoint, heard):
        results = []

        async def one() -> None:
            results.append(await clients.complete(endpoint, ASK))

        before_ns = time.perf_counter_ns()
        await clients.warm(endpoint)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
            await anyio.lowlevel.checkpoint()
            assert [len(process.waiting) for process in clients._processes] == [10, 10]
        after_ns = time.perf_counter_ns()
        assert [result.outcome for result in results] == [Outcome.OK] * 20
        for result in results:
            stamps = result.stamps
            assert (
                before_ns
                < stamps.sent_ns
                < stamps.first_content_ns
                < stamps.last_content_ns
                <= stamps.end_ns
                < after_ns
            )
            assert result.completion_tokens == 8
            assert len(result.chunk_gaps_ns) == result.chunks - 1
            assert result.simulated
        await until(lambda: len(heard) >= 4)
        assert all(measure.wall_ns > 0 for measure in heard)


@pytest.mark.anyio
async def test_what_a_dead_process_had_counts_as_failed_and_the_other_one_goes_on(tmp_path: Path):
    async with serving(tmp_path, slots=1) as (clients, endpoint, _):
        results = []

        async def one() -> None:
            results.append(await clients.complete(endpoint, ASK))

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(one)
            await anyio.sleep(0.05)
            os.kill(clients.pids[0], signal.SIGKILL)
        died = [result for result in results if "client process 1 died" in result.error]
        assert clients.lost == 1
        assert died
        assert {result.outcome for result in died} == {Outcome.CONNECTION}
        assert (await clients.complete(endpoint, ASK)).outcome is Outcome.OK
        os.kill(clients.pids[1], signal.SIGKILL)
        await until(lambda: clients.lost == 2)
        assert (await clients.complete(endpoint, ASK)).error == "every client process has died"


@pytest.mark.anyio
async def test_a_request_that_nobody_waits_for_is_given_up(tmp_path: Path):
    async with serving(tmp_path, processes=1, slots=1) as (clients, endpoint, _):
        slow = ChatRequest(messages=ASK.messages, max_tokens=100_000, keep_content=False)
        with anyio.move_on_after(0.3):
            await clients.complete(endpoint, slow)
        with anyio.fail_after(20):  # the one slot is free again
            assert (await clients.complete(endpoint, ASK)).outcome is Outcome.OK


@pytest.mark.anyio
async def test_what_cannot_be_sent_is_a_result_and_a_rate_is_refused(tmp_path: Path):
    async with serving(tmp_path, processes=1) as (clients, endpoint, _):
        half = ChatRequest(messages=({"role": "user", "content": "\ud800"},))
        result = await clients.complete(endpoint, half)
        assert (result.outcome, result.error[:27]) == (Outcome.BAD_REQUEST, "the request cannot be sent:")
        with pytest.raises(ValueError, match="a rate is kept by who sends"):
            await clients.complete(endpoint, ASK, departure=object())
