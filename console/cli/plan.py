"""`ultra-console plan`: what a run would do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.cli.compare_policies import THOSE_THAT_APPLY, compare_policies
from console.cli.process_count import processes_option
from console.cli.saying import say
from console.cli.selecting import run_request, selection_options
from console.vocabulary.errors import ExitCode
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.prepare import Prepared


@click.command()
@selection_options
@processes_option
@click.option(
    "--latency",
    "latency_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="What an answer takes; absent: as the last run of this profile, else as the profile guesses.",
)
@click.option(
    "--compare-policies",
    "compared",
    is_flag=False,
    flag_value=THOSE_THAT_APPLY,
    metavar="[LIST]",
    help="Rehearse it under each of these policies (alone: all that apply), and say which one to choose.",
)
@click.option("--strict", is_flag=True, help="Exit code 4 where there are warnings.")
@click.option("--json", "as_json", is_flag=True, help="The plan and its preflight as JSON lines on stdout.")
@click.option("--progress", is_flag=True, hidden=True)
def plan(
    *,
    as_json: bool,
    latency_s: float | None,
    strict: bool,
    compared: str | None,
    progress: bool,
    **options: Any,
) -> int:
    """Show what a run would do: jobs, keys, tests, limits, the load to expect, and what is wrong with it.

    Resolves no secret and sends nothing.
    """
    import msgspec

    from console.cli.looking import looked_ahead
    from console.cli.plan_text import plan_lines, preflight_lines, warning_lines
    from console.prepare import prepare

    request = run_request(**options)
    if compared is not None:
        return compare_policies(
            request, compared, latency_s=latency_s, strict=strict, as_json=as_json, progress=progress
        )
    prepared = prepare(request)
    planned, profile = prepared.plan, prepared.loaded.profile
    ahead, source = looked_ahead(prepared, latency_s)
    if as_json:
        say(msgspec.json.encode(planned))
        say(msgspec.json.encode({"type": "preflight", "latency_from": source, **msgspec.to_builtins(ahead)}))
    else:
        lines = plan_lines(planned, profile, prepared.loaded.name)
        lines += preflight_lines(planned, ahead, latency_from=source)
        lines += ["", *warning_lines(planned, ahead)]
        for line in lines if lines[-1] else lines[:-1]:
            say(safe_line(line))
        _say_processes(prepared, asked=options["processes"] is not None)
    failed = strict and bool(planned.warnings or ahead.findings)
    return ExitCode.CHECK_FAILED if failed else ExitCode.DONE


def _say_processes(prepared: Prepared, *, asked: bool) -> None:
    from console.processes.count import parts_text
    from console.processes.deal import deal_lanes

    if prepared.processes > 1:
        parts = deal_lanes(prepared.plan.lanes, prepared.processes)
        say(parts_text(prepared.plan.lanes, parts))
        if len(parts) < prepared.processes:
            say(f"{prepared.processes} were asked for: these lanes are worth no more than {len(parts)}")
    elif not asked:
        say(
            "1 engine process: auto takes more where the expected chunks/s and the cores of this machine allow"
        )
