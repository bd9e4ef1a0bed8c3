"""From profile, phases and selection to the plan: the one place that says what runs where (law 1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from console.phases.arrange import Place, arrange
from console.phases.matrix import Cell, ModelChoice
from console.phases.phase import Phase
from console.phases.plan import Job, Plan
from console.phases.selection import Selection, class_conflicts, narrowed
from console.phases.shards import with_shards
from console.profile.effective import lane_setups, lease_rule, split_rules, timeouts
from console.profile.form import Profile
from console.vocabulary.errors import ConsoleError, Problem, Problems
from console.vocabulary.lane import LaneSetup, LeaseRule, RateMode
from console.vocabulary.test_id import TestId

MOST_TESTS: Final = 2_000_000
Refusal = Callable[[TestId], str | None]


def build_plan(
    profile: Profile,
    phases: Sequence[Phase],
    selection: Selection,
    *,
    rate_mode: RateMode,
    seed: int,
    refusal: Refusal,
) -> Plan:
    """Make the plan. What it asks for and is not available yet is in its `cannot_run`.

    Raises:
        ConsoleError: if a model is not in the profile, nothing is left to do, or a model has no lane.
    """
    wanted = [narrowed(phase, selection) for phase in phases]
    choices = [
        ModelChoice(name, model.provider, model.model_class)
        for name, model in profile.models.items()
        if not model.off
    ]
    if conflicts := class_conflicts(selection, choices):
        raise Problems([Problem("--model", None, "", said) for said in conflicts])
    jobs: list[Job] = []
    places: list[Place] = []
    warnings: list[str] = []
    planned: set[str] = set()
    for phase in wanted:
        arranged = arrange(phase, _models(phase, choices), profile)
        offset = len(jobs)
        for place in arranged.places:
            _bound(sum(len(job.tests) for job in jobs), phase, place.cell)
            before = (*range(offset), *(offset + index for index in place.before))
            jobs.append(_job(phase, place, before, planned, profile))
            places.append(place)
        warnings += arranged.warnings
    lanes = _lanes(profile, rate_mode, jobs)
    rules = split_rules(profile)
    jobs = [
        with_shards(job, place, lanes, rules[job.model], profile.start.shard_delays)
        for job, place in zip(jobs, places, strict=True)
    ]
    if not any(job.tests for job in jobs):
        raise ConsoleError("nothing to do: the selection leaves no test", hint="see `ultra-console plan`")
    used = {shard.lane_id for job in jobs for shard in job.shards}
    return Plan(
        title=", ".join(phase.id for phase in wanted),
        profile=profile.name,
        rate_mode=rate_mode,
        seed=seed,
        lanes=tuple(setup for setup in lanes if setup.lane.id in used),
        jobs=tuple(jobs),
        timeouts=timeouts(profile),
        attempts=profile.retries.attempts,
        warnings=(*_warnings(wanted), *dict.fromkeys(warnings)),
        leases=_leases(jobs, profile),
        cannot_run=tuple(_cannot_run(jobs, refusal)),
    )


def _models(phase: Phase, choices: Sequence[ModelChoice]) -> list[ModelChoice]:
    if isinstance(phase.models, str):
        found = [choice for choice in choices if phase.models in ("all", choice.model_class)]
        if not found:
            raise ConsoleError(f"phase {phase.id} asks for {phase.models} models, and the profile has none")
        return found
    by_name = {choice.name: choice for choice in choices}
    missing = [name for name in phase.models if name not in by_name]
    if missing:
        names = ", ".join(repr(name) for name in missing)
        raise ConsoleError(
            f"no model {names} in the profile", where=f"phase {phase.id}", hint=f"it has {', '.join(by_name)}"
        )
    return [by_name[name] for name in phase.models]


def _job(phase: Phase, place: Place, before: tuple[int, ...], planned: set[str], profile: Profile) -> Job:
    cell = place.cell
    tests = cell.test_ids(phase.task_type_names(), phase.instances)
    new = tuple(test for test in tests if test not in planned)
    planned.update(new)
    stagger_s = phase.order.stagger_s
    return Job(
        id=f"{phase.id}/{cell.model}/{cell.difficulty}/{cell.group}/{cell.rate}",
        phase=phase.id,
        model=cell.model,
        provider=cell.provider,
        difficulty=cell.difficulty,
        group=cell.group,
        rate=cell.rate,
        prompt_types=cell.prompt_types,
        tests=new,
        reused=len(tests) - len(new),
        shards=(),
        before=before,
        stagger_s=profile.start.job_delay if stagger_s is None else stagger_s,
        lease=place.lease,
    )


def _bound(so_far: int, phase: Phase, cell: Cell) -> None:
    """Refuse a plan of more tests than can be held, before it is made."""
    more = len(cell.prompt_types) * len(phase.task_type_names()) * phase.instances
    if so_far + more > MOST_TESTS:
        raise ConsoleError(
            f"more than {MOST_TESTS:,} tests in one plan",
            where=f"phase {phase.id}",
            hint="fewer instances, or several runs",
        )


def _lanes(profile: Profile, rate_mode: RateMode, jobs: Sequence[Job]) -> tuple[LaneSetup, ...]:
    """Return the lanes of all models; a lane shared by jobs has the workers of its widest one."""
    widest: dict[str, int] = {}
    for job in jobs:
        widest[job.model] = max(widest.get(job.model, 1), len(job.prompt_types))
    return tuple(
        setup
        for model, prompt_types in widest.items()
        for setup in lane_setups(profile, rate_mode=rate_mode, prompt_types=prompt_types, models=[model])
    )


def _leases(jobs: Sequence[Job], profile: Profile) -> dict[str, LeaseRule]:
    keys = dict.fromkeys(key for job in jobs for key in job.lease or ())
    return {key: lease_rule(profile, key.partition("/")[0]) for key in keys}


def _cannot_run(jobs: Sequence[Job], refusal: Refusal) -> list[str]:
    """Say what stands in the plan and is not available yet."""
    said = (refusal(TestId.parse(test)) for job in jobs for test in job.tests)
    return list(dict.fromkeys(reason for reason in said if reason))


def _warnings(phases: Sequence[Phase]) -> list[str]:
    if any(phase.tool_success_rates != [0.8] for phase in phases):
        return ["tests are single-turn in this version: no tool runs, so the tool success rate has no effect"]
    return []
