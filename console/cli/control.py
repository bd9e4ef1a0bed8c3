"""The commands `pause`, `resume`, `drain`, `stop` and `set`: a word to a live run, from the shell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from console.control.address import socket_path
from console.control.client import ControlClient, NotLive
from console.vocabulary.command import (
    Accepted,
    Command,
    Drain,
    Look,
    Pause,
    Refused,
    Reply,
    Request,
    Resume,
    Stop,
)
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.lane import Lane
from console.vocabulary.safe_text import safe_text
from console.vocabulary.snapshot import Snapshot


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


_SET_HELP = """\
Change limits of a live RUN, and switch keys, deployments or single lanes of it off, or on again.

\b
A SETTING is one of
  key:PROVIDER/KEY=off           or =on; also deployment: and lane:
  LANE.workers=40                or +=5, -=5; =reset for the plan's figure
  LANE.qps=8                     requests per second; =none: no limit
  LANE.adaptive=on               find its limits; =off holds those found
  key:PROVIDER/KEY.workers=30    of all its lanes together; so too its .qps,
                                 and those of deployment:PROVIDER/NAME,
                                 model:NAME and provider:NAME

A LANE is lane:PROVIDER/DEPLOYMENT@KEY, or a pattern such as 'lane:azure/*'; `lanes` are all of them.

Nothing in flight is broken off: a lower limit is reached as requests end. Where a key or deployment is off, the tests
go on elsewhere, or wait where there is nothing else. Settings are carried out in their order, up to the first that the
engine refuses.

RUN is an id, a directory, or left out where only one run is live.
"""


@click.command(
    "set",
    short_help="Change limits of a run, and switch keys and deployments off and on.",
    help=_SET_HELP,
)
@click.argument("words", metavar="[RUN] SETTING...", nargs=-1, required=True)
def set_(words: tuple[str, ...]) -> None:
    """Send each setting to the run, in their order, up to the first that is refused."""
    from console.cli.settings import command_of, needs_lanes, read_setting

    run = None if "=" in words[0] else words[0]
    given = words if run is None else words[1:]
    if not given:
        raise ConsoleError("nothing to set", hint=f"such as `ultra-console set {run} key:ideallab/key2=off`")
    settings = [(word, read_setting(word)) for word in given]
    run_dir = _run_dir(run)
    lanes = _lanes(run_dir) if any(needs_lanes(setting) for _, setting in settings) else []
    commands = [(word, command_of(setting, lanes)) for word, setting in settings]
    for number, (word, command) in enumerate(commands):
        reply = _ask(run_dir, command)
        if not isinstance(reply, Accepted):
            done, left = given[:number], given[number + 1 :]
            raise _refused(run_dir, reply, word if len(given) > 1 else "", done, left)
        click.echo(f"{run_dir.name}: {safe_text(reply.text or 'done')}")


def _lanes(run_dir: Path) -> list[Lane]:
    picture = _ask(run_dir, Look())
    if not isinstance(picture, Snapshot):
        raise _refused(run_dir, picture)
    return [Lane(one.provider, one.model, one.deployment, one.key) for one in picture.lanes]


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
    run_dir = _run_dir(run)
    reply = _ask(run_dir, command)
    if not isinstance(reply, Accepted):
        raise _refused(run_dir, reply)
    click.echo(f"{run_dir.name}: {safe_text(reply.text or done)}")


def _run_dir(run: str | None) -> Path:
    from console.records.run_dir import find_run

    return live_run() if run is None else find_run(run)


def _ask(run_dir: Path, request: Request) -> Reply:
    from console.records.run_dir import read_run_file

    socket = Path(read_run_file(run_dir).control_socket or socket_path(run_dir))
    try:
        return ControlClient.ask(socket, request)
    except NotLive:
        raise _not_live(run_dir, request) from None


def _refused(
    run_dir: Path, reply: Reply, word: str = "", done: Sequence[str] = (), left: Sequence[str] = ()
) -> ConsoleError:
    """Say that the engine refused, and of several settings which, what was done before and what was left."""
    said = reply.text if isinstance(reply, Refused) else "it sent something else"
    parts = [f"done before it: {' '.join(done)}"] if done else []
    parts += [f"not tried: {' '.join(left)}"] if left else []
    return ConsoleError(
        f"the engine refused{f' {safe_text(word)}' if word else ''}: {safe_text(said)}",
        where=run_dir.name,
        hint=safe_text("; ".join(parts)) or None,
        exit_code=ExitCode.USAGE,
    )


def _not_live(run_dir: Path, request: Request) -> ConsoleError:
    summary = f"`ultra-console summary {run_dir.name}` shows what is done"
    if isinstance(request, Resume):
        return ConsoleError(
            "the run is not live, and starting a dead run again is not there yet",
            where=run_dir.name,
            hint=f"{summary}; `ultra-console run` with the same arguments starts a new run",
        )
    return ConsoleError("the run is not live: there is no engine to tell", where=run_dir.name, hint=summary)
