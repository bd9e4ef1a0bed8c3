"""What a run was planned to do, from `plan.json`: its tests by model, or its level of load."""

from __future__ import annotations

from pathlib import Path

import msgspec

from console.vocabulary.safe_text import safe_line


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a plan that tells how much there is to do."""

    tests: dict[str, tuple[str, ...]] = {}
    """Test ids by model, in the order of the plan's jobs."""
    prompts: int | None = None
    """Of a level of load."""
    level: str = ""
    """The same in words: `gpt-4o-mini C=10 rate=inf`."""
    known: bool = True
    """Whether the plan could be read and tells how much there is."""

    @property
    def count(self) -> int | None:
        """Return the number of tests, or of prompts, or None where it is not known."""
        if not self.known:
            return None
        return sum(map(len, self.tests.values())) if self.prompts is None else self.prompts


class _Job(msgspec.Struct):
    model: str = ""
    tests: list[str] = []


class _Level(msgspec.Struct):
    max_concurrency: int | None = None
    request_rate: float | None = None


class _Target(msgspec.Struct):
    qps: float = 0.0


class _Search(msgspec.Struct):
    target: _Target | None = None
    seed004: dict[str, object] | None = None


class _Plan(msgspec.Struct):
    jobs: list[_Job] | None = None
    model: str = ""
    level: _Level | None = None
    num_prompts: int | None = None
    search: _Search | None = None


def read_planned(run_dir: Path) -> Planned:
    """Return what the plan of a run holds; one that is absent, or not as we write it, tells nothing."""
    try:
        plan = msgspec.json.decode((run_dir / "plan.json").read_bytes(), type=_Plan)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Planned(known=False)
    if plan.jobs is not None:
        tests: dict[str, list[str]] = {}
        for job in plan.jobs:
            tests.setdefault(job.model, []).extend(job.tests)
        return Planned(tests={model: tuple(ids) for model, ids in tests.items()})
    if plan.search is not None:
        return Planned(level=_search_text(plan.model, plan.search), known=False)
    level = "" if plan.level is None else _level_text(plan.model, plan.level)
    return Planned(prompts=plan.num_prompts, level=level, known=plan.num_prompts is not None)


def _search_text(model: str, search: _Search) -> str:
    """Return a search as lists show it; how many requests it takes nobody knows beforehand."""
    if search.target is not None:
        return f"{safe_line(model)} least C for {search.target.qps:g}/s"
    return f"{safe_line(model)} most C{'' if search.seed004 is None else ' by seed 004'}"


def _level_text(model: str, level: _Level) -> str:
    """Return a level as lists show it; without a ceiling of its own it has no `C=`."""
    ceiling = [] if level.max_concurrency is None else [f"C={level.max_concurrency}"]
    rate = "inf" if level.request_rate is None else f"{level.request_rate:g}"
    return " ".join([safe_line(model), *ceiling, f"rate={rate}"])
