"""`ultra-console run`: phases under a profile, without a screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from console.cli.found import found_lines
from console.cli.narrate import Narrator, quiet_streams
from console.cli.process_count import processes_option
from console.cli.rehearse import refuse_beside_rehearsal, rehearse_here
from console.cli.saying import say
from console.cli.selecting import run_request, selection_options
from console.event_loop import loop_options
from console.vocabulary.errors import ConsoleError, ExitCode

if TYPE_CHECKING:
    from console.host import Ended, Narrate, Watched
    from console.phases.plan import Plan
    from console.prepare import RunRequest

Hosted = Callable[["Narrate", Callable[[Path], None]], Any]
"""Runs an engine: takes a narrator and who is told the run directory; a coroutine function returning Ended."""


HOW_IT_IS_TOLD: Final = ("detach", "rehearse", "as_json", "announce", "progress")
"""Options of `run` that are none of its request: they say how it is told, and not what is done."""


@click.command()
@selection_options
@click.option("--out", type=click.Path(path_type=Path), help="Where the run directory is made.")
@click.option("--run-id", help="Name of the run directory; made up if absent.")
@processes_option
@click.option(
    "--no-content",
    is_flag=True,
    help="Keep lengths and hashes in traces, and none of what prompts, models and tools say.",
)
@click.option("--detach", is_flag=True, help="Start the run in the background and return.")
@click.option(
    "--rehearse", is_flag=True, help="Play it through on a virtual clock, and forecast; sends nothing."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there.")
@click.option("--announce", is_flag=True, hidden=True)
@click.option("--progress", is_flag=True, hidden=True)
def run(
    *, detach: bool, rehearse: bool, as_json: bool, announce: bool, progress: bool, **options: Any
) -> int:
    """Run phases under a profile, without a screen."""
    from console.run import prepare, run_phases

    request = run_request(**options)
    if rehearse:
        refuse_beside_rehearsal(request, detach=detach)
    if _names_a_finished_run_only(request):
        say(f"{request.run_id} is finished: nothing to do", err=True)
        return ExitCode.DONE
    prepared = prepare(request)
    if rehearse:
        _warn(prepared.plan)
        for note in prepared.plan.notes:  # which a run tells as an event
            say(f"note: {note}", err=True)
        return rehearse_here(prepared, as_json=as_json, progress=progress)
    if request.run_id is not None and _finished_already(request.out, request.run_id, prepared.plan):
        say(f"{request.run_id} is finished: nothing to do", err=True)
        return ExitCode.DONE
    if detach:
        return detached(as_json=as_json)
    _warn(prepared.plan)
    return host_here(
        partial(run_phases, prepared), as_json=as_json, announce=announce, profile=request.profile
    )


def _warn(plan: Plan) -> None:
    for warning in plan.warnings:
        say(f"warning: {warning}", err=True)


def _names_a_finished_run_only(request: RunRequest) -> bool:
    """Whether all that is asked for is the name of a run, and that has done what it was to do."""
    from console.records.run_dir import runs_home
    from console.records.run_list import run_state

    if request.run_id is None or request.phases or not request.selection.empty:
        return False
    run_dir = (request.out or runs_home(create=False)) / request.run_id
    return (run_dir / "run.toml").is_file() and run_state(run_dir) == "finished"


def _finished_already(out: Path | None, run_id: str, plan: Plan) -> bool:
    """Whether a run of this name has done this very plan. One that is not finished is refused when it is made.

    Raises:
        ConsoleError: if it is finished, and did something else.
    """
    from console.host import plan_bytes
    from console.records.run_dir import runs_home
    from console.records.run_list import run_state

    run_dir = (out or runs_home(create=False)) / run_id
    if not (run_dir / "run.toml").is_file() or run_state(run_dir) != "finished":
        return False
    if (run_dir / "plan.json").read_bytes() != plan_bytes(plan):
        raise ConsoleError(
            "is finished, and had another plan", where=str(run_dir), hint="take another --run-id"
        )
    return True


def detached(*, as_json: bool) -> int:
    """Start what this command line asks for in the background, and say how to come back to it."""
    import msgspec

    from console.cli.spawn import spawn_engine

    run_dir = spawn_engine([argument for argument in sys.argv[1:] if argument not in ("--detach", "--json")])
    if as_json:
        say(msgspec.json.encode({"type": "started", "run_id": run_dir.name, "run_dir": str(run_dir)}))
        return ExitCode.DONE
    say(f"{run_dir.name} runs in the background: {run_dir}")
    say(f"  watch it: ultra-console attach {run_dir.name}")
    return ExitCode.DONE


def host_here(
    hosted: Hosted,
    *,
    as_json: bool,
    announce: bool,
    finish: Callable[[Path], ExitCode] | None = None,
    profile: str = "",
    failures_count: bool = True,
) -> int:
    """Run an engine in this process, tell how it goes, and summarise it.

    Args:
        hosted: runs it.
        as_json: tell it in JSON lines.
        announce: tell only where it is, to the process that started this one.
        finish: makes more of the result than a summary.
        profile: what the user calls the profile.
        failures_count: whether requests without an answer make the run incomplete.

    Returns:
        The exit code of the run.
    """
    import anyio

    narrator = Narrator(sys.stdout if as_json else sys.stderr, as_json=as_json)

    async def narrate(engine: Watched, run_dir: Path) -> None:
        if not announce:
            await narrator.narrate(engine.look)

    ended: Ended = anyio.run(
        hosted,
        narrate,
        _announce if announce else _say_where,
        backend_options=loop_options(),
    )
    code = _conclude(ended, as_json=as_json, quiet=announce, finish=finish, failures_count=failures_count)
    for line in found_lines(ended, profile):
        say(line, err=True)
    return code


def _announce(run_dir: Path) -> None:
    import msgspec

    from console.cli.spawn import Announced

    sys.stdout.write(msgspec.json.encode(Announced(str(run_dir))).decode() + "\n")
    sys.stdout.flush()
    quiet_streams(run_dir)


def _say_where(run_dir: Path) -> None:
    say(f"run {run_dir.name} in {run_dir.parent}", err=True)


def _conclude(
    ended: Ended,
    *,
    as_json: bool,
    quiet: bool,
    finish: Callable[[Path], ExitCode] | None,
    failures_count: bool,
) -> int:
    """Summarise an ended run, print what came of it, and return its exit code."""
    import shutil

    import msgspec

    from console.records.print_summary import render_summary, standing_text
    from console.records.run_dir import read_run_file
    from console.records.summary import summarise
    from console.vocabulary.client_health import alarm_text

    storage = read_run_file(ended.run_dir).storage
    summary = summarise(ended.run_dir, storage="json" if storage == "json" else "parquet")
    if as_json:
        say(b'{"type":"summary",' + msgspec.json.encode(summary)[1:])
    elif not quiet and finish is None:
        say(render_summary(summary, shutil.get_terminal_size((100, 24)).columns))
    code = ExitCode.DONE if finish is None else finish(ended.run_dir)
    if summary.client is not None and summary.client.verdict == "client_bound":
        say(alarm_text(summary.client), err=True)
    if ended.state == "interrupted":
        say(f"interrupted: {standing_text(summary)}", err=True)
        return ExitCode.INTERRUPTED
    if summary.remaining and failures_count:
        say(f"ended, but not all is done: {standing_text(summary)}", err=True)
        return ExitCode.INCOMPLETE
    return code
