"""How many tests a run was planned to have, from `plan.json`."""

from __future__ import annotations

from pathlib import Path

import msgspec


class _Job(msgspec.Struct):
    tests: list[str] = []


class _Plan(msgspec.Struct):
    jobs: list[_Job] | None = None
    num_prompts: int | None = None


def planned_tests(run_dir: Path) -> int | None:
    """Return the number of tests (of prompts, for a level of load) in the plan, or None where it does not tell.

    Only a run that ended in order says in its journal how many there were.
    """
    try:
        plan = msgspec.json.decode((run_dir / "plan.json").read_bytes(), type=_Plan)
    except (OSError, msgspec.DecodeError):
        return None
    if plan.jobs is not None:
        return sum(len(job.tests) for job in plan.jobs)
    return plan.num_prompts
