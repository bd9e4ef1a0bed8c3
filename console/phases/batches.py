"""Plan B: models in batches, each on a key of its own, batch after batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from console.phases.matrix import Cell
from console.vocabulary.lane import key_name


class BatchedJob(msgspec.Struct, frozen=True):
    """One job in its batch."""

    cell: Cell
    key: str | None
    batch: int


class Batched(msgspec.Struct, frozen=True):
    """Jobs by batch, in order."""

    jobs: tuple[BatchedJob, ...]
    warnings: tuple[str, ...]


def arrange_batches(
    jobs: Sequence[Cell], size: int, scopes: Mapping[str, Sequence[str]], mapped: Mapping[str, str | None]
) -> Batched:
    """Deal jobs into batches of at most `size` models, no two of them on one key.

    Within one difficulty, group and rate the first batch takes each model in turn that finds its key free; what
    is left goes into the next one. A batch never holds jobs of two difficulties, groups or rates.

    Args:
        jobs: in order, the model innermost.
        size: models in a batch at most.
        scopes: model → its keys as `provider/key`; a model without keys is not there.
        mapped: model → the name of its key, if it has one.
    """
    models = list(dict.fromkeys(job.model for job in jobs))
    keys = assign_keys(models, scopes, mapped)
    taken = {
        model: frozenset(scope for scope in scopes.get(model, ()) if key_name(scope) == keys[model])
        for model in models
    }
    batched: list[BatchedJob] = []
    batch = 0
    for step in dict.fromkeys(job.step for job in jobs):
        waiting = [job for job in jobs if job.step == step]
        while waiting:
            held: set[str] = set()
            chosen: list[Cell] = []
            for job in waiting:
                if len(chosen) < size and not held & taken[job.model]:
                    chosen.append(job)
                    held |= taken[job.model]
            batched += [BatchedJob(job, keys[job.model], batch) for job in chosen]
            waiting = [job for job in waiting if job not in chosen]
            batch += 1
    return Batched(tuple(batched), tuple(_warnings(models, size, taken, batched)))


def assign_keys(
    models: Sequence[str], scopes: Mapping[str, Sequence[str]], mapped: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Give each model a key: its own where it has one that is on, else the one with the fewest models."""
    load: dict[str, int] = {}
    keys: dict[str, str | None] = {}

    def take(model: str, name: str) -> None:
        keys[model] = name
        for scope in scopes[model]:
            if key_name(scope) == name:
                load[scope] = load.get(scope, 0) + 1

    for model in models:
        own = mapped.get(model)
        if own is not None and own in map(key_name, scopes.get(model, ())):
            take(model, own)
    for model in models:
        if model not in keys and scopes.get(model):
            take(model, key_name(min(scopes[model], key=lambda scope: load.get(scope, 0))))
    return {model: keys.get(model) for model in models}


def _warnings(
    models: Sequence[str], size: int, taken: Mapping[str, frozenset[str]], batched: Sequence[BatchedJob]
) -> list[str]:
    """Say where keys keep batches smaller than they might be."""
    steps = len({job.cell.step for job in batched})
    fewest = -(-len(models) // size) * steps
    batches = len({job.batch for job in batched})
    if batches <= fewest:
        return []
    sharing: dict[str, list[str]] = {}
    for model in models:
        for scope in sorted(taken[model]):
            sharing.setdefault(scope, []).append(model)
    crowded = max(sharing, key=lambda scope: len(sharing[scope]))
    why = f"{len(sharing[crowded])} of {len(models)} models have {crowded}"
    return [f"batches-of-{size}: keys allow no fewer than {batches} batches, in place of {fewest}: {why}"]
