"""Starting an engine in a process of its own, which no terminal takes down."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from console.vocabulary.errors import ConsoleError, ExitCode

ANNOUNCE = "--announce"
"""Hidden flag of the commands that run engines: say the run directory on stdout as JSON, then go quiet."""


class Announced(msgspec.Struct, frozen=True):
    """What a spawned engine says once it takes commands."""

    run_dir: str


_children: list[subprocess.Popen[bytes]] = []
"""Kept so that ended engines are reaped while this process lives on."""


def spawn_engine(arguments: Sequence[str]) -> Path:
    """Start `ultra-console ARGUMENTS` detached and return its run directory once it runs.

    Raises:
        ConsoleError: with its own words and exit code if it did not start.
    """
    _children[:] = [child for child in _children if child.poll() is None]
    command = [sys.executable, "-P", "-m", "console", *arguments, ANNOUNCE]
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
        )
        assert child.stdout is not None
        with child.stdout:
            line = child.stdout.readline()
        try:
            announced = msgspec.json.decode(line, type=Announced)
        except msgspec.DecodeError:
            code = child.wait()
            complaints.seek(0)
            text = complaints.read().decode(errors="replace").strip()
            said = "\n".join(part.removeprefix("ultra-console: ") for part in text.splitlines()[-20:])
            raise ConsoleError(
                said or f"the engine did not start (exit code {code})", exit_code=_exit_code(code)
            ) from None
    _children.append(child)
    return Path(announced.run_dir)


def _exit_code(code: int) -> ExitCode:
    try:
        return ExitCode(code) if code else ExitCode.OUR_FAULT
    except ValueError:
        return ExitCode.OUR_FAULT
