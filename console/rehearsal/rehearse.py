"""One rehearsal: the engine of a plan, played through on virtual time."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Final

import anyio
import msgspec

from console.engine.board import Headline
from console.engine.engine import Engine
from console.phases.plan import Plan
from console.profile.form import Profile
from console.rehearsal.account import Found, report
from console.rehearsal.ledger import Ledger
from console.rehearsal.report import Rehearsal
from console.rehearsal.supposed import Supposed, suppose
from console.rehearsal.virtual import NowNs, run_virtually
from console.sim.config import SimConfig
from console.sim.in_process import InProcessClient
from console.sim.player import TestPlayer
from console.work.choice import MOST_TOKENS, work_of
from console.work.contract import Work

TOLD_EVERY_S: Final = 0.25


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rehearsal is."""

    virtual_s: float
    """Reached on the virtual clock."""
    done: int
    planned: int
    wall_s: float
    """That it took so far."""

    @property
    def eta_s(self) -> float | None:
        """Seconds that it still takes if tests go on to cost what they cost; None: none is done."""
        return self.wall_s * (self.planned - self.done) / self.done if self.done else None


def rehearse(
    plan: Plan,
    profile: Profile,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    obey_signals: bool = False,
) -> Rehearsal:
    """Play a plan through and return how it went. Resolves no secret, opens no connection, writes no file.

    Args:
        plan: what would run, with the limits that would be enforced.
        profile: the profile that it was made from: what is supposed of its providers.
        on_progress: told four times a second how far it is.
        obey_signals: end at SIGINT and SIGTERM with what was reached; only in the main thread.
    """
    supposed = suppose(profile, plan.lanes, TestPlayer(), most_tokens=MOST_TOKENS)
    told = _Telling(plan.planned, on_progress) if on_progress is not None else None
    ledger = Ledger((setup.lane for setup in plan.lanes), told)

    async def main(now_ns: NowNs) -> list[Found]:
        work = work_of(plan.seed, plan.protocols, plan.max_tokens)
        return await _play(plan, supposed, ledger, work, now_ns, obey_signals=obey_signals)

    found = run_virtually(main, seed=plan.seed)
    return report(plan, ledger, supposed, found)


class _Telling:
    """Tells of progress by the wall clock, which the engine never sees."""

    def __init__(self, planned: int, tell: Callable[[Progress], None]) -> None:
        self._planned = planned
        self._tell = tell
        self._begun_s = self._told_s = time.monotonic()

    def __call__(self, ledger: Ledger) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < TOLD_EVERY_S:
            return
        self._told_s = now_s
        self._tell(
            Progress(
                virtual_s=ledger.now_ns / 1e9,
                done=ledger.done,
                planned=self._planned,
                wall_s=now_s - self._begun_s,
            )
        )


async def _play(
    plan: Plan, supposed: Supposed, ledger: Ledger, work: Work, now_ns: NowNs, *, obey_signals: bool
) -> list[Found]:
    model_of = {setup.lane.deployment: setup.lane.model for setup in plan.lanes}
    client = InProcessClient(
        SimConfig(seed=plan.seed, providers=supposed.behaviours, model_of=model_of),
        now_ns=now_ns,
        timeouts=plan.timeouts,
        player=TestPlayer(),
        players=supposed.players,
        coarse=True,
    )
    engine = Engine(
        plan=plan,
        headline=Headline(
            run_id="rehearsal",
            run_dir="",
            pid=os.getpid(),
            title=plan.title,
            profile=plan.profile,
            simulated=True,
        ),
        work=work,
        client=client,
        endpoints=supposed.endpoints,
        journal=ledger,
        now_ns=now_ns,
        start_ns=now_ns(),
        rng=random.Random(plan.seed),
    )
    received = anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) if obey_signals else nullcontext()
    with received as signals:
        async with anyio.create_task_group() as group:
            if signals is not None:
                group.start_soon(_stop_at_signal, signals, engine)
            await engine.run()
            group.cancel_scope.cancel()
    return _found(plan, engine)


def _found(plan: Plan, engine: Engine) -> list[Found]:
    views = {view.lane_id: view for view in engine.look().lanes}
    lanes = {setup.lane.id: setup.lane for setup in plan.lanes}
    return [
        Found(lane=lanes[name], per_s=views[name].qps, in_flight=views[name].window, learnt=learnt)
        for name, learnt in engine.learnt(0.0).items()
    ]


async def _stop_at_signal(received: AsyncIterator[signal.Signals], engine: Engine) -> None:
    async for number in received:
        engine.steering.stop(number.name)
