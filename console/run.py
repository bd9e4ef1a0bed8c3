"""One run of phases: from the plan to a hosted engine."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from console.engine.departure import AHEAD_NS
from console.engine.engine import Engine
from console.host import Ended, Hosting, Narrate, Seat, host
from console.prepare import Prepared, RunRequest, prepare
from console.processes.plan_run import PlanRun
from console.records.debug_log import DebugLog
from console.vocabulary.learnt import with_ages
from console.vocabulary.trace import Traces
from console.work.choice import work_of

__all__ = ["Prepared", "RunRequest", "prepare", "run_phases"]


async def run_phases(prepared: Prepared, narrate: Narrate, started: Callable[[Path], None]) -> Ended:
    """Run the plan to its end.

    Raises:
        ConsoleError: if a secret is not there, or the run directory cannot be made.
    """
    request, plan = prepared.request, prepared.plan
    processes = prepared.processes
    traces: Traces = "full" if request.content else "hashes"

    def make(seat: Seat) -> Engine | PlanRun:
        for row in prepared.taken:
            seat.journal.hold(row)
        seat.journal.flush()
        engine = make_engine(seat)
        seat.learning.follow(engine.learnt, lambda text: engine.tell("warn", "learnt", "", text))
        for note in plan.notes:
            engine.tell("note", "plan", "", note)
        return engine

    def make_engine(seat: Seat) -> Engine | PlanRun:
        known = seat.learning.known
        told = plan.lanes_of_shard(request.debug_shard)
        if processes > 1:
            return PlanRun(seat, plan, processes, seat.sharing, known, traces, told)
        return Engine(
            plan=plan,
            headline=seat.headline,
            work=work_of(plan.seed, plan.protocols, plan.max_tokens),
            client=seat.client,
            endpoints=seat.endpoints,
            journal=DebugLog(seat.journal, Path(seat.headline.run_dir), told) if told else seat.journal,
            now_ns=seat.now_ns,
            start_ns=seat.start_ns,
            rng=random.Random(plan.seed),
            self_check=seat.self_check,
            sharing=seat.sharing,
            learnt=with_ages(known, time.time()),
            ahead_ns=AHEAD_NS,
            traces=True,
            keeps_history=True,
        )

    what = Hosting(
        title=plan.title,
        loaded=prepared.loaded,
        lanes=plan.lanes,
        seed=plan.seed,
        plan=plan,
        phases=request.phases,
        selection=msgspec.to_builtins(request.selection),
        out=request.out,
        run_id=request.run_id,
        storage=request.storage,
        processes=processes,
        traces=traces,
        args=request.args,
    )
    return await host(what, make, narrate, started)
