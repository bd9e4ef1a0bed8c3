"""The commands `pause`, `resume`, `drain`, `stop` and `set`: a word to a live run, from the shell."""

from __future__ import annotations

from pathlib import Path

import click

from console.control.address import socket_path
from console.control.client import ControlClient, NotLive
from console.vocabulary.command import (
    SWITCH_KINDS,
    Accepted,
    Command,
    Drain,
    Pause,
    Refused,
    Resume,
    Stop,
    Switch,
)
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.safe_text import safe_text


@click.command(short_help="Send nothing new in a run.")
@click.argument("run", required=False)
def pause(run: str | None) -> None:
    """Send nothing new in RUN; what is in flight ends.

    RUN is an id, a directory, or left out where only one run is live.
    """
    _tell(run, Pause(), "paused: what is in flight ends")


@click.command(short_help="Go on with a paused run.")
@click.argument("run", required=False)
def resume(run: str | None) -> None:
    """Go on with a paused RUN.

    RUN is an id, a directory, or left out where only one run is live.
    """
    _tell(run, Resume(), "running again")


@click.command(short_help="Finish what is begun in a run, then end it.")
@click.argument("run", required=False)
def drain(run: str | None) -> None:
    """Start no further test in RUN; it ends when those begun are done.

    RUN is an id, a directory, or left out where only one run is live.
    """
    _tell(run, Drain(), "draining: tests that have begun are finished, then the run ends")


@click.command(short_help="End a run now; what is finished is kept.")
@click.argument("run", required=False)
def stop(run: str | None) -> None:
    """Cancel what is in flight in RUN and end it now; what is finished is kept.

    RUN is an id, a directory, or left out where only one run is live.
    """
    _tell(run, Stop(), "stopping: what is finished is kept")


@click.command("set", short_help="Switch keys and deployments of a run off and on.")
@click.argument("words", metavar="[RUN] SETTING...", nargs=-1, required=True)
def set_(words: tuple[str, ...]) -> None:
    """Switch keys, deployments or single lanes of a live RUN off, or on again.

    A SETTING is `key:PROVIDER/KEY=off`, `deployment:PROVIDER/NAME=on` or `lane:PROVIDER/DEPLOYMENT@KEY=off`.
    What is in flight there ends; the tests go on elsewhere, or wait where there is nothing else.

    RUN is an id, a directory, or left out where only one run is live.
    """
    run = None if "=" in words[0] else words[0]
    settings = words if run is None else words[1:]
    if not settings:
        raise ConsoleError("nothing to set", hint=f"such as `ultra-console set {run} key:ideallab/key2=off`")
    for switch in [_read_setting(word) for word in settings]:
        _tell(run, switch, "done")


def _read_setting(word: str) -> Switch:
    """Read `key:ideallab/key2=off`."""
    what, equals, state = word.rpartition("=")
    kind, colon, name = what.partition(":")
    found = SWITCH_KINDS[SWITCH_KINDS.index(kind)] if kind in SWITCH_KINDS else None
    if found is None or not equals or not colon or not name or state not in ("on", "off"):
        raise ConsoleError(
            f"{safe_text(word)!r} is no setting",
            hint="write key:PROVIDER/KEY=off, deployment:PROVIDER/NAME=on or lane:PROVIDER/DEPLOYMENT@KEY=off",
        )
    return Switch(found, name, on=state == "on")


def live_run() -> Path:
    """Return the one run that is live.

    Raises:
        ConsoleError: if none is, or several are: which one is meant must then be said.
    """
    from console.records.run_dir import list_runs

    runs = list_runs()
    live = [info for info in runs if info.state == "live"]
    if len(live) == 1:
        return live[0].run_dir
    if live:
        names = ", ".join(safe_text(info.run_id) for info in live)
        raise ConsoleError(f"{len(live)} runs are live: which one?", hint=f"give one of {names}")
    hint = "start one with `ultra-console run --phase 5.1`"
    if runs:
        hint = f"`ultra-console summary {safe_text(runs[0].run_id)}` shows the newest"
    raise ConsoleError("no run is live: there is no engine to tell", hint=hint)


def _tell(run: str | None, command: Command, done: str) -> None:
    from console.records.run_dir import find_run, read_run_file

    run_dir = live_run() if run is None else find_run(run)
    socket = Path(read_run_file(run_dir).control_socket or socket_path(run_dir))
    try:
        reply = ControlClient.ask(socket, command)
    except NotLive:
        raise _not_live(run_dir, command) from None
    if isinstance(reply, Accepted):
        click.echo(f"{run_dir.name}: {safe_text(reply.text or done)}")
        return
    said = reply.text if isinstance(reply, Refused) else "it sent something else"
    raise ConsoleError(f"the engine refused: {said}", where=run_dir.name, exit_code=ExitCode.USAGE)


def _not_live(run_dir: Path, command: Command) -> ConsoleError:
    summary = f"`ultra-console summary {run_dir.name}` shows what is done"
    if isinstance(command, Resume):
        return ConsoleError(
            "the run is not live, and starting a dead run again is not there yet",
            where=run_dir.name,
            hint=f"{summary}; `ultra-console run` with the same arguments starts a new run",
        )
    return ConsoleError("the run is not live: there is no engine to tell", where=run_dir.name, hint=summary)
