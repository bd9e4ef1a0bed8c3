"""Whether a run lives: its engine holds a lock on the run directory, which ends with the process.

A process id alone can belong to a stranger after a restart, and a lock alone can outlive its engine in a child
that inherited it; a run lives where both say so.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from console.vocabulary.errors import ConsoleError

LOCK_FILE: Final = ".lock"
_PATIENCE_S: Final = 0.5
"""A lock that only a look at the run holds is free again within this time."""
_PAUSE_S: Final = 0.01


@contextmanager
def hold_run_lock(run_dir: Path) -> Generator[None]:
    """Hold the run's lock, with this process's id in it.

    Links are not followed, neither as the directory nor as the lock: they lead to what is not of the run.

    Raises:
        ConsoleError: if another process holds it, or it cannot be made.
    """
    path = run_dir / LOCK_FILE
    try:
        fd = _open_lock(run_dir)
    except OSError as error:
        raise ConsoleError(f"cannot be made: {error.strerror or error}", where=str(path)) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ConsoleError("is in the way of the run's lock: it is not a regular file", where=str(path))
        if not _locked(fd, path):
            raise ConsoleError(
                f"the run is held by process {_pid_in(fd) or 'unknown'}",
                where=str(run_dir),
                hint="watch it with `ultra-console attach`, or end it with `ultra-console stop`",
            )
        _write_pid(fd, path)
        yield
    finally:
        os.close(fd)


def is_live(run_dir: Path) -> bool:
    """Whether an engine runs this run now."""
    try:
        fd = os.open(run_dir / LOCK_FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _pid_in(fd)
            return pid is None or process_exists(pid)  # no id yet: its holder has only just begun
        except OSError:
            return False
        return False
    finally:
        os.close(fd)


def _open_lock(run_dir: Path) -> int:
    directory = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW
        return os.open(LOCK_FILE, flags, 0o600, dir_fd=directory)
    finally:
        os.close(directory)


def _locked(fd: int, path: Path) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_S)
        except OSError as error:
            raise ConsoleError(f"cannot be locked: {error.strerror}", where=str(path)) from error
        else:
            return True


def _write_pid(fd: int, path: Path) -> None:
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _pid_in(fd: int) -> int | None:
    try:
        return int(os.pread(fd, 32, 0))
    except (OSError, ValueError):
        return None


def process_exists(pid: int) -> bool:
    """Whether there is a process of this id, ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
