"""Findings about keys: shared, idle, or others than the profile names."""

from __future__ import annotations

from collections.abc import Iterator

from console.phases.arrange import moved_text
from console.phases.finding import Finding, Scene, setting
from console.phases.nominal import class_name, key_limit, together_at
from console.phases.plan import Job
from console.profile.effective import split_rules
from console.profile.table import counted
from console.vocabulary.lane import NO_KEY


def key_findings(scene: Scene) -> list[Finding]:
    """Return what is wrong with the use of keys in a plan."""
    return [*_shared_keys(scene), *_groups_on_one_key(scene), *_idle_keys(scene), *_moved(scene)]


def _shared(scene: Scene) -> Iterator[tuple[str, str, list[int]]]:
    """Yield key, class and jobs that use it at once without a lease: where a lease allows it, it is meant."""
    for running in together_at(scene.ahead):
        on: dict[tuple[str, str], dict[int, None]] = {}
        for index in running:
            for setup in scene.open_lanes(index):
                key = setup.lane.key_scope
                if setup.lane.key != NO_KEY and scene.plan.jobs[index].lease is None and _matters(scene, key):
                    on.setdefault((key, class_name(setup)), {})[index] = None
        for (key, name), members in on.items():
            yield key, name, list(members)


def _shared_keys(scene: Scene) -> Iterator[Finding]:
    most: dict[tuple[str, str], list[int]] = {}
    for key, name, members in _shared(scene):
        if len({_besides_group(scene.plan.jobs[index]) for index in members}) > 1:
            most[key, name] = max(most.get((key, name), []), members, key=len)
    for (key, name), members in most.items():
        models = {scene.plan.jobs[index].model for index in members}
        yield Finding(
            code="shared-key",
            where=f"key {key}",
            text=f"{len(members)} jobs of {counted(len(models), f'{name} model')} at once",
            cure="one job a key at a time",
            change=("--policy", "key-pool"),
            figures={"jobs": len(members), "models": len(models)},
        )


def _groups_on_one_key(scene: Scene) -> Iterator[Finding]:
    most: dict[str, dict[str, int]] = {}
    for key, _, members in _shared(scene):
        groups: dict[str, set[str]] = {}
        for index in members:
            job = scene.plan.jobs[index]
            groups.setdefault(job.model, set()).add(job.group)
        for model, names in groups.items():
            if len(names) > 1:
                found = most.setdefault(key, {})
                found[model] = max(found.get(model, 0), len(names))
    for key, models in most.items():
        several = all(len(scene.keys_of(model)) > 1 for model in models)
        yield Finding(
            code="groups-one-key",
            where=f"key {key}",
            text=f"{max(models.values())} groups of one model at once: {', '.join(models)}",
            cure="each group on a key of its own" if several else "one job a key at a time",
            change=("--policy", "groups-spread" if several else "key-pool"),
            figures={"groups": max(models.values()), "models": len(models)},
        )


def _besides_group(job: Job) -> tuple[str, str, str]:
    return job.model, job.difficulty, job.rate


def _matters(scene: Scene, key: str) -> bool:
    """Whether sharing a key may do harm: there are others to go to, or it is known to have a limit."""
    provider = scene.profile.providers[key.partition("/")[0]]
    others = [name for name in provider.keys if name not in provider.keys_off]
    return len(others) > 1 or key_limit(scene.plan, scene.profile, key).per_s is not None


def _idle_keys(scene: Scene) -> Iterator[Finding]:
    used = {
        setup.lane.key_scope
        for index in range(len(scene.plan.jobs))
        for setup in scene.open_lanes(index)
        if scene.plan.jobs[index].tests
    }
    rules = split_rules(scene.profile)
    idle: dict[str, list[str]] = {}
    for index, job in enumerate(scene.plan.jobs):
        workers = scene.workers(index)
        if workers is None or len(job.tests) <= workers:
            continue  # nothing queues
        for key in scene.keys_of(job.model):
            if key not in used and job.model not in idle.setdefault(key, []):
                idle[key].append(job.model)
    for key, models in idle.items():
        by_profile = rules[models[0]].kind in ("one-key", "lease")
        pull = setting(f"models.{models[0]}.split", "pull") if by_profile else ()
        policy = () if by_profile else ("--policy", "as-is")
        yield Finding(
            code="idle-key",
            where=f"key {key}",
            text=f"no job uses it, while tests of {counted(len(models), 'model')} queue for other keys",
            cure="let a job use all keys of its model",
            change=(*policy, *pull),
            figures={"models": len(models)},
        )


def _moved(scene: Scene) -> Iterator[Finding]:
    rules = split_rules(scene.profile)
    for model in dict.fromkeys(job.model for job in scene.plan.jobs):
        rule = rules[model]
        bound = any(
            job.model == model
            and job.lease is None
            and {scene.setup(shard.lane_id).lane.key for shard in job.shards} == {rule.key}
            for job in scene.plan.jobs
        )
        if rule.moved_from is not None and bound:
            yield Finding(
                code="key-off-moved",
                where=f"model {model}",
                text=moved_text(rule),
                cure=f"switch {rule.moved_from} on, or give the model a key that is",
                change=setting(f"models.{model}.key", rule.key),
            )
