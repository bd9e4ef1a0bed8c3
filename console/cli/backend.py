"""The console's way to everything else: profiles, phases, plans, engines, runs and their results."""

from __future__ import annotations

from pathlib import Path

from console.cli.spawn import spawn_engine
from console.control.client import Watcher
from console.phases.load import builtin_phases, load_phase, phase_ids
from console.phases.matrix import ModelChoice, cells
from console.phases.phase import Phase
from console.profile.effective import lane_setups, split_rules, totals
from console.profile.form import Profile
from console.profile.load import load_profile
from console.profile.places import list_profiles
from console.records.print_summary import summary_notes, summary_tables
from console.records.read_journal import read_end
from console.records.run_dir import list_runs, runs_home
from console.records.run_file import read_run_file
from console.records.summary import summarise
from console.records.summary_types import Summary
from console.run import RunRequest, prepare
from console.screens.backend import (
    LaunchPreview,
    PhaseChoice,
    ProfileChoice,
    ResultsView,
    ResultTable,
    RunChoice,
    RunEnd,
    TotalsRow,
)
from console.vocabulary.client_health import result_text
from console.vocabulary.errors import ConsoleError, ExitCode

RUNS_SHOWN = 50


class RealBackend:
    """What the screens ask, answered by the rooms below."""

    def __init__(self, profile: str | None = None) -> None:
        """Offer `profile` first; it may be a path."""
        self._first = profile
        self._profiles: dict[str, Profile] = {}

    def profiles(self) -> list[ProfileChoice]:
        """Return all profiles, the one asked for first, else `sim`."""
        names = list(dict.fromkeys(place.name for place in list_profiles()))
        own = {place.name for place in list_profiles() if place.path is not None}
        if self._first is not None and self._first not in names:
            names.insert(0, self._first)
        names.sort(key=lambda name: name != (self._first or "sim"))
        return [self._profile_choice(name, name in own) for name in names]

    def _profile_choice(self, name: str, own: bool) -> ProfileChoice:
        origin = "yours" if own else "file" if name == self._first and "/" in name else "built-in"
        try:
            loaded = load_profile(name)
            rows = totals_rows(loaded.profile)
        except ConsoleError as error:
            return ProfileChoice(name=name, origin=origin, error="\n".join(error.lines()))
        self._profiles[name] = loaded.profile
        return ProfileChoice(
            name=name,
            description=loaded.profile.description,
            origin=origin,
            totals=rows,
            rate_mode=loaded.profile.rate_mode,
            simulated=all(provider.api == "sim" for provider in loaded.profile.providers.values()),
        )

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
        counts = {profile: count_tests(phase, held) for profile, held in self._profiles.items()}
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

    def runs(self) -> list[RunChoice]:
        """Return recent runs, newest first."""
        return [
            RunChoice(
                id=info.run_id,
                run_dir=info.run_dir,
                title=info.title,
                profile=info.profile,
                kind=info.state,
                done=info.done or 0,
                planned=info.planned or 0,
                simulated=info.simulated,
                started=info.started,
            )
            for info in list_runs()[:RUNS_SHOWN]
        ]

    def watch(self, run_dir: Path) -> Watcher:
        """Return a line to the engine of a run."""
        return Watcher(Path(read_run_file(run_dir).control_socket))

    def ended(self, run_dir: Path) -> RunEnd | None:
        """Return how a run ended, or None while its journal has no end."""
        ended = read_end(run_dir)
        if ended is None:
            return None
        if ended.state == "interrupted":
            return RunEnd("interrupted", ExitCode.INTERRUPTED, ended.done, ended.planned)
        code = ExitCode.DONE if ended.done >= ended.planned else ExitCode.INCOMPLETE
        return RunEnd("finished", code, ended.done, ended.planned)

    def results(self, run_dir: Path) -> ResultsView:
        """Return the results of a run, ended or not."""
        storage = "json" if read_run_file(run_dir).storage == "json" else "parquet"
        summary = summarise(run_dir, storage=storage)
        tables = summary_tables(summary, wide=True, lanes=True)
        notes = summary_notes(summary)
        if summary.client is not None and not summary.client.bad:
            notes = (f"client: {result_text(summary.client)}", *notes)
        return ResultsView(
            run_id=summary.run_id,
            run_dir=run_dir,
            title=summary.title,
            profile=summary.profile,
            kind=summary.state,
            simulated=summary.simulated,
            tables=tuple(
                # The notes speak of the last table's figures as of all others: they stand at the end.
                ResultTable(table.title, table.columns, table.rows, notes if table is tables[-1] else ())
                for table in tables
            ),
            notes=_headline_notes(summary),
        )


def _headline_notes(summary: Summary) -> tuple[str, ...]:
    """Return what is said above the tables: what is missing, and whether the client is to be believed."""
    notes = [summary.partial_reason] if summary.partial else []
    if summary.client is not None and summary.client.bad:
        notes.append(f"client: {result_text(summary.client)}")
    return tuple(notes)


def totals_rows(profile: Profile) -> tuple[TotalsRow, ...]:
    """Return what each model may use, from the function that the engine enforces."""
    return tuple(
        TotalsRow(
            provider=row.provider, model=row.model, lanes=row.lanes, workers=row.workers, qps=row.qps_bound
        )
        for row in totals(lane_setups(profile), split_rules(profile))
    )


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
