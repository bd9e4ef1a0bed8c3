"""The command `attach`: watch a run that goes on, or see how one ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.vocabulary.errors import ExitCode

if TYPE_CHECKING:
    from console.screens.backend import Backend
    from console.screens.connection import View


@click.command(short_help="Watch a run in the console.")
@click.argument("run", required=False)
@click.option("--plain", "--no-tui", "plain", is_flag=True, help="Print lines of progress, without a screen.")
def attach(run: str | None, plain: bool) -> int:
    """Watch RUN: an id, a directory, or the newest. Leaving it (q, Ctrl-C) never touches the run.

    Exits with the run's own code if it ended while watched, and 0 after leaving it.
    """
    from console.records.run_dir import find_run

    if plain:
        from console.cli.backend import RealBackend

        return watch_plainly(RealBackend(None), find_run(run))
    from console.screens.terminal import prepare_environment, require_terminal

    require_terminal()
    run_dir = find_run(run)
    prepare_environment()
    from console.app import StartAt, run_app
    from console.cli.backend import RealBackend

    backend = RealBackend(None)
    ended = backend.ended(run_dir)
    closed = run_app(backend, StartAt("live" if ended is None else "results", run_dir))
    if closed.leaving is None:
        return closed.exit_code
    for line in closed.leaving.lines():
        click.echo(line, err=True)
    return closed.exit_code or closed.leaving.exit_code


def watch_plainly(backend: Backend, run_dir: Path) -> int:
    """Print progress to stderr until the run ends or Ctrl-C; return the exit code."""
    import anyio

    from console.screens.leaving import Leaving

    try:
        view = anyio.run(_follow, backend, run_dir)
    except KeyboardInterrupt:
        click.echo("", err=True)
        for line in Leaving(run_dir, run_dir.name, "live").lines():
            click.echo(line, err=True)
        return ExitCode.DONE
    done, planned = (view.snapshot.done, view.snapshot.planned) if view.snapshot else (0, 0)
    if view.end is not None:
        done, planned = view.end.done or done, view.end.planned or planned
    state = "ended" if view.standing == "ended" else "gone"
    leaving = Leaving(run_dir, run_dir.name, state, done, planned, view.end)
    for line in leaving.lines():
        click.echo(line, err=True)
    return leaving.exit_code


async def _follow(backend: Backend, run_dir: Path) -> View:
    import anyio

    from console.cli.narrate import Narrator
    from console.screens.connection import Connection

    connection = Connection(backend.watch(run_dir), run_dir, backend.ended)
    narrator = Narrator(sys.stderr, as_json=False)
    said = ""
    try:
        while True:
            view = await connection.look()
            if view.standing in ("ended", "gone"):
                return view
            if view.standing == "live" and view.snapshot is not None:
                narrator.tell(view.snapshot)
            elif view.said and view.said != said:
                click.echo(view.said, err=True)
            said = view.said
            await anyio.sleep(narrator.every_s)
    finally:
        await connection.aclose()
