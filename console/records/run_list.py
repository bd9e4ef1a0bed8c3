"""Runs as a list: which there are, how each stands, and the one that is meant."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from console.records.planned import read_planned
from console.records.read_journal import begins_simulated, count_results, read_end, read_rows, segments_of
from console.records.run_file import RUN_FILE, read_run_head
from console.records.run_lock import hold_run_lock, is_live
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import TERMINAL, Outcome
from console.vocabulary.rows import RequestRow, RunEnded, TestRow
from console.vocabulary.safe_text import safe_line

RunState = Literal["live", "finished", "interrupted", "partial"]
"""partial: it did not end in order, and its process is gone."""
_COUNTED_BYTES: Final = 4 * 1024 * 1024
"""Journals up to this size are read to count what is done; larger ones only where their end tells it."""
SEARCH: Final = "search"
CAPACITY: Final = ("capacity", SEARCH)
"""Titles of runs that are one level of load, or a search over many; only the plans of these are read to list runs
that have ended."""
_SHOWN: Final = 8
_REMOVED: Final = ".pruned-"


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a list."""

    run_id: str
    title: str
    level: str = ""
    """Of a capacity run: `gpt-4o-mini C=10 rate=inf`."""
    profile: str
    started: str
    """Wall time, ISO 8601 with zone."""
    state: RunState
    done: int | None
    """Tests with a terminal verdict, prompts answered in full; None: it would take long to count them."""
    planned: int | None
    lost: int = 0
    """Done as its last row says, and without a row: lines of its journal are missing. Counted in small journals only."""
    simulated: bool
    """By what was asked, by its end, or by the first answers."""
    run_dir: Path


def run_state(run_dir: Path) -> RunState:
    """Return how a run stands, from its lock and the tail of its journal."""
    return "live" if is_live(run_dir) else _state_of(read_end(run_dir))


def _state_of(ended: RunEnded | None) -> RunState:
    if ended is None:
        return "partial"
    return "interrupted" if ended.state == "interrupted" else "finished"


def run_info(run_dir: Path) -> RunInfo:
    """Return what a list shows of one run.

    Raises:
        ConsoleError: if its `run.toml` cannot be read.
    """
    head = read_run_head(run_dir)
    live = is_live(run_dir)
    ended = None if live else read_end(run_dir)
    plan = read_planned(run_dir) if ended is None or head.title in CAPACITY else None
    lost = 0 if ended is None else _count_lost(run_dir, ended)
    return RunInfo(
        run_id=run_dir.name,
        title=head.title,
        level="" if plan is None else plan.level,
        profile=head.profile,
        started=head.created,
        state="live" if live else _state_of(ended),
        done=ended.done - lost if ended is not None else _count_done(run_dir),
        planned=ended.planned if ended is not None else plan.count if plan is not None else None,
        lost=lost,
        simulated=bool(head.simulated)
        or (ended is not None and ended.simulated)
        or begins_simulated(run_dir),
        run_dir=run_dir,
    )


def _count_lost(run_dir: Path, ended: RunEnded) -> int:
    """Return how many fewer results a journal holds than it ends with; larger ones are not read for it."""
    if sum(segment.path.stat().st_size for segment in segments_of(run_dir)) > _COUNTED_BYTES:
        return 0
    return max(0, ended.done - count_results(run_dir))


def _count_done(run_dir: Path) -> int | None:
    if sum(segment.path.stat().st_size for segment in segments_of(run_dir)) > _COUNTED_BYTES:
        return None
    done: set[str] = set()
    for row in read_rows(run_dir):
        if isinstance(row, TestRow):
            ended = row.verdict in TERMINAL and not row.reused_from
        elif isinstance(row, RequestRow):
            ended = row.outcome is Outcome.OK and row.test.startswith(("prompt/", "level/"))
        else:
            continue
        if ended:
            done.add(row.test)
    return len(done)


def find_runs_in(home: Path) -> list[str]:
    """Return the names of the runs in `home`; a directory that does not exist has none.

    Raises:
        ConsoleError: if it cannot be read.
    """
    try:
        with os.scandir(home) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and entry.is_dir(follow_symlinks=False)  # a link leads to what may be no run of this place
                and os.path.isfile(os.path.join(entry.path, RUN_FILE))
            )
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror or error}", where=str(home)) from error


def list_runs_in(home: Path) -> tuple[RunInfo, ...]:
    """Return the runs in `home`, the newest first. One whose `run.toml` is damaged is shown as partial."""
    found: list[RunInfo] = []
    for name in _newest_first(home, find_runs_in(home)):
        try:
            found.append(run_info(home / name))
        except ConsoleError as error:
            found.append(
                RunInfo(
                    run_id=name,
                    title=f"unreadable: {safe_line(error.message, 60)}",
                    profile="",
                    started="",
                    state="partial",
                    done=None,
                    planned=None,
                    simulated=False,
                    run_dir=home / name,
                )
            )
    return tuple(found)


def pick_run(home: Path, runs: Sequence[str], ref: str | None) -> str:
    """Return the run that `ref` means: an id, the beginning of exactly one, or None for the newest.

    Raises:
        ConsoleError: if it means none, or several.
    """
    if not runs:
        raise ConsoleError(
            f"there are no runs in {home}", hint="start one with `ultra-console run --phase 5.1`"
        )
    if ref is None:
        return _newest_first(home, runs)[0]
    if ref in runs:
        return ref
    meant = [name for name in runs if name.startswith(ref)]
    if len(meant) == 1:
        return meant[0]
    shown = _newest_first(home, meant or runs)
    listed = ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
    if meant:
        raise ConsoleError(
            f"'{safe_line(ref, 80)}' is the beginning of {len(meant)} runs", hint=f"they are {listed}"
        )
    raise ConsoleError(f"there is no run '{safe_line(ref, 80)}'", hint=f"there are {listed}")


def is_own_run(run_dir: Path) -> bool:
    """Whether this is, without doubt, a run as we made it: a real directory, and its `run.toml` names it.

    Anybody may keep a directory with a `run.toml` of their own; only what passes here is ever removed.
    """
    try:
        return stat.S_ISDIR(run_dir.lstat().st_mode) and read_run_head(run_dir).run_id == run_dir.name
    except (OSError, ConsoleError):
        return False


def remove_run(run_dir: Path) -> None:
    """Remove a run for good.

    The directory is first renamed, so that a removal cut short leaves no half run in the list.

    Raises:
        ConsoleError: if it is no run of ours, or lives, or cannot be removed.
    """
    if not is_own_run(run_dir):  # before the lock, which would be a file in somebody else's directory
        raise ConsoleError(
            "is not removed: it is not a run as this program made it",
            where=str(run_dir),
            hint="its run.toml is unreadable or names another run; remove it by hand if you are sure",
        )
    with hold_run_lock(run_dir):
        doomed = run_dir.with_name(_REMOVED + run_dir.name)
        try:
            run_dir.rename(doomed)
            shutil.rmtree(doomed)
        except OSError as error:
            raise ConsoleError(f"cannot be removed: {error.strerror or error}", where=str(run_dir)) from error


def clear_leftovers(home: Path) -> None:
    """Finish removals that were cut short. A link or file of such a name is none, and is left alone.

    Raises:
        ConsoleError: if one cannot be removed.
    """
    for path in home.glob(f"{_REMOVED}*"):
        try:
            if stat.S_ISDIR(path.lstat().st_mode):
                shutil.rmtree(path)
        except FileNotFoundError:
            continue  # another process was faster
        except OSError as error:
            raise ConsoleError(f"cannot be removed: {error.strerror or error}", where=str(path)) from error


def _newest_first(home: Path, runs: Sequence[str]) -> list[str]:
    def age(name: str) -> tuple[float, str]:
        try:
            return read_run_head(home / name).created_at.timestamp(), name
        except (ConsoleError, ValueError, OverflowError):
            return 0.0, name

    return sorted(runs, key=age, reverse=True)
