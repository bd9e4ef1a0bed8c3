"""Load through the product: the whole engine (plan → gates → client → journal), or its bare client in a loop."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import anyio

from benchmarks.machine import window
from benchmarks.sample import Sample, Seen, WrongAnswer
from benchmarks.scripts import MODEL, warm_url
from console.engine.board import Headline
from console.engine.departure import AHEAD_NS
from console.engine.load import Level, LoadEngine
from console.engine.load_ground import GroundPlan
from console.llm.client import LlmClient
from console.records.journal import Journal
from console.vocabulary.chat import ChatRequest, Endpoint, Timeouts
from console.vocabulary.lane import Lane, LaneSetup, Limits
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

LOOP = {"use_uvloop": True}
_LANE = Lane("bench", MODEL, MODEL, "-")


def chat_request(chunks: int) -> ChatRequest:
    """Ask for a stream of that many chunks, or without chunks for a whole answer."""
    return ChatRequest(
        messages=({"role": "user", "content": "benchmark"},),
        stream=chunks > 0,
        max_tokens=max(chunks, 1),
        keep_content=False,
    )


def endpoint(base_url: str) -> Endpoint:
    return Endpoint(api="openai", base_url=base_url, deployment=MODEL)


@contextmanager
def load_engine(
    client: LlmClient,
    base_url: str,
    level: Level,
    *,
    requests: int,
    chunks: int,
    qps: float | None = None,
) -> Generator[tuple[LoadEngine, int]]:
    """Yield an engine as `capacity run` makes it, and its start; its journal is a real one in a temporary folder."""
    limits = Limits(workers=level.max_concurrency, qps=qps)
    setup = LaneSetup(lane=_LANE, model_class="open", limits=limits)
    headline = Headline(run_id="bench", run_dir="", pid=0, title="bench", profile="", simulated=False)
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder)) as journal:
        start_ns = time.perf_counter_ns()
        plan = GroundPlan(
            lanes=[setup],
            headline=headline,
            client=client,
            endpoints={_LANE.id: endpoint(base_url)},
            journal=journal,
            now_ns=time.perf_counter_ns,
            start_ns=start_ns,
            rng=random.Random(0),
            ahead_ns=AHEAD_NS,
        )
        yield LoadEngine(level, [chat_request(chunks)] * requests, plan), start_ns


def through_engine(
    base_url: str, *, in_flight: int, requests: int, chunks: int, keep: bool = False
) -> Sample:
    """Send `requests` in a closed loop with warm connections; `keep` what was seen of each."""

    async def measured() -> Sample:
        level = Level(max_concurrency=in_flight, request_rate=None)
        async with LlmClient(timeouts=Timeouts()) as client:
            with load_engine(client, warm_url(base_url), level, requests=in_flight, chunks=0) as (warm, _):
                await warm.run()
            with load_engine(client, base_url, level, requests=requests, chunks=chunks) as (engine, start_ns):
                with window() as taken:
                    await engine.run()
        check_rows(engine.rows, requests=requests, chunks=chunks)
        seen = [seen_by(row, start_ns) for row in engine.rows] if keep else []
        return Sample(requests, taken.seconds, taken.cpu_s, taken.others, seen=seen)

    return anyio.run(measured, backend_options=LOOP)


def through_client(base_url: str, *, in_flight: int, requests: int, chunks: int) -> Sample:
    """Send the same through the bare client, a loop for each request in flight: no gates, no journal."""
    left = 0

    async def loop(client: LlmClient, target: Endpoint, chunks: int) -> None:
        nonlocal left
        request = chat_request(chunks)
        while left > 0:
            left -= 1
            result = await client.complete(target, request)
            if result.outcome is not Outcome.OK or result.chunks != chunks:
                raise WrongAnswer(f"{result.outcome}: {result.error}, {result.chunks} chunks of {chunks}")

    async def closed_loop(client: LlmClient, count: int, url: str, chunks: int) -> None:
        nonlocal left
        left = count
        async with anyio.create_task_group() as group:
            for _ in range(in_flight):
                group.start_soon(loop, client, endpoint(url), chunks)

    async def measured() -> Sample:
        async with LlmClient(timeouts=Timeouts()) as client:
            await closed_loop(client, in_flight, warm_url(base_url), 0)
            with window() as taken:
                await closed_loop(client, requests, base_url, chunks)
        return Sample(requests, taken.seconds, taken.cpu_s, taken.others)

    return anyio.run(measured, backend_options=LOOP)


def check_rows(rows: Sequence[RequestRow], *, requests: int, chunks: int) -> None:
    """Accept only a journal in which every request was answered in full."""
    for row in rows:
        if row.outcome is not Outcome.OK or row.chunks != chunks:
            raise WrongAnswer(f"{row.outcome}: {row.error}, {row.chunks} chunks of {chunks}")
    if len(rows) != requests:
        raise WrongAnswer(f"{len(rows)} rows for {requests} requests")


def seen_by(row: RequestRow, start_ns: int) -> Seen:
    """Return what the engine says it saw, on the common clock."""
    sent_ns = start_ns + row.at_ns
    chunk_ns = list(accumulate(row.chunk_gap_ns, initial=sent_ns + (row.ttft_ns or 0)))
    return Seen(int(row.request_id or 0), sent_ns, chunk_ns)
