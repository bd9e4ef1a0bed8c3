"""From what a user asks to a plan that can be shown, rehearsed or run. Knows no engine, so that a plan is there at once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from console.phases.build import TestKind, build_plan
from console.phases.load import load_phases, phases_by_name
from console.phases.plan import Plan
from console.phases.selection import Selection, ad_hoc_phase
from console.processes.count import peak_of_plan, processes_for, usable_cores
from console.profile.load import LoadedProfile, load_profile
from console.records.earlier import EarlierRun, read_earlier
from console.records.run_dir import find_run
from console.vocabulary.errors import ConsoleError
from console.vocabulary.rows import TestRow
from console.work.choice import LIBRARY, requests_of, scoring_record

NEWEST = "newest"
"""What stands for the newest run, where one has to be named."""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for with `run` or `plan`."""

    profile: str = "sim"
    overrides: tuple[str, ...] = ()
    """Texts of `--set`."""
    phases: tuple[str, ...] = ()
    selection: Selection = Selection()
    rate_mode: str | None = None
    seed: int = 0
    reuse: str | None = None
    """A run, as commands take one, whose results stand for tests that are the same; None: none does."""
    out: Path | None = None
    run_id: str | None = None
    storage: str = "parquet"
    processes: int | None = 1
    """Engine processes; None: as many as the expected load is worth."""
    content: bool = True
    """Whether traces hold what is said in tests; else lengths and hashes of it."""
    debug_shard: int | None = None
    """The shard of each job whose requests are told in `debug.log`, from 1; 0: all of them; None: none."""
    args: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A run that can start: everything in it is valid."""

    request: RunRequest
    loaded: LoadedProfile
    plan: Plan
    taken: tuple[TestRow, ...] = ()
    """Results of an earlier run that become rows of this one."""

    @property
    def processes(self) -> int:
        """Engine processes: as asked for, or as many as the expected load is worth."""
        cores = usable_cores(simulated=self.plan.simulated)
        return self.request.processes or processes_for(peak_of_plan(self.plan), cores=cores)


def prepare(request: RunRequest) -> Prepared:
    """Load, check and plan; resolves no secret and writes nothing.

    Raises:
        ConsoleError: whatever the user has to mend.
    """
    if not request.phases and request.selection.empty:
        raise ConsoleError(
            "nothing is asked for",
            hint="give --phase 5.1, or a selection such as --model NAME --num-instances 1",
        )
    loaded = load_profile(request.profile, request.overrides, rate_mode=request.rate_mode)
    phases = load_phases(request.phases) if request.phases else [ad_hoc_phase(request.selection)]
    built = build_plan(
        loaded.profile,
        phases,
        request.selection,
        rate_mode=loaded.profile.rate_mode,
        seed=request.seed,
        kind=TestKind(
            requests_of=requests_of,
            library=LIBRARY,
            scoring=scoring_record(),
        ),
        earlier=_earlier(request.reuse),
        absent=phases_by_name({name for phase in phases for name in phase.reuse}),
    )
    return Prepared(request=request, loaded=loaded, plan=built.plan, taken=built.taken)


def _earlier(ref: str | None) -> EarlierRun | None:
    return None if ref is None else read_earlier(find_run(None if ref == NEWEST else ref))
