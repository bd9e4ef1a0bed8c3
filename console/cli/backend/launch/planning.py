"""The plan of a launch as the screen shows it, from the very plan that the engine enforces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from console.cli.backend.absent import missing_secrets
from console.cli.backend.launch.asking import request_of
from console.cli.backend.profiles import shown_totals
from console.cli.looking import looked_ahead
from console.cli.plan_text import answers_text, limit_text, plain_warnings
from console.phases.preflight import Preflight, ScopeLoad
from console.prepare import Prepared, prepare
from console.profile.effective import totals
from console.records.run_dir import runs_home
from console.screens.launch.needs import Asked, KeyLoad, PhaseCount, Planned, Warned


def planned(asked: Asked, superseded: Callable[[], bool]) -> Planned | None:
    """Plan what is asked for and look ahead at it; None as soon as it is superseded.

    Raises:
        ConsoleError: whatever `run` would refuse, but for secrets, which are told in the plan.
    """
    prepared = prepare(request_of(asked))
    if superseded():
        return None
    ahead, source = looked_ahead(prepared)
    if superseded():
        return None
    return _view(prepared, ahead, source)


def _view(prepared: Prepared, ahead: Preflight, source: str) -> Planned:
    plan, held = prepared.plan, prepared.loaded.profile
    home = prepared.request.out or runs_home(create=False)
    warnings = [Warned(text) for text in plain_warnings(plan, ahead)]
    warnings += [
        Warned(finding.text, finding.where, finding.code, finding.cure, finding.change)
        for finding in ahead.findings
    ]
    return Planned(
        title=plan.title,
        profile=prepared.loaded.name,
        rate_mode=plan.rate_mode,
        tests=plan.planned,
        requests=round(plan.requests),
        reused=sum(job.reused for job in plan.jobs),
        jobs=len(plan.jobs),
        shards=sum(len(job.shards) for job in plan.jobs),
        lanes=len(plan.lanes),
        duration_s=ahead.duration_s,
        latency=f"{answers_text(plan, ahead)} ({source})",
        processes=prepared.processes,
        phases=tuple(
            PhaseCount(
                one.phase,
                one.jobs,
                one.new,
                ", ".join(f"{count:,} ({where})" for where, count in one.reused.items()),
            )
            for one in plan.phases
        ),
        keys=tuple(_key(load) for load in ahead.loads if load.kind == "key"),
        warnings=tuple(warnings),
        notes=plan.notes,
        totals=shown_totals(totals(plan.lanes)),
        simulated=all(held.providers[setup.lane.provider].api == "sim" for setup in plan.lanes),
        missing=tuple(missing_secrets(plan.lanes, held.providers)),
        place=str(home),
        free_bytes=_free_bytes(home),
    )


def _key(load: ScopeLoad) -> KeyLoad:
    return KeyLoad(
        name=load.name,
        jobs=load.nominal.jobs,
        workers=load.nominal.workers,
        peak_in_flight=load.curve.peak_in_flight,
        mean_per_s=load.curve.mean_requests_per_s,
        nominal_per_s=load.nominal.per_s,
        limit=limit_text(load),
        limit_per_s=load.limit.per_s,
        share=load.share,
        step_s=load.curve.step_s,
        in_flight=load.curve.in_flight,
        requests_per_s=load.curve.requests_per_s,
    )


def _free_bytes(home: Path) -> int | None:
    """Return the room on the disk of a directory that need not be there yet."""
    for place in (home, *home.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None
