"""Summaries for the console: those of large runs are made in a process of their own.

Decoding half a million rows in a thread would keep the interpreter from the screen, and the memory it takes would
never be given back. A process can be ended at once, too.

    python -m console.cli.backend.results.making RUN_DIR STORAGE   →   a share a line, then `done` or an error
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from console.records.read_journal import segments_of
from console.records.run_file import SUMMARY_FILE, read_run_file
from console.records.summary import Summary, summarise
from console.records.tables import Storage
from console.screens.results.needs import Watch
from console.vocabulary.errors import ConsoleError

_LARGE_BYTES: Final = 4 * 1024 * 1024
"""Of a journal: smaller ones are read in less time than a process takes to start."""
_POLL_S: Final = 0.2
_NICENESS: Final = 5
"""A summary waits for engines and screens of this machine."""
_DONE: Final = "done"
_ERROR: Final = "error "


class _Failed(msgspec.Struct):
    message: str
    where: str | None = None
    hint: str | None = None


def make_summary(run_dir: Path, watch: Watch) -> Summary:
    """Make the tables and the summary of a run.

    Raises:
        ConsoleError: if they cannot be made; and whatever `watch` raises.
    """
    storage: Storage = "json" if read_run_file(run_dir).storage == "json" else "parquet"
    size = sum(segment.path.stat().st_size for segment in segments_of(run_dir))
    if size >= _LARGE_BYTES:
        _make_elsewhere(run_dir, storage, watch)
        made = read_summary(run_dir)
        if made is not None:
            return made
    return summarise(run_dir, storage=storage, watch=watch)


def read_summary(run_dir: Path) -> Summary | None:
    """Return the summary in a run directory; None: there is none that this version can read."""
    try:
        return msgspec.json.decode((run_dir / SUMMARY_FILE).read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _make_elsewhere(run_dir: Path, storage: Storage, watch: Watch) -> None:
    command = [sys.executable, "-m", __name__, str(run_dir), storage]
    with subprocess.Popen(  # noqa: S603 - our own interpreter, and a path as one argument
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            said = _listen(process, watch)
        except BaseException:
            process.kill()
            raise
    if said.startswith(_ERROR):
        failed = msgspec.json.decode(said.removeprefix(_ERROR), type=_Failed)
        raise ConsoleError(failed.message, where=failed.where, hint=failed.hint)
    if said != _DONE:
        raise ConsoleError(f"the summary was not made: its process ended with {process.returncode}")


def _listen(process: subprocess.Popen[bytes], watch: Watch) -> str:
    """Return the last thing that the process says; meanwhile `watch` is told how far it is."""
    said, share = "", 0.0
    for line in _lines(process):
        if line:
            said = line
            share = _share(line, share)
        watch(share)
    return said


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield what a process says line by line, and an empty text wherever it says nothing for a while."""
    assert process.stdout is not None
    descriptor, rest = process.stdout.fileno(), b""
    while True:
        if not select.select([descriptor], [], [], _POLL_S)[0]:
            yield ""
            continue
        data = os.read(descriptor, 65_536)
        *lines, rest = (rest + data).split(b"\n")
        yield from (line.decode() for line in lines)
        if not data:
            return


def _share(line: str, before: float) -> float:
    try:
        return float(line)
    except ValueError:
        return before


def _main(run_dir: str, storage: str) -> None:
    os.nice(_NICENESS)
    told = -1

    def watch(share: float) -> None:
        nonlocal told
        percent = int(100 * share)
        if percent != told:
            told = percent
            print(share, flush=True)

    try:
        summarise(Path(run_dir), storage="json" if storage == "json" else "parquet", watch=watch)
    except ConsoleError as error:
        failed = _Failed(error.message, error.where, error.hint)
        print(_ERROR + msgspec.json.encode(failed).decode(), flush=True)
        return
    print(_DONE, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
