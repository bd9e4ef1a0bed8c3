"""A capacity search: from what a user asks to a hosted search engine, its answers and its files."""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from console.capacity.answer import Answer
from console.capacity.level_runner import LevelSetting
from console.capacity.model_lanes import any_simulated, model_lanes
from console.capacity.ramp import RampSettings
from console.capacity.search import Subject
from console.capacity.search_engine import SearchEngine, SearchPlan
from console.capacity.search_request import SearchRequest
from console.capacity.search_result import SearchResult, write_search_result
from console.capacity.seed004 import SeedSettings
from console.capacity.server_metrics import ServerWatch, server_watch
from console.capacity.target import TargetSettings
from console.engine.asking import ChatClient
from console.engine.departure import AHEAD_NS
from console.engine.load_ground import GroundPlan
from console.host import Ended, Hosting, Narrate, Seat, beside, host
from console.processes.client_processes import ClientProcesses
from console.processes.count import peak_of_lanes, processes_for, usable_cores
from console.profile.effective import timeouts, totals
from console.profile.load import LoadedProfile
from console.records.read_journal import read_rows
from console.records.run_list import SEARCH
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import LaneSetup, least
from console.vocabulary.level import LevelOutcome
from console.vocabulary.rows import LevelRow, RequestRow
from console.work.prompt_source import PromptSource

Settings = TypeVar("Settings", RampSettings, TargetSettings, SeedSettings)
_SKIPPED_PROMPTS: Final = 100_000
"""Numbers of prompts left out when a search goes on: those that were in flight when it was killed have no row."""


class SearchSurroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a search needs that is in no plan."""

    loaded: LoadedProfile
    prompts: PromptSource
    prompt_tokens: int = 0
    out: Path | None = None
    storage: str = "parquet"
    args: tuple[str, ...] = ()
    resumes: Path | None = None
    processes: int | None = 1
    """Processes that read streams; None: as many as the most in flight is worth."""


class SearchRun:
    """Runs a search; afterwards `result` is what it found."""

    def __init__(self, asked: SearchRequest, around: SearchSurroundings) -> None:
        self._around = around
        self._lanes = search_lanes(around.loaded, asked)
        self._asked = within_profile(asked, self._lanes)
        self._engine: SearchEngine | None = None
        self._watch: ServerWatch | None = None
        self._clients: ClientProcesses | None = None
        self.processes = client_processes(
            self._lanes,
            self._asked,
            around.processes,
            simulated=any_simulated(around.loaded, self._lanes),
        )
        """How many processes read streams; 1: the engine's own."""
        self.result: SearchResult | None = None
        self.caps = search_caps(self._lanes, asked)
        """Where the profile allows less than is looked for."""

    @property
    def lanes(self) -> tuple[LaneSetup, ...]:
        """The lanes that it drives."""
        return self._lanes

    async def run(self, narrate: Narrate, started: Callable[[Path], None]) -> Ended:
        """Run it to its end.

        Raises:
            ConsoleError: if a secret is not there, or the run directory cannot be made.
        """
        around = self._around
        what = Hosting(
            title=SEARCH,
            loaded=around.loaded,
            lanes=self._lanes,
            seed=self._asked.seed,
            plan={
                "kind": "capacity search",
                "model": self._asked.model,
                "search": self._asked,
                "lanes": self._lanes,
            },
            out=around.out,
            storage=around.storage,
            args=around.args,
            resumes=around.resumes,
        )
        async with server_watch(self._asked.server_metrics, time.perf_counter_ns) as self._watch:
            told = narrate if self._watch is None else beside(narrate, self._watch.run)
            told = beside(told, self._run_clients)
            ended = await host(what, self._make, told, started)
        if self._engine is not None:
            self.result = SearchResult(
                run_id=ended.run_dir.name,
                model=self._asked.model,
                kind=self._engine.kind,
                simulated=self._engine.simulated,
                state=ended.state,
                answers=tuple(self._engine.answers),
                levels=tuple(self._engine.levels),
            )
            write_search_result(ended.run_dir, self.result)
        return ended

    @property
    def answers(self) -> Sequence[Answer]:
        """What it found, one a subject."""
        return () if self._engine is None else self._engine.answers

    @property
    def server_trouble(self) -> str:
        """Why the last look at the server's metrics saw nothing, or not everything; empty: it did."""
        return "" if self._watch is None else self._watch.trouble

    async def _run_clients(self) -> None:
        """Serve the engine's requests for as long as somebody tells how the run goes."""
        if self._clients is not None:
            await self._clients.run()

    def _client(self, seat: Seat) -> ChatClient:
        """Return what sends requests: this process, or several others."""
        if self.processes == 1:
            return seat.client
        self._clients = ClientProcesses(
            self.processes,
            log_path=Path(seat.headline.run_dir) / "engine.log",
            timeouts=timeouts(self._around.loaded.profile),
            now_ns=seat.now_ns,
            heard=seat.self_check.absorb,
        )
        return self._clients

    def _make(self, seat: Seat) -> SearchEngine:
        asked = self._asked
        levels, first_prompt = ((), 0) if self._around.resumes is None else read_levels(self._around.resumes)
        plan = SearchPlan(
            model=asked.model,
            setting=LevelSetting(
                search=asked.search(),
                pace=asked.pace,
                prompt=self._around.prompts.at,
                prompt_tokens=self._around.prompt_tokens,
                goodput=asked.goodput,
                burstiness=asked.burstiness,
                server=None if self._watch is None else self._watch.since(seat.start_ns),
                open_files=open_files,
                lost=lambda: 0 if self._clients is None else self._clients.lost,
            ),
            subjects=subjects(self._lanes, each=asked.each),
            budget=asked.budget,
            levels=levels,
            first_prompt=first_prompt,
        )
        ground = GroundPlan(
            lanes=self._lanes,
            headline=seat.headline,
            client=self._client(seat),
            endpoints=seat.endpoints,
            journal=seat.journal,
            now_ns=seat.now_ns,
            start_ns=seat.start_ns,
            rng=random.Random(asked.seed),
            self_check=seat.self_check,
            sharing=seat.sharing,
            ahead_ns=AHEAD_NS,
            keeps_history=True,
        )
        self._engine = SearchEngine(plan, ground, random.Random(asked.seed))
        return self._engine


def read_levels(run_dir: Path) -> tuple[tuple[LevelOutcome, ...], int]:
    """Return the levels of a search that are over, and the number of the first prompt that was not sent."""
    levels: list[LevelOutcome] = []
    last = -1
    for row in read_rows(run_dir):
        if isinstance(row, LevelRow):
            levels.append(row.outcome)
        elif isinstance(row, RequestRow):
            number = row.test.rpartition("/")[2]
            last = max(last, int(number) if number.isdecimal() else -1)
    return tuple(levels), 0 if last < 0 else last + 1 + _SKIPPED_PROMPTS


def subjects(lanes: Sequence[LaneSetup], *, each: bool) -> tuple[Subject, ...]:
    """Return what is searched one after another: with `each` every lane, and in any case all of them together."""
    ids = tuple(setup.lane.id for setup in lanes)
    alone = tuple(Subject(lane_id, (lane_id,)) for lane_id in ids) if each and len(ids) > 1 else ()
    return (*alone, Subject("", ids))


def search_lanes(loaded: LoadedProfile, asked: SearchRequest) -> tuple[LaneSetup, ...]:
    """Return the lanes that a search drives.

    Raises:
        ConsoleError: if the model has no lane, or a pattern names none of them.
    """
    lanes = model_lanes(loaded, asked.model)
    for pattern in asked.lanes:
        if not any(fnmatchcase(setup.lane.id, pattern) for setup in lanes):
            known = ", ".join(setup.lane.id for setup in lanes[:5])
            raise ConsoleError(f"no lane of {asked.model} is called {pattern!r}", hint=f"it has {known}")
    chosen = tuple(
        setup
        for setup in lanes
        if not asked.lanes or any(fnmatchcase(setup.lane.id, pattern) for pattern in asked.lanes)
    )
    return tuple(map(_lifted, chosen)) if asked.lift_workers else chosen


def _lifted(setup: LaneSetup) -> LaneSetup:
    """Leave out a lane's own workers; what limits its keys and deployments stays."""
    limits = msgspec.structs.replace(setup.limits, workers=None)
    return msgspec.structs.replace(setup, limits=limits)


def search_caps(lanes: Sequence[LaneSetup], asked: SearchRequest) -> list[str]:
    """Say where the profile allows less than the search may come to."""
    (row,) = totals(lanes)
    caps: list[str] = []
    if row.workers is not None and row.workers < asked.most:
        caps.append(
            f"the profile allows {row.workers} in flight, and the search looks no further than that, not to {asked.most}; "
            "--lift-workers leaves the workers of lanes out"
        )
    if row.qps_bound is not None:
        caps.append(
            f"the profile allows {row.qps_bound:g} requests/s: beyond, it is measured and not the model"
        )
    return caps


def client_processes(
    lanes: Sequence[LaneSetup], asked: SearchRequest, wanted: int | None, *, simulated: bool
) -> int:
    """Return how many processes read streams.

    Raises:
        ConsoleError: if several are asked for where lanes keep a rate, which one process does.
    """
    paced = any(
        limits.qps is not None or limits.rpm is not None or limits.tpm is not None
        for setup in lanes
        for limits in (setup.limits, *(outer.limits for outer in setup.outer))
    )
    if paced:
        if wanted is not None and wanted > 1:
            raise ConsoleError(
                "a rate is kept by one process, and lanes have one", where="--processes", hint="leave it out"
            )
        return 1
    return wanted or processes_for(peak_of_lanes(lanes, asked.most), cores=usable_cores(simulated=simulated))


def within_profile(asked: SearchRequest, lanes: Sequence[LaneSetup]) -> SearchRequest:
    """Return the request with nothing looked for that the profile does not let through anyhow."""
    (row,) = totals(lanes)
    most = least(asked.most, row.workers) or asked.most

    def capped(settings: Settings | None) -> Settings | None:
        return None if settings is None else msgspec.structs.replace(settings, most=most)

    return msgspec.structs.replace(
        asked, ramp=capped(asked.ramp), target=capped(asked.target), seed004=capped(asked.seed004)
    )


def refuse_target(lanes: Sequence[LaneSetup], qps: float) -> None:
    """Refuse a rate that the quotas of the profile do not allow.

    Raises:
        ConsoleError: with both figures.
    """
    (row,) = totals(lanes)
    if row.qps_bound is not None and qps > row.qps_bound:
        raise ConsoleError(
            f"{qps:g} requests/s are more than the quotas of the profile allow together: {row.qps_bound:g}/s",
            hint="lower --qps, or change the limits with --set",
        )


def open_files() -> tuple[int, int]:
    """Return how many descriptors this process has open, and how many it may; 0 where the system does not tell."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return len(os.listdir("/proc/self/fd")), soft
    except OSError:
        return 0, soft
