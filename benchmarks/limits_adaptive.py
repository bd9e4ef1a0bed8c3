"""Adaptive mode over HTTP: the whole engine finds limits that a simulated server hides, on the wall clock."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio

from benchmarks.engine_load import LOOP
from benchmarks.limits_runs import PROVIDER, logging_simulator
from benchmarks.machine import window
from benchmarks.report import Part, Target, table
from console.engine.board import Headline
from console.engine.departure import AHEAD_NS
from console.engine.engine import Engine
from console.engine.gates import NS_PER_S
from console.llm.client import LlmClient
from console.phases.plan import Job, Plan, Shard
from console.records.journal import Journal
from console.records.read_journal import read_rows
from console.vocabulary.chat import ChatRequest, Endpoint, Timeouts
from console.vocabulary.command import Stop
from console.vocabulary.lane import Lane, LaneSetup, Limits
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import LimitRow, RequestRow
from console.vocabulary.simulated import SimBehaviour
from console.work.contract import Ask, TestResult

WORKERS = 200
MAX_TOKENS = 500
_STEP_S = 5
_FIRST_WINDOW_S = 30
"""What `to_90_s` looks at: half a minute, or a window of the limit if that is longer."""


@dataclass(frozen=True)
class Hidden:
    """A limit that the server does not tell."""

    name: str
    behaviour: SimBehaviour
    units_per_s: float
    """Requests per second, or requests in flight, to be had."""
    in_flight: bool = False
    window_s: float = 1.0


def _server(**limits: object) -> SimBehaviour:
    return SimBehaviour(ttft_ms=2000, ttft_spread=0.3, itl_ms=20, output_tokens=25, **limits)  # pyright: ignore[reportArgumentType]


SCENARIOS = (
    Hidden("10 requests/s, 1-s windows", _server(key_qps=10), 10),
    Hidden("600 RPM, minute windows", _server(key_rpm=600), 10, window_s=60),
    Hidden("16 in flight, no hint", _server(key_concurrency=16, retry_after="none"), 16, in_flight=True),
)


@dataclass(frozen=True)
class Found:
    """What came of one scenario."""

    name: str
    used: float
    """Of what was to be had, in the last two thirds."""
    refused: float
    """Of what was sent then."""
    refused_at_all: float
    to_90_s: float
    changes: int


class _Prompts:
    """Tests that ask once, for an answer of known cost."""

    def refusal(self, test: str) -> str | None:
        """Play everything."""
        return None

    async def run(self, test: str, ask: Ask) -> TestResult:
        """Ask, and be content with any answer."""
        await ask(ChatRequest(messages=({"role": "user", "content": test},), max_tokens=MAX_TOKENS))
        return TestResult(verdict=Verdict.FULL, score=1.0)


def run(part: Part, *, seconds: float) -> None:
    """Look for all hidden limits at once, one engine each in this one process."""
    with logging_simulator(**{f"p{number}": one.behaviour for number, one in enumerate(SCENARIOS)}) as server:
        urls = list(server.urls.values())
        with tempfile.TemporaryDirectory() as folder, window() as taken:
            folders = [Path(folder) / str(number) for number in range(len(SCENARIOS))]
            for each in folders:
                each.mkdir()
            found = anyio.run(_all_at_once, folders, urls, seconds, backend_options=LOOP)
    part.say(
        "",
        f"Adaptive mode over HTTP, {seconds:g} s, all scenarios at once in one process (a lane each, at most {WORKERS} in "
        f"flight; {100 * taken.cpu_s / taken.seconds:.0f} % of a core); used and refused over the last {2 * seconds / 3:.0f} s.",
        *table(_HEAD, [_row(one) for one in found]),
    )
    part.figures += [{"what": "adaptive", **asdict(one)} for one in found]
    for one in found:
        part.targets += [
            Target(f"over HTTP, {one.name}: used", 100 * one.used, 90, "more", "%", taken.others),
            Target(f"over HTTP, {one.name}: 429", 100 * one.refused, 2, "less", "%", taken.others),
        ]


_HEAD = ("hidden limit", "used %", "429 %", "429 % from the start", "90 % after s", "changes")


def _row(one: Found) -> list[str]:
    return [
        one.name,
        f"{100 * one.used:.1f}",
        f"{100 * one.refused:.2f}",
        f"{100 * one.refused_at_all:.2f}",
        f"{one.to_90_s:.0f}",
        str(one.changes),
    ]


async def _all_at_once(folders: list[Path], urls: list[str], seconds: float) -> list[Found]:
    found: dict[str, Found] = {}

    async def one(hidden: Hidden, url: str, folder: Path) -> None:
        found[hidden.name] = await _look_for(hidden, url, folder, seconds)

    async with anyio.create_task_group() as group:
        for hidden, url, folder in zip(SCENARIOS, urls, folders, strict=True):
            group.start_soon(one, hidden, url, folder)
    return [found[hidden.name] for hidden in SCENARIOS]


async def _look_for(hidden: Hidden, url: str, folder: Path, seconds: float) -> Found:
    lane = Lane(PROVIDER, "m", "d", "key0")
    setup = LaneSetup(lane=lane, model_class="open", limits=Limits(workers=WORKERS), adaptive=True)
    tests = tuple(f"m/optimal/easy/0.8/simple_task/{number}" for number in range(int(100 * seconds)))
    async with LlmClient(timeouts=Timeouts()) as client:
        with Journal.open(folder) as journal:
            engine = Engine(
                plan=_plan(setup, tests),
                headline=Headline(
                    run_id="bench", run_dir="", pid=0, title="bench", profile="", simulated=True
                ),
                work=_Prompts(),
                client=client,
                endpoints={lane.id: Endpoint(api="openai", base_url=url, deployment="d")},
                journal=journal,
                now_ns=time.perf_counter_ns,
                start_ns=time.perf_counter_ns(),
                rng=random.Random(0),
                ahead_ns=AHEAD_NS,
            )

            async def stop() -> None:
                await anyio.sleep(seconds)
                engine.steering.obey(Stop())

            async with anyio.create_task_group() as group:
                group.start_soon(stop)
                await engine.run()
                group.cancel_scope.cancel()
    return _found(hidden, folder, seconds)


def _plan(setup: LaneSetup, tests: tuple[str, ...]) -> Plan:
    job = Job(
        id="bench",
        phase="bench",
        model="m",
        provider=PROVIDER,
        difficulty="easy",
        group="optimal",
        rate="0.8",
        prompt_types=("optimal",),
        tests=tests,
        shards=(Shard(lane_id=setup.lane.id),),
    )
    return Plan(
        title="bench",
        profile="bench",
        rate_mode="adaptive",
        seed=0,
        lanes=(setup,),
        jobs=(job,),
        timeouts=Timeouts(),
        attempts=20,
    )


def _found(hidden: Hidden, folder: Path, seconds: float) -> Found:
    rows = list(read_rows(folder))
    requests = [row for row in rows if isinstance(row, RequestRow)]
    settled_s = seconds / 3
    late = [
        row for row in requests if row.at_ns >= settled_s * NS_PER_S and row.outcome is not Outcome.CANCELLED
    ]
    return Found(
        name=hidden.name,
        used=_used(hidden, requests, settled_s, seconds) / hidden.units_per_s,
        refused=_refused(late),
        refused_at_all=_refused(requests),
        to_90_s=_reached(hidden, requests, seconds),
        changes=sum(isinstance(row, LimitRow) for row in rows),
    )


def _used(hidden: Hidden, rows: list[RequestRow], from_s: float, to_s: float) -> float:
    """Return what was let in from one time to another: requests per second, or how many there were at once."""
    begin_ns, end_ns = int(from_s * NS_PER_S), int(to_s * NS_PER_S)
    # One that was cancelled at the end had been let in: refusals come at once.
    let_in = [
        row for row in rows if row.outcome in (Outcome.OK, Outcome.CANCELLED) and row.total_ns is not None
    ]
    if not hidden.in_flight:
        return sum(begin_ns <= row.at_ns < end_ns for row in let_in) / (to_s - from_s)
    spans = [(row.at_ns, row.at_ns + (row.total_ns or 0)) for row in let_in]
    return sum(max(0, min(end, end_ns) - max(begin, begin_ns)) for begin, end in spans) / (end_ns - begin_ns)


def _refused(rows: list[RequestRow]) -> float:
    return sum(row.outcome is Outcome.RATE_LIMITED for row in rows) / max(1, len(rows))


def _reached(hidden: Hidden, rows: list[RequestRow], seconds: float) -> float:
    """Return the end of the first half minute, or window of the limit, with 90 % used."""
    span_s = int(max(_FIRST_WINDOW_S, hidden.window_s))
    for end_s in range(span_s, int(seconds) + 1, _STEP_S):
        if _used(hidden, rows, end_s - span_s, end_s) >= 0.9 * hidden.units_per_s:
            return end_s
    return float("inf")
