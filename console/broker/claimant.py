"""A process that claims things for as long as it lives: it holds the lock of a file of its own.

The kernel drops the lock when the process dies, however it dies, so its claims are known to be void at once. One
that is stopped lives: its requests are in flight. No process id can be mistaken for a later one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from typing import Final

from console.broker.place import Place
from console.broker.unusable import ShareError

_TOUCH_NS: Final = 3_600_000_000_000
_LOOK_NS: Final = 1_000_000_000
_ID_BITS: Final = 62
_TRIES: Final = 3


class Claimant:
    """This process, until `close` or its death."""

    def __init__(self, place: Place) -> None:
        """Make and lock the file.

        Raises:
            ShareError: if it cannot be made.
        """
        self.id = 1 + secrets.randbits(_ID_BITS)
        """Under this number claims are written down; there is no other of this number."""
        self._path = place.folder / _file_name(self.id)
        self._place = place
        self._look_at_ns = self._touch_at_ns = 0
        self._fd = self._open()

    def _open(self) -> int:
        for left in reversed(range(_TRIES)):
            fd = self._place.open(_file_name(self.id))
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(fd)
                if not left:  # else it was somebody who looked whether we live, and removes it
                    reason = error.strerror or str(error)
                    raise ShareError(f"cannot be locked: {reason}", where=str(self._path)) from None
            else:
                return fd
        raise AssertionError("the last try returns or raises")

    def keep(self, now_ns: int) -> None:
        """See to it that the file is there, and touch it once an hour, so that nothing takes it for an old one.

        Without it others would take this process for dead.

        Raises:
            ShareError: if the system refuses.
        """
        if now_ns < self._look_at_ns:
            return
        self._look_at_ns = now_ns + _LOOK_NS
        try:
            if os.fstat(self._fd).st_nlink == 0:
                removed, self._fd = self._fd, self._open()
                os.close(removed)
            if now_ns < self._touch_at_ns:
                return
            self._touch_at_ns = now_ns + _TOUCH_NS
            os.utime(self._fd)
        except OSError as error:
            raise ShareError(f"cannot be touched: {error.strerror}", where=str(self._path)) from None

    def close(self) -> None:
        """Give up every claim."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # what counts is the lock
                self._path.unlink()
            os.close(self._fd)
            self._fd = -1


def lives(place: Place, claimant: int) -> bool:
    """Whether the claimant of this number still runs; the file of a dead one is removed."""
    path = place.folder / _file_name(claimant)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it cannot be told, and a living claim must not be lost
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        with contextlib.suppress(OSError):  # dead all the same
            path.unlink()
        return False
    finally:
        os.close(fd)


def _file_name(claimant: int) -> str:
    return f"alive-{claimant:016x}"
