"""The command `attach`: watch a run that goes on, or see how one ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from console.cli.screen_options import screen_options
from console.vocabulary.errors import ExitCode

if TYPE_CHECKING:
    from console.screens.leaving import Leaving
    from console.screens.live.connection import Connection, View
    from console.screens.live.needs import LiveNeeds

LOOK_EVERY_S: Final = 1.0
"""How often a plain watcher looks; it tells less often where nobody sits before a terminal."""


@click.command(short_help="Watch a run in the console.")
@click.argument("run", required=False)
@click.option("--plain", "--no-tui", "plain", is_flag=True, help="Print lines of progress, without a screen.")
@screen_options
def attach(run: str | None, plain: bool) -> int:
    """Watch RUN; leaving it (q, Ctrl-C) never touches the run.

    RUN is an id, a directory, or left out for the newest live run, or the newest at all where none is live.

    Exits with the run's own code if it ended while watched, 0 after leaving it, and 3 if its engine is gone.
    """
    if plain:
        from console.cli.backend import real_backend

        return watch_plainly(real_backend().live, _meant(run))
    from console.screens.terminal import prepare_environment, require_terminal

    require_terminal()
    run_dir = _meant(run)
    prepare_environment()
    from console.app import StartAt, run_app
    from console.cli.backend import real_backend

    backend = real_backend()
    ended = backend.live.ended(run_dir)
    closed = run_app(backend, StartAt("live" if ended is None else "results", run_dir))
    if closed.leaving is None:
        return closed.exit_code
    for line in closed.leaving.lines():
        click.echo(line, err=True)
    return closed.exit_code or closed.leaving.exit_code


def _meant(run: str | None) -> Path:
    from console.records.run_dir import find_run, list_runs

    if run is None:
        live = next((info for info in list_runs() if info.state == "live"), None)
        if live is not None:
            return live.run_dir
    return find_run(run)


def watch_plainly(live: LiveNeeds, run_dir: Path) -> int:
    """Print progress to stderr until the run ends or Ctrl-C; return the exit code."""
    import anyio

    from console.screens.live.connection import Connection

    connection = Connection(live.watch(run_dir), run_dir, live.ended)
    try:
        anyio.run(_follow, connection)
    except KeyboardInterrupt:
        pass  # whoever leaves is told how the run stands, as at its end
    if sys.stderr.isatty():
        click.echo("", err=True)  # below the line that is written over
    leaving = _leaving(connection.view, run_dir)
    for line in leaving.lines():
        click.echo(line, err=True)
    return leaving.exit_code if leaving.state != "live" else ExitCode.DONE


def _leaving(view: View, run_dir: Path) -> Leaving:
    from console.screens.leaving import Leaving

    done, planned = (view.snapshot.done, view.snapshot.planned) if view.snapshot else (0, 0)
    if view.end is not None:
        done, planned = view.end.done or done, view.end.planned or planned
    state = view.standing if view.standing in ("ended", "gone") else "live"
    return Leaving(run_dir, run_dir.name, state, done, planned, view.end)


async def _follow(connection: Connection) -> None:
    """Look each second until the run is over; tell at the pace of the narrator."""
    import anyio

    from console.cli.narrate import Narrator

    narrator = Narrator(sys.stderr, as_json=False)
    said = ""
    told_at = float("-inf")
    try:
        while True:
            view = await connection.look()
            if view.standing in ("ended", "gone"):
                return
            due = anyio.current_time() - told_at >= narrator.every_s - LOOK_EVERY_S / 2
            if view.standing == "live" and view.snapshot is not None and due:
                narrator.tell(view.snapshot)
                told_at = anyio.current_time()
            elif view.said and view.said != said:
                click.echo(view.said, err=True)
            said = view.said
            await anyio.sleep(LOOK_EVERY_S)
    finally:
        await connection.aclose()
