"""The runs of this machine, looked into again only where their files changed: the list is shown for hours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from console.records.read_journal import read_end, segments_of
from console.records.run_dir import runs_home
from console.records.run_file import RUN_FILE
from console.records.run_list import SEARCH, RunInfo, find_runs_in, run_info
from console.records.run_lock import is_live
from console.screens.runs.needs import RunChoice, Weight
from console.vocabulary.errors import ConsoleError

_Signature = tuple[tuple[str, int, int], ...]
"""Name, time and size of the files by which a run is told."""


class _Known(msgspec.Struct, frozen=True):
    """A run as it was when it was last looked into."""

    signature: _Signature
    live: bool
    choice: RunChoice


class KnownRuns:
    """Remembers what it has found."""

    def __init__(self) -> None:
        """Know nothing."""
        self._known: dict[Path, _Known] = {}

    def runs(self) -> list[RunChoice]:
        """Return all runs, newest first.

        Raises:
            ConsoleError: if the place of runs cannot be read.
        """
        home = runs_home(create=False)
        found = [self._looked_at(home / name) for name in find_runs_in(home)]
        self._known = {one.choice.run_dir: one for one in found}
        return sorted((one.choice for one in found), key=_age, reverse=True)

    def _looked_at(self, run_dir: Path) -> _Known:
        before, now, live = self._known.get(run_dir), _signature(run_dir), is_live(run_dir)
        if before is not None and (before.signature, before.live) == (now, live):
            return before
        return _Known(now, live, _choice(run_dir))


def weigh(run_dirs: Sequence[Path]) -> Weight:
    """Return how many results and bytes some runs hold; what is gone meanwhile weighs nothing."""
    tests = size_bytes = 0
    for run_dir in run_dirs:
        with suppress(ConsoleError, OSError):
            tests += run_info(run_dir).done or 0
        for folder, _, names in os.walk(run_dir):
            for name in names:
                with suppress(OSError):
                    size_bytes += os.lstat(os.path.join(folder, name)).st_size
    return Weight(len(run_dirs), tests, size_bytes)


def _choice(run_dir: Path) -> RunChoice:
    try:
        info = run_info(run_dir)
        took_s = _took_s(info)
    except (ConsoleError, OSError) as error:
        reason = "\n".join(error.lines()) if isinstance(error, ConsoleError) else str(error)
        return RunChoice(run_dir.name, run_dir, "", "", "partial", None, None, error=reason)
    return RunChoice(
        id=info.run_id,
        run_dir=run_dir,
        title=info.level or info.title,
        profile=info.profile,
        kind=info.state,
        done=info.done,
        planned=info.planned,
        lost=info.lost,
        simulated=info.simulated,
        started=info.started,
        took_s=took_s,
        search=info.title == SEARCH,
    )


def _took_s(info: RunInfo) -> float | None:
    """Return how long a run took by its last row; of one without an end, up to when its journal was last written."""
    ended = None if info.state == "live" else read_end(info.run_dir)
    if ended is not None:
        return ended.at_ns / 1e9
    written = [segment.path.stat().st_mtime for segment in segments_of(info.run_dir)]
    try:
        started = datetime.fromisoformat(info.started).astimezone()
    except ValueError:
        return None
    return max(0.0, max(written) - started.timestamp()) if written else None


def _signature(run_dir: Path) -> _Signature:
    found: list[tuple[str, int, int]] = []
    try:
        paths = [run_dir / RUN_FILE, *(segment.path for segment in segments_of(run_dir))]
        for path in paths:
            told = path.stat()
            found.append((path.name, told.st_mtime_ns, told.st_size))
    except (ConsoleError, OSError):
        return tuple(found)  # whoever looks into it says what is wrong
    return tuple(found)


def _age(choice: RunChoice) -> tuple[float, str]:
    try:
        return datetime.fromisoformat(choice.started).astimezone().timestamp(), choice.id
    except (ValueError, OverflowError):
        return 0.0, choice.id
