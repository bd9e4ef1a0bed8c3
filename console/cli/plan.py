"""`ultra-console plan`: what a run would do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.cli.process_count import processes_option
from console.cli.saying import say
from console.cli.selecting import run_request, selection_options
from console.vocabulary.errors import ExitCode
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.phases.plan import Plan
    from console.profile.load import LoadedProfile


@click.command()
@selection_options
@processes_option
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON on stdout.")
def plan(*, as_json: bool, **options: Any) -> int:
    """Show what a run would do: jobs, shards, tests, limits. Resolves no secret and sends nothing."""
    import msgspec

    from console.processes.count import parts_text
    from console.processes.deal import deal_lanes
    from console.run import prepare

    prepared = prepare(run_request(**options), to_run=False)
    if as_json:
        say(msgspec.json.encode(prepared.plan))
        return ExitCode.DONE
    for line in plan_lines(prepared.plan, prepared.loaded):
        say(safe_line(line))
    if prepared.processes > 1:
        parts = deal_lanes(prepared.plan.lanes, prepared.processes)
        say(parts_text(prepared.plan.lanes, parts))
        if len(parts) < prepared.processes:
            say(f"{prepared.processes} were asked for: these lanes are worth no more than {len(parts)}")
    elif options["processes"] is None:
        say(
            "1 engine process: auto takes more where the expected chunks/s and the cores of this machine allow"
        )
    return ExitCode.DONE


def plan_lines(plan: Plan, loaded: LoadedProfile) -> list[str]:
    """Return the plan in words: jobs in starting order, and the totals that hold over them."""
    from console.profile.effective import split_rules, totals
    from console.profile.table import counted

    reused = sum(job.reused for job in plan.jobs)
    lines = [
        f"phase {plan.title} under profile {loaded.name} ({plan.rate_mode}), seed {plan.seed}",
        f"{counted(plan.planned, 'test')}, {reused} reused; {counted(len(plan.jobs), 'job')} on {len(plan.lanes)} lanes",
        "",
        f"{'job':<52} {'tests':>6} {'shards':>6}  starts",
    ]
    for index, job in enumerate(plan.jobs):
        starts = "at once" if not job.before else f"after job {max(job.before) + 1}"
        if job.stagger_s and set(range(index)) - set(job.before):
            starts += f", {job.stagger_s:g} s after the one before"
        lines.append(f"{index + 1:>2} {job.id:<49} {len(job.tests):>6} {len(job.shards):>6}  {starts}")
    lines += ["", f"{'model':<34} {'lanes':>5} {'workers':>8} {'QPS':>8}   (none: no limit)"]
    for row in totals(plan.lanes, split_rules(loaded.profile)):
        workers = "none" if row.workers is None else str(row.workers)
        qps = "none" if row.qps_bound is None else f"{row.qps_bound:g}"
        lines.append(f"{row.model:<34} {row.lanes:>5} {workers:>8} {qps:>8}")
    if loaded.profile.providers and all(
        loaded.profile.providers[setup.lane.provider].api == "sim" for setup in plan.lanes
    ):
        lines += ["", "SIMULATED: every provider of this plan is simulated"]
    lines += [f"warning: {warning}" for warning in plan.warnings]
    return lines
