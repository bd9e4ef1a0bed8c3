"""Phases, plans and engines for the console."""

from __future__ import annotations

from pathlib import Path

from console.cli.backend.profiles import Profiles
from console.cli.spawn import spawn_engine
from console.phases.load import builtin_phases, load_phase, phase_ids
from console.phases.matrix import ModelChoice, cells
from console.phases.phase import Phase
from console.profile.effective import totals
from console.profile.form import Profile
from console.records.run_dir import runs_home
from console.run import RunRequest, prepare
from console.screens.launch.needs import LaunchPreview, PhaseChoice
from console.screens.profiles.needs import TotalsRow
from console.vocabulary.errors import ConsoleError


class Launching:
    """What the launch screen asks."""

    def __init__(self, profiles: Profiles) -> None:
        """Count tests under the profiles read last."""
        self._profiles = profiles

    def phases(self) -> list[PhaseChoice]:
        """Return all phases, with the tests each profile would run."""
        builtin = builtin_phases()
        return [self._phase_choice(name, name in builtin) for name in phase_ids()]

    def _phase_choice(self, name: str, builtin: bool) -> PhaseChoice:
        origin = "built-in" if builtin else "yours"
        try:
            phase = load_phase(name)
        except ConsoleError as error:
            return PhaseChoice(id=name, origin=origin, error="\n".join(error.lines()))
        counts = {profile: count_tests(phase, held) for profile, held in self._profiles.loaded.items()}
        return PhaseChoice(id=name, title=phase.title, origin=origin, tests=counts)

    def preview(self, profile: str, phase: str) -> LaunchPreview:
        """Return what a launch would do, from the very plan that it would enforce."""
        prepared = prepare(RunRequest(profile=profile, phases=(phase,)))
        plan = prepared.plan
        held = prepared.loaded.profile
        return LaunchPreview(
            profile=profile,
            phase=phase,
            title=load_phase(phase).title,
            tests=plan.planned,
            requests=round(plan.requests),
            reused=sum(job.reused for job in plan.jobs),
            jobs=len(plan.jobs),
            lanes=len(plan.lanes),
            simulated=all(held.providers[setup.lane.provider].api == "sim" for setup in plan.lanes),
            totals=tuple(
                TotalsRow(
                    provider=row.provider,
                    model=row.model,
                    lanes=row.lanes,
                    workers=row.workers,
                    qps=row.qps_bound,
                )
                for row in totals(plan.lanes)
            ),
            warnings=plan.warnings,
            place=str(runs_home()),
        )

    def launch(self, profile: str, phase: str) -> Path:
        """Start an engine that outlives this console."""
        return spawn_engine(["run", "--profile", profile, "--phase", phase])


def count_tests(phase: Phase, profile: Profile) -> int:
    """Return how many tests a phase holds for the models of a profile."""
    models = [
        ModelChoice(name, model.provider, model.model_class)
        for name, model in profile.models.items()
        if not model.off
    ]
    wanted = [
        model
        for model in models
        if (
            phase.models in ("all", model.model_class)
            if isinstance(phase.models, str)
            else model.name in phase.models
        )
    ]
    per_prompt = len(phase.task_type_names()) * phase.instances
    return sum(len(cell.prompt_types) * per_prompt for cell in cells(phase, wanted))
