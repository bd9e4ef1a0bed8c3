"""Findings about limits: rates that add up to too much, and workers that are too few or too many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from console.phases.finding import Finding, Scene, setting
from console.phases.nominal import Nominal, class_name, key_limit, scope_limit
from console.profile.table import counted
from console.vocabulary.lane import LaneSetup, Scope

NEAR: Final = 0.8
"""Share of a limit from which a warning is due: bursts do the rest."""
MOST_FIXED: Final = 200
"""Workers on one model beyond which nobody should go without looking at response times."""
SOME_WORKERS: Final = 3


def limit_findings(scene: Scene) -> list[Finding]:
    """Return what is wrong with the limits of a plan."""
    return [*_oversubscribed(scene), *_serial_by_limit(scene), *_over_concurrency(scene)]


def _oversubscribed(scene: Scene) -> Iterator[Finding]:
    for scope, load in scene.nominal.items():
        is_key = scope.kind == "key"
        limit = key_limit(scene.plan, scene.profile, scope.name) if is_key else scope_limit(scene.plan, scope)
        if limit.per_s is not None and load.per_s >= NEAR * limit.per_s:
            supposed = " (a guess)" if limit.source == "guess" else ""
            cure, change = _slower(scene, scope, load, limit.per_s)
            yield Finding(
                code="oversubscribed",
                where=f"{scope.kind} {scope.name}",
                text=f"{counted(load.jobs, 'job')} may send {load.per_s:g} requests/s, "
                f"{load.per_s / limit.per_s:.0%} of its {limit.per_s:g}{supposed}",
                cure=cure,
                change=change,
                figures={"jobs": load.jobs, "per_s": load.per_s, "limit": limit.per_s},
            )
        elif limit.source == "guess" and load.unlimited_per_s and limit.per_s is not None:
            most = load.per_s + load.unlimited_per_s
            if most >= NEAR * limit.per_s:
                provider = scope.name.partition("/")[0]
                yield Finding(
                    code="unlimited-key",
                    where=f"key {scope.name}",
                    text=f"no QPS limit, and {counted(load.workers, 'worker')} may send {most:.3g} requests/s; "
                    f"it is supposed to bear {limit.per_s:g}",
                    cure="put a gate on the key",
                    change=setting(f"providers.{provider}.limits.key.qps", f"{limit.per_s:g}"),
                    figures={"workers": load.workers, "per_s": most, "limit": limit.per_s},
                )
        if limit.slots is not None and load.workers > limit.slots:
            cure, change = _roomier(scene, scope, load, limit.slots)
            yield Finding(
                code="oversubscribed",
                where=f"{scope.kind} {scope.name}",
                text=f"{counted(load.jobs, 'job')} have {load.workers} workers, "
                f"and it lets {counted(limit.slots, 'request')} be in flight",
                cure=cure,
                change=change,
                figures={"jobs": load.jobs, "workers": load.workers, "limit": limit.slots},
            )


def _pool_helps(scene: Scene, scope: Scope, load: Nominal, *, one_fits: bool) -> bool:
    """Whether a lease would do: jobs are too many on a key, and one alone is not too much."""
    leased = any(scene.plan.jobs[index].lease is not None for index in load.busiest)
    return scope.kind == "key" and load.jobs > 1 and not leased and one_fits


def _roomier(scene: Scene, scope: Scope, load: Nominal, slots: int) -> tuple[str, tuple[str, ...]]:
    """Return how workers come to fit the slots of a scope."""
    if _pool_helps(scene, scope, load, one_fits=load.workers / load.jobs <= slots):
        return "one job a key at a time", ("--policy", "key-pool")
    home = (
        scene.profile.models[scope.name].provider if scope.kind == "model" else scope.name.partition("/")[0]
    )
    path = f"providers.{home}.limits.{scope.kind}.workers"
    return "more slots, or fewer workers a lane", setting(path, load.workers)


def _slower(scene: Scene, scope: Scope, load: Nominal, limit: float) -> tuple[str, tuple[str, ...]]:
    """Return how the rate on a scope comes down: by leases where jobs are too many, else by a lower rate a lane."""
    if _pool_helps(scene, scope, load, one_fits=load.per_s / load.jobs < NEAR * limit):
        return "one job a key at a time", ("--policy", "key-pool")
    name = max(load.copies, key=lambda one: load.copies[one])
    setup = next(setup for setup in scene.plan.lanes if class_name(setup) == name)
    rate = float(f"{0.75 * limit / sum(load.copies.values()):.2g}")
    return "a lower rate a lane", setting(f"{scene.limit_path(setup)}.qps", f"{rate:g}")


def _serial_by_limit(scene: Scene) -> Iterator[Finding]:
    found: dict[str, tuple[LaneSetup, dict[str, None], int]] = {}
    for index, job in enumerate(scene.plan.jobs):
        if len(job.tests) > 1 and scene.workers(index) == 1 and scene.has_company(index):
            setup = scene.open_lanes(index)[0]
            path = scene.limit_path(setup)
            _, models, count = found.get(path, (setup, {}, 0))
            found[path] = (setup, {**models, job.model: None}, count + 1)
    for path, (setup, models, count) in found.items():
        yield Finding(
            code="serial-by-limit",
            where=class_name(setup),
            text=f"{counted(count, 'job')} of {counted(len(models), 'model')} are to run side by side, "
            "each with 1 worker",
            cure=f"{SOME_WORKERS} workers a key",
            change=setting(f"{path}.workers", SOME_WORKERS),
            figures={"jobs": count, "models": len(models), "workers": 1},
        )


def _over_concurrency(scene: Scene) -> Iterator[Finding]:
    if scene.plan.rate_mode != "fixed":
        return
    most: dict[str, tuple[int, str]] = {}
    for index, job in enumerate(scene.plan.jobs):
        workers = scene.workers(index) or 0
        if workers > MOST_FIXED:
            name = class_name(scene.open_lanes(index)[0])
            most[job.model] = max(most.get(job.model, (0, name)), (workers, name))
    for workers, name in dict.fromkeys(most.values()):
        models = [model for model, figures in most.items() if figures == (workers, name)]
        yield Finding(
            code="over-concurrency",
            where=name,
            text=f"{workers} workers on {' and on '.join(models)}, whatever the response time",
            cure="let the engine find what they bear",
            change=("--rate-mode", "adaptive"),
            figures={"workers": workers, "models": len(models)},
        )
