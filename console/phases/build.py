"""From profile, phases and selection to the plan: the one place that says what runs where (law 1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from console.phases.matrix import Cell, ModelChoice, cells, waits_for
from console.phases.phase import AVAILABLE_POLICIES, Phase
from console.phases.plan import Job, Plan, Shard
from console.phases.selection import Selection, class_conflicts, narrowed
from console.profile.effective import lane_setups, split_rule, timeouts
from console.profile.form import Profile
from console.vocabulary.errors import ConsoleError, Problem, Problems
from console.vocabulary.lane import LaneSetup, RateMode
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
    """Make the plan.

    Raises:
        ConsoleError: if a model is not in the profile, nothing is left to do, a model has no lane, or something
            asked for is not available.
    """
    wanted = [narrowed(phase, selection) for phase in phases]
    for phase in wanted:
        if phase.order.policy not in AVAILABLE_POLICIES:
            raise ConsoleError(
                f"policy {phase.order.policy!r} is not available yet",
                where=f"phase {phase.id}",
                hint=f"available: {', '.join(AVAILABLE_POLICIES)}",
            )
    choices = [
        ModelChoice(name, model.provider, model.model_class)
        for name, model in profile.models.items()
        if not model.off
    ]
    if conflicts := class_conflicts(selection, choices):
        raise Problems([Problem("--model", None, "", said) for said in conflicts])
    jobs: list[Job] = []
    planned: set[str] = set()
    widest: dict[str, int] = {}
    for phase in wanted:
        phase_cells = cells(phase, _models(phase, choices))
        offset = len(jobs)
        for cell, waits in zip(phase_cells, waits_for(phase, phase_cells), strict=True):
            _bound(sum(len(job.tests) for job in jobs), phase, cell)
            before = (*range(offset), *(offset + index for index in waits))
            jobs.append(_job(phase, cell, before, planned, profile))
            widest[cell.model] = max(widest.get(cell.model, 1), len(cell.prompt_types))
    _refuse(jobs, refusal)
    lanes = _lanes(profile, rate_mode, widest)
    jobs = [_with_shards(job, lanes, profile) for job in jobs]
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
        warnings=tuple(_warnings(wanted)),
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


def _job(phase: Phase, cell: Cell, before: tuple[int, ...], planned: set[str], profile: Profile) -> Job:
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


def _refuse(jobs: Sequence[Job], refusal: Refusal) -> None:
    reasons = dict.fromkeys(
        reason for job in jobs for test in job.tests if (reason := refusal(TestId.parse(test)))
    )
    if reasons:
        raise ConsoleError("; ".join(reasons))


def _lanes(profile: Profile, rate_mode: RateMode, widest: dict[str, int]) -> tuple[LaneSetup, ...]:
    """Return the lanes of all models; a lane shared by jobs has the workers of its widest one."""
    return tuple(
        setup
        for model, prompt_types in widest.items()
        for setup in lane_setups(profile, rate_mode=rate_mode, prompt_types=prompt_types, models=[model])
    )


def _with_shards(job: Job, lanes: Sequence[LaneSetup], profile: Profile) -> Job:
    own = [setup for setup in lanes if setup.lane.model == job.model]
    rule = split_rule(profile, job.model)
    if rule.kind == "lease":
        raise ConsoleError(
            'split = "lease" is not available yet',
            where=f"model {job.model}",
            hint="available: pull, even, one-key",
        )
    if rule.kind == "one-key":
        own = [setup for setup in own if setup.lane.key == rule.key]
    if not own:
        key = f" with key {rule.key!r}" if rule.kind == "one-key" else ""
        raise ConsoleError(f"model {job.model!r} has no lane{key}: its keys or deployments are switched off")
    delays = profile.start.shard_delays
    shards = tuple(
        Shard(
            lane_id=setup.lane.id,
            delay_s=delays[index] if index < len(delays) else (delays[-1] if delays else 0.0),
            tests=_dealt(job.tests, index, len(own)) if rule.kind == "even" else None,
        )
        for index, setup in enumerate(own)
    )
    return msgspec.structs.replace(job, shards=shards)


def _dealt(tests: tuple[str, ...], shard: int, shards: int) -> tuple[str, ...]:
    """Deal tests round: every shard gets the same number, the first ones one more where it does not come out even."""
    return tests[shard::shards]


def _warnings(phases: Sequence[Phase]) -> list[str]:
    if any(phase.tool_success_rates != [0.8] for phase in phases):
        return ["tests are single-turn in this version: no tool runs, so the tool success rate has no effect"]
    return []
