"""`ultra-console run --rehearse`: what the run would be like, before one request is sent."""

from __future__ import annotations

import shutil
import signal
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TextIO

from console.cli.narrate import clock
from console.cli.saying import say, silence
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.prepare import Prepared, RunRequest
    from console.rehearsal.rehearse import Progress
    from console.rehearsal.report import Rehearsal

_SILENT_S: Final = 1.0
"""A rehearsal that is over by then says nothing while it goes on."""
_ELSEWHERE_EVERY_S: Final = 10.0


def refuse_beside_rehearsal(request: RunRequest, *, detach: bool) -> None:
    """Refuse options that mean something only of a run that leaves something behind.

    Raises:
        ConsoleError: if one of them is given.
    """
    given = {"--detach": detach, "--run-id": request.run_id is not None, "--out": request.out is not None}
    for flag, there in given.items():
        if there:
            raise ConsoleError(
                "a rehearsal leaves nothing behind: it has no run directory and nothing to come back to",
                where=f"--rehearse with {flag}",
                hint=f"leave out {flag}, or --rehearse",
            )


def rehearse_here(prepared: Prepared, *, as_json: bool, progress: bool = False) -> int:
    """Rehearse a run, tell how far it is (with `progress` to a program, as JSON lines), and print what it came to.

    Returns:
        The exit code: 0, or 3 where tests would remain, or 130 where somebody ended it.
    """
    import msgspec

    from console.heap import settled_heap
    from console.rehearsal.rehearse import rehearse
    from console.rehearsal.text import rehearsal_lines

    if (prepared.request.processes or 1) > 1:
        say("a rehearsal takes one process: limits are the same over several", err=True)
    teller = teller_of(progress=progress)
    with settled_heap():
        rehearsal = rehearse(
            prepared.plan, prepared.loaded.profile, on_progress=teller.tell, obey_signals=True
        )
    teller.end()
    if as_json:
        say(msgspec.json.encode(rehearsal))
    elif rehearsal.state == "finished":
        width = shutil.get_terminal_size((80, 24)).columns
        for line in rehearsal_lines(rehearsal, max(80, width), ends_at):
            say(safe_line(line))
    return _code(rehearsal)


def _code(rehearsal: Rehearsal) -> int:
    if rehearsal.state == "interrupted":
        say(
            f"interrupted: the rehearsal reached {clock(rehearsal.duration_s)} of the run, "
            f"{rehearsal.answered} of {rehearsal.planned} tests answered",
            err=True,
        )
        return ExitCode.INTERRUPTED
    if rehearsal.unanswered:
        say(f"{rehearsal.unanswered} of {rehearsal.planned} tests would remain without an answer", err=True)
        return ExitCode.INCOMPLETE
    return ExitCode.DONE


def ends_at(seconds: float) -> str:
    """Say when a span that begins now is over, with the date where that is not today."""
    now = datetime.now().astimezone()
    end = now + timedelta(seconds=seconds)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"


def progress_text(progress: Progress, name: str = "") -> str:
    """Return one line on how far a rehearsal is, or the one called `name` among several."""
    eta = "?" if progress.eta_s is None else clock(progress.eta_s)
    share = f" {100 * progress.done // progress.planned}%" if progress.planned else ""
    return (
        f"rehearsing {f'{name} ' if name else ''}{clock(progress.wall_s)} · {progress.done}/{progress.planned}{share} · "
        f"{clock(progress.virtual_s)} into the run · eta {eta}"
    )


def teller_of(*, progress: bool) -> ProgressLine | ProgressRecords:
    """Return who tells how far it is: people on stderr, or with `progress` a program on stdout."""
    return ProgressRecords() if progress else ProgressLine(sys.stderr)


class ProgressRecords:
    """Tells a program how far a rehearsal is. Where that has gone, the rehearsal ends: nobody would read it."""

    def tell(self, progress: Progress, name: str = "") -> None:
        """Write one JSON line."""
        import msgspec

        told = {
            "type": "progress",
            "name": name,
            "done": progress.done,
            "planned": progress.planned,
            "virtual_s": progress.virtual_s,
            "eta_s": progress.eta_s,
        }
        try:
            sys.stdout.write(f"{msgspec.json.encode(told).decode()}\n")
            sys.stdout.flush()
        except OSError:
            silence(1)
            signal.raise_signal(signal.SIGTERM)

    def end(self) -> None:
        """Say nothing more."""


class ProgressLine:
    """Tells on a stream how far a rehearsal is: one line drawn again on a terminal, a line in ten seconds elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._next_s = _SILENT_S if self._terminal else _ELSEWHERE_EVERY_S
        self._told = False

    def tell(self, progress: Progress, name: str = "") -> None:
        """Tell, if it is time to; `name` is the one of several that is rehearsed."""
        if progress.wall_s < self._next_s:
            return
        if self._terminal:
            width = shutil.get_terminal_size().columns
            self._write(f"\r\x1b[K{safe_line(progress_text(progress, name), max(20, width - 1))}")
        else:
            self._next_s = progress.wall_s + _ELSEWHERE_EVERY_S
            self._write(progress_text(progress, name) + "\n")
        self._told = True

    def end(self) -> None:
        """Take the line away."""
        if self._told and self._terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._next_s = float("inf")  # nobody reads it any more; the report is what counts
