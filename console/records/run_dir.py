"""Run directories: where they are, how they are named, made, found and listed.

    $XDG_STATE_HOME/ultra-console/runs/20261120-231507-5.1-sim/

Directories are 0700 and files 0600. This module is the door to the room's parts that deal with them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import platformdirs

from console.records.run_file import RunFile, RunHead, read_run_file, read_run_head, write_run_file
from console.records.run_list import RunInfo, RunState, find_runs_in, list_runs_in, pick_run
from console.records.run_lock import hold_run_lock, is_live
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line

__all__ = [
    "RunFile",
    "RunHead",
    "RunInfo",
    "RunState",
    "create_run_dir",
    "find_run",
    "hold_run_lock",
    "is_live",
    "list_runs",
    "new_run_id",
    "read_run_file",
    "read_run_head",
    "runs_home",
    "write_run_file",
]

_APP: Final = "ultra-console"
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,99}")
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9._+-]+")


def runs_home(*, create: bool = True) -> Path:
    """Return where runs are by default, made 0700 unless `create` is false.

    Raises:
        ConsoleError: if it cannot be made.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    if base and os.path.isabs(base):
        home = Path(base) / _APP / "runs"
    else:
        home = platformdirs.user_state_path(_APP, appauthor=False) / "runs"
    if create:
        _make_parents(home)
    return home


def new_run_id(now: datetime, phase_label: str, profile_name: str, out: Path | None = None) -> str:
    """Return `20261120-231507-5.1-sim`, or with `-2`, `-3` … behind it where that is taken.

    Args:
        now: the wall time of the run's start.
        phase_label: such as `5.1`; characters that no name should hold become `-`.
        profile_name: such as `sim`.
        out: where the run will be; None: in `runs_home()`.
    """
    parts = [now.strftime("%Y%m%d-%H%M%S"), _word(phase_label, 40), _word(profile_name, 30)]
    home = out if out is not None else runs_home(create=False)
    names = _numbered("-".join(filter(None, parts)))
    return next(name for name in names if not os.path.lexists(home / name))  # False also where it cannot be


def create_run_dir(home_or_out: Path | None, run_id: str, *, numbered: bool = False) -> Path:
    """Make the run directory, 0700, and return it.

    Args:
        home_or_out: the directory to make it in; None: `runs_home()`.
        run_id: its name.
        numbered: take the next free name `run_id-2` … where another run has taken it in the meantime.

    Raises:
        ConsoleError: if the name is none, or taken, or nothing can be written there; nothing is left behind.
    """
    if _RUN_ID.fullmatch(run_id) is None:
        raise ConsoleError(
            f"{safe_line(run_id, 120)!r} is no name for a run",
            hint="letters, digits, and . _ + @ - behind the first; 100 at most",
        )
    home = runs_home(create=False) if home_or_out is None else home_or_out
    _refuse_other_than_utf8(home.absolute())
    made = _make_parents(home)
    try:
        return _make_new(home, run_id, numbered=numbered)
    except ConsoleError:
        for path in made:
            path.rmdir()
        raise


def _make_new(home: Path, run_id: str, *, numbered: bool) -> Path:
    for name in _numbered(run_id):
        path = home / name
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            if numbered:
                continue
            raise ConsoleError(
                "exists already",
                where=str(path),
                hint=f"`ultra-console summary {path}` shows it; another --run-id makes a new one",
            ) from None
        except OSError as error:
            raise ConsoleError(f"cannot be made: {error.strerror or error}", where=str(path)) from error
        path.chmod(0o700)  # whatever the umask took away
        return path.absolute()
    raise AssertionError("names never end")


def _refuse_other_than_utf8(home: Path) -> None:
    """Refuse a path that run.toml, snapshots and summaries, which are all UTF-8, could not name."""
    try:
        str(home).encode()
    except UnicodeEncodeError:
        raise ConsoleError(
            "cannot hold runs: its path is not UTF-8 text",
            where=safe_line(os.fsencode(home).decode("utf-8", "backslashreplace")),
            hint="--out names another place",
        ) from None


def find_run(ref: str | None = None) -> Path:
    """Find a run: by directory, by id, by the unique beginning of an id, or the newest.

    Raises:
        ConsoleError: if there is none, or more than one; it names those that there are.
    """
    if ref is not None and ("/" in ref or ref in (".", "..")):
        path = Path(ref).absolute()
        read_run_head(path)
        return path
    home = runs_home(create=False)
    runs = find_runs_in(home)
    if ref is not None and not any(name.startswith(ref) for name in runs) and Path(ref).is_dir():
        path = Path(ref).absolute()
        read_run_head(path)
        return path
    return home / pick_run(home, runs, ref)


def list_runs(home: Path | None = None) -> tuple[RunInfo, ...]:
    """Return the runs of `home` (None: `runs_home()`), the newest first.

    Raises:
        ConsoleError: if the directory cannot be read.
    """
    return list_runs_in(home if home is not None else runs_home(create=False))


def _word(text: str, limit: int) -> str:
    return _NOT_IN_ID.sub("-", text)[:limit].strip("-.")


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _make_parents(home: Path) -> list[Path]:
    """Make `home` and what is missing above it, 0700; return what was made, the innermost first."""
    missing: list[Path] = []
    made: list[Path] = []
    try:
        for path in [home, *home.parents]:
            if path.exists():
                break
            missing.append(path)
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            made.insert(0, path)
        if not home.is_dir():
            raise NotADirectoryError(20, "Not a directory")
    except OSError as error:
        for path in made:
            path.rmdir()
        raise ConsoleError(
            f"cannot hold runs: {error.strerror or error}", where=str(home), hint="--out names another place"
        ) from error
    return made
