"""What this machine's client can drive, found out against the simulator in some twenty seconds.

Two figures bound a load: how many requests a second go through the whole engine, and how many streams a process
reads with its clock right. For the second one streams at 50 tokens a second are added until the delays that are
ours exceed what is never held against a run (`vocabulary/client_health.py`); what is asked of a capacity test
beyond that is measured by a client that is the limit itself.

Where the simulator is slower than the client, the figure is what was reached, and says so.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Literal

import anyio
import msgspec
from anyio.abc import TaskGroup

from console.engine.arrivals import Level
from console.engine.self_check import SelfCheck
from console.heap import settled_heap
from console.host import Watched
from console.llm.client import LlmClient
from console.llm.read_probe import read_probe
from console.own_time import cpu_ns, waited_ns
from console.processes.count import usable_cores
from console.profile.load import LoadedProfile
from console.profile.write import AD_HOC_FLAGS, ad_hoc_profile
from console.run_level import LevelRequest, LevelRun
from console.sim.config import SimConfig
from console.sim.process import simulator_process
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts
from console.vocabulary.client_health import CROWDED, ClientHealth, judge_client
from console.vocabulary.command import Stop
from console.vocabulary.outcome import Outcome
from console.vocabulary.simulated import SimBehaviour
from console.work.prompt_source import Taken
from console.work.random_prompts import random_source

TOKENS_PER_S: Final = 50
"""Of one stream: a fast model read by one user."""
_TTFT_MS: Final = 200.0
_TOKENS: Final = 64
_FIRST: Final = 100
_LEAST: Final = 10
_MOST: Final = 6400
_NEAR: Final = 1.25
"""Ratio of the ends of the answer from which on it is near enough."""
_REACHED: Final = 0.9
"""Share of the chunks that a simulator in time would send, below which it was late itself."""
_SETTLE_S: Final = 0.9
_WINDOW_S: Final = 1.6
"""160 probes: more than the 130 that a verdict needs."""
_REQUESTS_S: Final = 3.0
_REQUESTS_AT_ONCE: Final = 64
_MANY_PROMPTS: Final = 1_000_000
_FILES_KEPT: Final = 100
"""Descriptors that are no connections: journal, sockets, the interpreter's own."""

Limit = Literal["client", "simulator", ""]


class StreamStep(msgspec.Struct, frozen=True, kw_only=True):
    """So many streams at once, for a moment."""

    in_flight: int
    chunks_per_s: float
    health: ClientHealth
    failed: int = 0

    @property
    def limit(self) -> Limit:
        """What was too slow; empty: nothing was."""
        if self.health.verdict != "valid":
            return "client"
        if self.failed or self.chunks_per_s < _REACHED * self.in_flight * _chunks_of_one_per_s():
            return "simulator"
        return ""

    @property
    def crowded(self) -> bool:
        """Whether other programs kept the client from a CPU, so that it says little of the machine."""
        return (self.health.waited_share or 0.0) > CROWDED


class ClientCeiling(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    cores: int
    """That engine processes may use."""
    open_files: int
    open_files_at_most: int
    """What the soft limit may be raised to without asking anybody."""
    event_loop: str
    requests_per_s: float | None = None
    """Short answers through the whole engine, journal and all; None: not measured."""
    requests_cpu_share: float | None = None
    """Of a core, meanwhile: well below 1 it was not the client that was slow."""
    requests_at_once: int = _REQUESTS_AT_ONCE
    tokens_per_s: int = TOKENS_PER_S
    steps: tuple[StreamStep, ...] = ()

    @property
    def in_flight(self) -> int | None:
        """Most streams at once that one process read with its clock right; None: not even the fewest."""
        return max((step.in_flight for step in self.steps if not step.limit), default=None)

    @property
    def chunks_per_s(self) -> float | None:
        """What it read then."""
        return max((step.chunks_per_s for step in self.steps if not step.limit), default=None)

    @property
    def chunks_per_cpu_s(self) -> float | None:
        """Chunks for a second of CPU time, their requests included: a bound that other programs do not change."""
        rates = [step.chunks_per_s / step.health.cpu_share for step in self.steps if step.health.cpu_share]
        return max(rates, default=None)

    @property
    def ended_by(self) -> Limit:
        """What was too slow beyond it; empty: nothing was, up to the most that is tried."""
        above = [step for step in self.steps if step.limit and step.in_flight > (self.in_flight or 0)]
        return min(above, key=lambda step: step.in_flight).limit if above else ""

    @property
    def connections(self) -> int:
        """Requests in flight that open files suffice for."""
        return max(0, self.open_files - _FILES_KEPT)

    @property
    def crowded(self) -> bool:
        """Whether other programs had a part in where it ended."""
        return any(step.crowded for step in self.steps if step.limit == "client")


def machine() -> ClientCeiling:
    """Return what is known without measuring."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = sys.maxsize
    return ClientCeiling(
        cores=usable_cores(simulated=False),
        open_files=most if soft == resource.RLIM_INFINITY else soft,
        open_files_at_most=most if hard == resource.RLIM_INFINITY else hard,
        event_loop=_event_loop(),
    )


def _event_loop() -> str:
    import importlib.util

    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"


async def measure_client(
    say: Callable[[str], None], *, pace: float = 1.0, most: int = _MOST
) -> ClientCeiling:
    """Measure it.

    Args:
        say: told what is being done.
        pace: by how much longer or shorter each part is; below 0.85 no verdict comes about.
        most: streams at once that are tried at the utmost.

    Raises:
        ConsoleError: if the simulator does not start.
    """
    found = machine()
    simulators = max(1, min(3, found.cores - 1))
    async with _simulators(simulators) as urls:
        say(f"requests: {_REQUESTS_AT_ONCE} at once with short answers")
        requests_per_s, cpu_share = await _requests_per_s(f"{urls[0]}short/v1", _REQUESTS_S * pace)
        streams = [f"{url}streams/v1" for url in urls]
        steps = await _stream_steps(streams, say, pace, min(most, found.connections))
    return msgspec.structs.replace(
        found, requests_per_s=requests_per_s, requests_cpu_share=cpu_share, steps=tuple(steps)
    )


@asynccontextmanager
async def _simulators(count: int) -> AsyncGenerator[list[str]]:
    providers = {
        "short": SimBehaviour(ttft_ms=0, ttft_spread=0, itl_ms=0, itl_spread=0),
        "streams": SimBehaviour(ttft_ms=_TTFT_MS, itl_ms=1000 / TOKENS_PER_S),
    }
    async with AsyncExitStack() as stack:
        roots: list[str] = []
        for seed in range(count):
            urls = await stack.enter_async_context(
                simulator_process(SimConfig(seed=seed, providers=providers))
            )
            roots.append(urls["short"].removesuffix("short/v1"))
        yield roots


async def _requests_per_s(base_url: str, seconds: float) -> tuple[float, float | None]:
    """Drive a level of short answers through the engine for a while.

    Returns:
        How many were answered a second, and the share of a core that took.
    """
    profile = ad_hoc_profile(base_url=base_url, model="client", workers=_REQUESTS_AT_ONCE)
    loaded = LoadedProfile(
        profile=profile, name=profile.name, origin="doctor", path=None, text="", flags=AD_HOC_FLAGS
    )
    stopped = False

    async def stop_later(engine: Watched, _: Path) -> None:
        nonlocal stopped
        await anyio.sleep(seconds)
        stopped = True
        engine.steering.obey(Stop())

    with tempfile.TemporaryDirectory() as folder:
        level = LevelRun(
            LevelRequest(
                loaded=loaded,
                model="client",
                level=Level(max_concurrency=_REQUESTS_AT_ONCE, request_rate=None),
                requests=Taken(random_source(16, 1, seed=0), _MANY_PROMPTS),
                input_len=16,
                output_len=1,
                out=Path(folder),
            )
        )
        await level.run(stop_later, lambda _: None)
    if not stopped:
        raise KeyboardInterrupt  # a hosted engine takes Ctrl-C for itself
    if level.result is None:
        return 0.0, None
    return float(level.result["request_throughput"] or 0.0), level.result["ultra"]["client"]["cpu_share"]


async def _stream_steps(
    urls: Sequence[str], say: Callable[[str], None], pace: float, most: int
) -> list[StreamStep]:
    check = SelfCheck(cpu_ns, waited_ns)
    steps: list[StreamStep] = []
    async with LlmClient(timeouts=Timeouts()) as client, anyio.create_task_group() as group:
        with read_probe(check, time.perf_counter_ns), settled_heap():
            streams = _Streams(client, urls, check, group)
            while (count := next_in_flight(steps, most)) is not None:
                say(f"streams: {count} at once")
                await streams.settle(count, _SETTLE_S * pace)
                steps.append(await streams.measured(_WINDOW_S * pace))
            group.cancel_scope.cancel()
    return steps


def next_in_flight(steps: Sequence[StreamStep], most: int) -> int | None:
    """Return how many streams to try next; None: the answer is near enough.

    Doubles while all is well, then halves the gap. A step at which other programs were in the way is tried once more.
    """
    if not steps:
        return min(_FIRST, most)
    last = steps[-1]
    again = sum(step.in_flight == last.in_flight for step in steps) > 1
    if last.limit == "client" and last.crowded and not again:
        return last.in_flight
    fit = max((step.in_flight for step in steps if not step.limit), default=None)
    unfit = min(
        (step.in_flight for step in steps if step.limit and step.in_flight > (fit or 0)), default=None
    )
    if unfit is None:
        assert fit is not None
        return min(2 * fit, most) if fit < most else None
    if fit is None:
        return unfit // 2 if unfit // 2 >= _LEAST else None
    return (fit + unfit) // 2 if unfit > _NEAR * fit else None


class _Streams:
    """Streams that begin anew whenever they end, as many as are asked for."""

    def __init__(self, client: LlmClient, urls: Sequence[str], check: SelfCheck, group: TaskGroup) -> None:
        self._client = client
        self._endpoints = [Endpoint(api="openai", base_url=url, deployment="client") for url in urls]
        self._check = check
        self._group = group
        self._prompts = random_source(64, _TOKENS, seed=1, ignore_eos=True)
        self._running: list[anyio.CancelScope] = []
        self._sent = 0
        self._ended: list[ChatResult] = []

    async def settle(self, count: int, seconds: float) -> None:
        """Begin or break off streams, evenly over half the time, and wait for the rest of it."""
        more = count - len(self._running)
        for scope in self._running[count:]:
            scope.cancel()
        del self._running[count:]
        for number in range(more):
            scope = anyio.CancelScope()
            self._running.append(scope)
            self._group.start_soon(self._again_and_again, scope)
            if number % 10 == 9:
                await anyio.sleep(10 * seconds / 2 / more)
        await anyio.sleep(seconds / 2)

    async def measured(self, seconds: float) -> StreamStep:
        """Return what the streams and the client do for a while."""
        self._check.turn(time.perf_counter_ns())
        self._check.take()
        self._ended.clear()
        await anyio.sleep(seconds)
        self._check.turn(time.perf_counter_ns())
        ended = [result for result in self._ended if result.outcome is Outcome.OK]
        spent_s = sum(_seconds(result) for result in ended)
        chunks = sum(result.chunks for result in ended)
        return StreamStep(
            in_flight=len(self._running),
            chunks_per_s=len(self._running) * chunks / spent_s if spent_s else 0.0,
            health=judge_client(self._check.take(), _TTFT_MS),
            failed=len(self._ended) - len(ended),
        )

    async def _again_and_again(self, scope: anyio.CancelScope) -> None:
        with scope:
            while True:
                result = await self._one(self._prompts.at(self._sent))
                self._ended.append(result)
                if result.outcome is not Outcome.OK:
                    await anyio.sleep(0.1)

    async def _one(self, request: ChatRequest) -> ChatResult:
        endpoint = self._endpoints[self._sent % len(self._endpoints)]
        self._sent += 1
        self._check.in_flight += 1
        try:
            return await self._client.complete(endpoint, request)
        finally:
            self._check.in_flight -= 1


def _seconds(result: ChatResult) -> float:
    stamps = result.stamps
    return 0.0 if stamps.sent_ns is None or stamps.end_ns is None else (stamps.end_ns - stamps.sent_ns) / 1e9


def _chunks_of_one_per_s() -> float:
    """Return the chunks that a stream brings a second, its time to the first one included."""
    return _TOKENS / (_TTFT_MS / 1000 + (_TOKENS - 1) / TOKENS_PER_S)
