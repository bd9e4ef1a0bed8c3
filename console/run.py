"""One run of phases: from what a user asks to the plan, and from the plan to a hosted engine."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from console.engine.departure import AHEAD_NS
from console.engine.engine import Engine
from console.host import Ended, Hosting, Narrate, Seat, host
from console.phases.build import build_plan
from console.phases.load import load_phases
from console.phases.plan import Plan
from console.phases.selection import Selection, ad_hoc_phase
from console.processes.count import peak_of_plan, processes_for, usable_cores
from console.processes.plan_run import PlanRun
from console.profile.load import LoadedProfile, load_profile
from console.vocabulary.errors import ConsoleError
from console.vocabulary.learnt import with_ages
from console.vocabulary.trace import Traces
from console.work.single_turn import SingleTurnWork


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for with `run` or `plan`."""

    profile: str = "sim"
    overrides: tuple[str, ...] = ()
    """Texts of `--set`."""
    phases: tuple[str, ...] = ()
    selection: Selection = Selection()
    rate_mode: str | None = None
    seed: int = 0
    out: Path | None = None
    run_id: str | None = None
    storage: str = "parquet"
    processes: int | None = 1
    """Engine processes; None: as many as the expected load is worth."""
    content: bool = True
    """Whether traces hold what is said in tests; else lengths and hashes of it."""
    args: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A run that can start: everything in it is valid."""

    request: RunRequest
    loaded: LoadedProfile
    plan: Plan

    @property
    def processes(self) -> int:
        """Engine processes: as asked for, or as many as the expected load is worth."""
        cores = usable_cores(simulated=self.plan.simulated)
        return self.request.processes or processes_for(peak_of_plan(self.plan), cores=cores)


def prepare(request: RunRequest, *, to_run: bool = True) -> Prepared:
    """Load, check and plan; resolves no secret and writes nothing.

    Args:
        request: what is asked for.
        to_run: whether it is to be run; a plan that is only shown may hold what cannot be run yet.

    Raises:
        ConsoleError: whatever the user has to mend.
    """
    if not request.phases and request.selection.empty:
        raise ConsoleError(
            "nothing is asked for",
            hint="give --phase 5.1, or a selection such as --model NAME --num-instances 1",
        )
    loaded = load_profile(request.profile, request.overrides, rate_mode=request.rate_mode)
    phases = load_phases(request.phases) if request.phases else [ad_hoc_phase(request.selection)]
    plan = build_plan(
        loaded.profile,
        phases,
        request.selection,
        rate_mode=loaded.profile.rate_mode,
        seed=request.seed,
        refusal=SingleTurnWork(request.seed).refusal,
    )
    if to_run and plan.cannot_run:
        first, *others = plan.cannot_run
        raise ConsoleError(
            f"{first}, and {len(others)} more" if others else first,
            hint="`ultra-console plan` shows all of it nevertheless",
        )
    return Prepared(request=request, loaded=loaded, plan=plan)


async def run_phases(prepared: Prepared, narrate: Narrate, started: Callable[[Path], None]) -> Ended:
    """Run the plan to its end.

    Raises:
        ConsoleError: if a secret is not there, or the run directory cannot be made.
    """
    request, plan = prepared.request, prepared.plan
    processes = prepared.processes
    traces: Traces = "full" if request.content else "hashes"

    def make(seat: Seat) -> Engine | PlanRun:
        engine = make_engine(seat)
        seat.learning.follow(engine.learnt, lambda text: engine.tell("warn", "learnt", "", text))
        return engine

    def make_engine(seat: Seat) -> Engine | PlanRun:
        known = seat.learning.known
        if processes > 1:
            return PlanRun(seat, plan, processes, seat.sharing, known, traces)
        return Engine(
            plan=plan,
            headline=seat.headline,
            work=SingleTurnWork(plan.seed),
            client=seat.client,
            endpoints=seat.endpoints,
            journal=seat.journal,
            now_ns=seat.now_ns,
            start_ns=seat.start_ns,
            rng=random.Random(plan.seed),
            self_check=seat.self_check,
            sharing=seat.sharing,
            learnt=with_ages(known, time.time()),
            ahead_ns=AHEAD_NS,
            traces=True,
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
