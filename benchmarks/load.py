"""One level of load through the whole engine, or through the bare client, in this process."""

from __future__ import annotations

import gc
import random
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import anyio

from console.engine.board import Headline
from console.engine.load import Level, LoadEngine
from console.llm.client import LlmClient
from console.records.journal import Journal
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts
from console.vocabulary.lane import Lane, LaneSetup, Limits
from console.vocabulary.rows import RequestRow


@dataclass
class Measured:
    """What one level came to."""

    requests: int
    seconds: float
    cpu_us_per_request: float
    rows: list[RequestRow]
    results: list[ChatResult]
    start_ns: int = 0

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def chat_request(chunks: int) -> ChatRequest:
    return ChatRequest(
        messages=({"role": "user", "content": "benchmark"},),
        max_tokens=chunks,
        ignore_eos=True,
        keep_content=False,
    )


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def through_engine(base_url: str, *, in_flight: int, requests: int, chunks: int) -> Measured:
    """Plan → gates → client → journal, as `capacity run` does it."""
    setup = LaneSetup(lane=Lane("p", "m", "m", "-"), model_class="open", limits=Limits(workers=in_flight))
    endpoint = Endpoint(api="openai", base_url=base_url, deployment="m")
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder))
        async with LlmClient(timeouts=Timeouts()) as client:
            start_ns = time.perf_counter_ns()
            engine = LoadEngine(
                level=Level(max_concurrency=in_flight, request_rate=None),
                requests=[chat_request(chunks)] * requests,
                lanes=[setup],
                headline=Headline(
                    run_id="bench", run_dir="", pid=0, title="bench", profile="", simulated=True
                ),
                client=client,
                endpoints={setup.lane.id: endpoint},
                journal=journal,
                now_ns=time.perf_counter_ns,
                start_ns=start_ns,
                rng=random.Random(0),
            )
            gc.collect()
            gc.freeze()
            started, cpu = time.perf_counter(), cpu_s()
            await engine.run()
            seconds, cpu = time.perf_counter() - started, cpu_s() - cpu
            gc.unfreeze()
        journal.close()
    return Measured(requests, seconds, cpu / requests * 1e6, engine.rows, [], start_ns)


async def through_client(base_url: str, *, in_flight: int, requests: int, chunks: int) -> Measured:
    """The bare client in a loop per request in flight."""
    endpoint = Endpoint(api="openai", base_url=base_url, deployment="m")
    request = chat_request(chunks)
    results: list[ChatResult] = []
    left = requests

    async def loop(client: LlmClient) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            results.append(await client.complete(endpoint, request))

    async with LlmClient(timeouts=Timeouts()) as client:
        gc.collect()
        gc.freeze()
        started, cpu = time.perf_counter(), cpu_s()
        async with anyio.create_task_group() as group:
            for _ in range(in_flight):
                group.start_soon(loop, client)
        seconds, cpu = time.perf_counter() - started, cpu_s() - cpu
        gc.unfreeze()
    return Measured(requests, seconds, cpu / requests * 1e6, [], results)
