"""Which tests belong to which phase of a run, from `plan.json`: the id of a test names no phase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from console.vocabulary.test_id import TestId


class PlannedPhase(msgspec.Struct, frozen=True):
    """One phase of a plan."""

    id: str
    tests: tuple[str, ...]
    """Those of its jobs, and those that an earlier job holds already."""


class PlannedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a report needs to know of a plan."""

    phases: tuple[PlannedPhase, ...] = ()
    models: tuple[str, ...] = ()
    """In the order of the plan."""
    scoring: Any = None
    """The scoring presets with their weights and thresholds, as the plan has them; None: it does not tell."""


class _Job(msgspec.Struct, kw_only=True):
    phase: str = ""
    model: str = ""
    difficulty: str = ""
    rate: str = ""
    prompt_types: list[str] = []
    tests: list[str] = []
    reused: int | list[str] = 0
    """How many tests an earlier job holds; or their ids."""
    reused_tests: list[str] = []


class _Plan(msgspec.Struct):
    jobs: list[_Job] = []
    scoring: Any = None


def planned_run(run_dir: Path) -> PlannedRun:
    """Return the phases of a run's plan in their order; of one that cannot be read, none."""
    try:
        plan = msgspec.json.decode((run_dir / "plan.json").read_bytes(), type=_Plan)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return PlannedRun()
    held = _Held(test for job in plan.jobs for test in job.tests)
    phases: dict[str, dict[str, None]] = {}
    for job in plan.jobs:
        tests = phases.setdefault(job.phase, {})
        tests.update(dict.fromkeys(job.tests))
        tests.update(dict.fromkeys(_reused(job, held)))
    return PlannedRun(
        phases=tuple(PlannedPhase(name, tuple(tests)) for name, tests in phases.items()),
        models=tuple(dict.fromkeys(job.model for job in plan.jobs)),
        scoring=plan.scoring,
    )


def _reused(job: _Job, held: _Held) -> Sequence[str]:
    """Return the tests of a job that other jobs hold.

    A plan that only counts them means those of its cells with the lowest instances: instances are numbered from 1
    in every phase, so a job that asks for fewer than an earlier one shares the first of them.
    """
    if isinstance(job.reused, list):
        return job.reused
    if job.reused_tests or job.reused <= 0:
        return job.reused_tests
    own = set(job.tests)
    others = [test for test in held.of(job) if test not in own]
    return others[: job.reused]


class _Held:
    """All tests of a plan by their cell, sorted by instance."""

    def __init__(self, tests: Iterable[str]) -> None:
        self._cells: dict[tuple[str, str, str, str], list[tuple[int, str]]] = {}
        for test in tests:
            try:
                one = TestId.parse(test)
            except ValueError:
                continue
            cell = (one.model, one.prompt_type, one.difficulty, one.rate)
            self._cells.setdefault(cell, []).append((one.instance, test))

    def of(self, job: _Job) -> list[str]:
        """Return the tests in the cells of a job, the lowest instances first."""
        found = [
            numbered
            for prompt_type in job.prompt_types
            for numbered in self._cells.get((job.model, prompt_type, job.difficulty, job.rate), ())
        ]
        return [test for _, test in sorted(found, key=_instance)]


def _instance(numbered: tuple[int, str]) -> int:
    return numbered[0]
