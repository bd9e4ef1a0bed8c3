"""From profile, phases and selection to the plan: the one place that says what runs where (law 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from console.phases.arrange import Place, arrange
from console.phases.matrix import Cell, ModelChoice
from console.phases.models import models_of
from console.phases.phase import Phase
from console.phases.plan import Job, PhaseCount, Plan
from console.phases.reuse import NEW, Claims, Conditions, keep_for_later, not_in_this_run
from console.phases.selection import Selection, class_conflicts, narrowed
from console.phases.shards import with_shards
from console.profile.effective import (
    lane_setups,
    lease_rule,
    model_protocols,
    reply_lengths,
    split_rules,
    timeouts,
)
from console.profile.form import Profile
from console.records.earlier import EarlierRun
from console.vocabulary.errors import ConsoleError, Problem, Problems
from console.vocabulary.lane import LaneSetup, LeaseRule, RateMode
from console.vocabulary.rows import TestRow
from console.vocabulary.test_id import TestId

MOST_TESTS: Final = 2_000_000


class TestKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan has to know of the work that will play its tests."""

    __test__ = False

    requests_of: Callable[[TestId], float] = lambda _test: 1.0
    """Says how many requests a test is expected to take."""
    library: str = ""
    scoring: Mapping[str, Any] = {}


class Built(msgspec.Struct, frozen=True):
    """A plan, and the results of an earlier run that stand for tests of its phases."""

    plan: Plan
    taken: tuple[TestRow, ...] = ()


def build_plan(
    profile: Profile,
    phases: Sequence[Phase],
    selection: Selection,
    *,
    rate_mode: RateMode,
    seed: int,
    kind: TestKind,
    earlier: EarlierRun | None = None,
    absent: Mapping[str, Phase] = {},
) -> Built:
    """Make the plan.

    Args:
        profile: the profile.
        phases: the phases, in the order in which they run.
        selection: what of them is picked.
        rate_mode: the rate mode in force.
        seed: draws the tasks.
        kind: the work that will play the tests.
        earlier: a run whose results may stand for tests.
        absent: phases by id that others reuse and that are not in this run.

    Raises:
        ConsoleError: if a model is not in the profile, nothing is left to do, or a model has no lane.
    """
    choices = [
        ModelChoice(name, model.provider, model.model_class)
        for name, model in profile.models.items()
        if not model.off
    ]
    if conflicts := class_conflicts(selection, choices):
        raise Problems([Problem("--model", None, "", said) for said in conflicts])
    wanted, notes = _wanted(phases, selection, choices)
    conditions = Conditions(
        seed=seed,
        library=kind.library,
        protocols=model_protocols(profile),
        max_tokens=reply_lengths(profile),
        scoring=kind.scoring,
        simulated={
            name for name, one in profile.models.items() if profile.providers[one.provider].api == "sim"
        },
    )
    claims = Claims(conditions, earlier)
    keep_for_later(claims, wanted)
    jobs: list[Job] = []
    places: list[Place] = []
    warnings: list[str] = []
    counts: list[PhaseCount] = []
    for phase, models in wanted:
        arranged = arrange(phase, models, profile)
        offset = len(jobs)
        reused: Counter[str] = Counter()
        for place in arranged.places:
            _bound(sum(len(job.tests) for job in jobs), phase, place.cell)
            before = (*range(offset), *(offset + index for index in place.before))
            jobs.append(_job(phase, place, before, claims, reused, kind, profile))
            places.append(place)
        warnings += arranged.warnings
        new = sum(len(job.tests) for job in jobs[offset:])
        counts.append(PhaseCount(phase=phase.id, jobs=len(jobs) - offset, new=new, reused=dict(reused)))
    if not any(job.tests for job in jobs) and not claims.taken:
        raise ConsoleError("nothing to do: the selection leaves no test", hint="see `ultra-console plan`")
    notes += claims.lines()
    notes += not_in_this_run(wanted, jobs, absent, selection, choices)
    lanes = _lanes(profile, rate_mode, jobs)
    rules = split_rules(profile)
    jobs = [
        with_shards(job, place, lanes, rules[job.model], profile.start.shard_delays)
        for job, place in zip(jobs, places, strict=True)
    ]
    used = {shard.lane_id for job in jobs for shard in job.shards}
    spoken = {job.model for job in jobs}
    plan = Plan(
        title=", ".join(phase.id for phase, _ in wanted),
        profile=profile.name,
        rate_mode=rate_mode,
        seed=seed,
        lanes=tuple(setup for setup in lanes if setup.lane.id in used),
        jobs=tuple(jobs),
        timeouts=timeouts(profile),
        attempts=profile.retries.attempts,
        warnings=tuple(dict.fromkeys(warnings)),
        leases=_leases(jobs, profile),
        notes=tuple(notes),
        phases=tuple(counts),
        library=kind.library,
        protocols={model: name for model, name in conditions.protocols.items() if model in spoken},
        max_tokens={model: most for model, most in conditions.max_tokens.items() if model in spoken},
        scoring=dict(kind.scoring),
    )
    return Built(plan, tuple(claims.taken.values()))


def _wanted(
    phases: Sequence[Phase], selection: Selection, choices: Sequence[ModelChoice]
) -> tuple[list[tuple[Phase, list[ModelChoice]]], list[str]]:
    """Return the phases as selected with their models, and which of them have none and are left out."""
    wanted: list[tuple[Phase, list[ModelChoice]]] = []
    notes: list[str] = []
    for phase in (narrowed(phase, selection) for phase in phases):
        models = models_of(phase, choices, selection.model_class)
        if models:
            wanted.append((phase, models))
        else:
            notes.append(
                f"phase {phase.id} is left out: none of the models that it is about is {selection.model_class}"
            )
    if not wanted:
        raise ConsoleError(f"nothing to do: {'; '.join(notes)}", where="--class")
    return wanted, notes


def _job(
    phase: Phase,
    place: Place,
    before: tuple[int, ...],
    claims: Claims,
    reused: Counter[str],
    kind: TestKind,
    profile: Profile,
) -> Job:
    """Return the job of one place, with the tests that are played for it; `reused` counts where others come from."""
    cell = place.cell
    tests = cell.tests(phase.task_type_names(), phase.instances)
    takes_from = frozenset(phase.reuse)
    new: list[str] = []
    held: list[str] = []
    requests = 0.0
    for test in tests:
        text = str(test)
        source = claims.source(phase.id, text, takes_from=takes_from)
        if source == NEW:
            new.append(text)
            requests += kind.requests_of(test)
        else:
            held.append(text)
            reused[source] += 1
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
        tests=tuple(new),
        reused=len(held),
        reused_tests=tuple(held),
        turns=round(requests / len(new), 3) if new else 1.0,
        shards=(),
        before=before,
        stagger_s=profile.start.job_delay if stagger_s is None else stagger_s,
        lease=place.lease if new else None,
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
