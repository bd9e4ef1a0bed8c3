"""One capacity level: from what a user asks to a hosted load engine and the level's result."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from console.capacity.level_result import LevelAsked, level_result, ttft_p50_ms
from console.capacity.level_stats import Reported, measured_rows
from console.capacity.level_steady import steady_part
from console.capacity.model_lanes import any_simulated, model_lanes
from console.capacity.server_metrics import ServerWatch, server_watch
from console.engine.departure import AHEAD_NS
from console.engine.load import Level, LoadEngine
from console.engine.load_ground import GroundPlan
from console.host import Ended, Hosting, Narrate, Seat, beside, host
from console.processes.count import peak_of_lanes, processes_for, usable_cores
from console.processes.level_run import LevelOnProcesses
from console.profile.effective import timeouts, totals
from console.profile.load import LoadedProfile
from console.records.client_rows import client_health
from console.vocabulary.chat import ChatRequest
from console.vocabulary.lane import LaneSetup
from console.vocabulary.level import LevelOutcome
from console.vocabulary.rows import RequestRow


class LevelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for with `capacity run`."""

    loaded: LoadedProfile
    model: str
    level: Level
    requests: Sequence[ChatRequest]
    """Those that warm up first, then those that are measured."""
    input_len: int | None
    output_len: int | None
    seed: int = 0
    out: Path | None = None
    storage: str = "parquet"
    processes: int | None = 1
    """Engine processes; None: as many as the expected load is worth."""
    report: Reported = Reported()
    server_metrics: tuple[str, ...] = ()
    """URLs at which the server and its GPUs say how they are."""
    args: tuple[str, ...] = ()


class LevelRun:
    """Runs one level; afterwards `result` is its result file."""

    def __init__(self, asked: LevelRequest) -> None:
        self._asked = asked
        self._lanes = model_lanes(asked.loaded, asked.model)
        self._engine: LoadEngine | LevelOnProcesses | None = None
        self._processes = asked.processes or processes_for(
            peak_of_lanes(self._lanes, asked.level.max_concurrency),
            cores=usable_cores(simulated=any_simulated(asked.loaded, self._lanes)),
        )
        self.caps = profile_caps(self._lanes, asked.level)
        """Where the profile allows less than is asked for."""
        self._start_ns = 0
        self._watch: ServerWatch | None = None
        self.result: dict[str, Any] | None = None
        self.steady: LevelOutcome | None = None
        """What was measured while it was steady, and what the user's limits say of it."""

    async def run(self, narrate: Narrate, started: Callable[[Path], None]) -> Ended:
        """Run it to its end.

        Raises:
            ConsoleError: if a secret is not there, or the run directory cannot be made.
        """
        asked = self._asked
        created = datetime.now().astimezone()
        what = Hosting(
            title="capacity",
            loaded=asked.loaded,
            lanes=self._lanes,
            seed=asked.seed,
            plan={
                "kind": "capacity level",
                "model": asked.model,
                "level": asked.level,
                "num_prompts": len(asked.requests),
                "input_len": asked.input_len,
                "output_len": asked.output_len,
                "lanes": self._lanes,
            },
            out=asked.out,
            storage=asked.storage,
            processes=self._processes,
            args=asked.args,
        )
        async with server_watch(asked.server_metrics, time.perf_counter_ns) as self._watch:
            told = narrate if self._watch is None else beside(narrate, self._watch.run)
            ended = await host(what, self._make, told, started)
        if self._engine is not None:
            rows = self._engine.rows if isinstance(self._engine, LoadEngine) else self._engine.rows()
            self.result = self._result(rows, ended.run_dir, created)
        return ended

    def _result(self, rows: Sequence[RequestRow], run_dir: Path, created: datetime) -> dict[str, Any]:
        asked, engine = self._asked, self._engine
        assert engine is not None
        provider = asked.loaded.profile.providers[self._lanes[0].lane.provider]
        client = client_health(run_dir, ttft_p50_ms(rows))
        result = level_result(
            LevelAsked(
                model=asked.model,
                api=provider.api,
                level=asked.level,
                num_prompts=len(asked.requests) - asked.level.warm_ups,
                input_len=asked.input_len,
                output_len=asked.output_len,
                simulated=provider.api == "sim",
                created=created,
                run_id=run_dir.name,
                held_s=engine.held_s,
                deaths=0 if isinstance(engine, LoadEngine) else sum(engine.deaths.values()),
                report=asked.report,
            ),
            rows,
            client,
            self._of_server(measured_rows(rows, asked.level.warm_ups)),
        )
        self.steady = steady_part(
            asked.level,
            rows,
            asked.report,
            client=client,
            server=None if self._watch is None else self._watch.since(self._start_ns),
        )
        result["ultra"]["steady"] = msgspec.to_builtins(self.steady)
        if self._watch is not None and self._watch.trouble:
            result["ultra"]["notes"].append(f"server metrics: {self._watch.trouble}")
        return result

    def _of_server(self, rows: Sequence[RequestRow]) -> dict[str, float] | None:
        if self._watch is None or not rows:
            return None
        ends = (row.at_ns + (row.total_ns or 0) for row in rows)
        return self._watch.since(self._start_ns)(min(row.at_ns for row in rows), max(ends))

    def _make(self, seat: Seat) -> LoadEngine | LevelOnProcesses:
        self._start_ns = seat.start_ns
        if self._processes > 1:
            self._engine = LevelOnProcesses(
                seat,
                self._asked.level,
                self._asked.requests,
                self._lanes,
                processes=self._processes,
                timeouts=timeouts(self._asked.loaded.profile),
                seed=self._asked.seed,
            )
            return self._engine
        self._engine = LoadEngine(
            self._asked.level,
            self._asked.requests,
            GroundPlan(
                lanes=self._lanes,
                headline=seat.headline,
                client=seat.client,
                endpoints=seat.endpoints,
                journal=seat.journal,
                now_ns=seat.now_ns,
                start_ns=seat.start_ns,
                rng=random.Random(self._asked.seed),
                self_check=seat.self_check,
                sharing=seat.sharing,
                ahead_ns=AHEAD_NS,
                keeps_history=True,
            ),
        )
        return self._engine


def profile_caps(lanes: Sequence[LaneSetup], level: Level) -> list[str]:
    """Say where the profile allows less than the level asks for."""
    (row,) = totals(lanes)
    caps: list[str] = []
    if level.max_concurrency is not None and row.workers is not None and row.workers < level.max_concurrency:
        caps.append(f"the profile allows {row.workers} in flight, not {level.max_concurrency}")
    if level.request_rate is not None and row.qps_bound is not None and row.qps_bound < level.request_rate:
        caps.append(f"the profile allows {row.qps_bound:g} requests/s, not {level.request_rate:g}")
    return caps
