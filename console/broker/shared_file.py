"""A small file of 64-bit words that several processes map into their memory, and its lock.

A word is written in one store: a process killed at any moment leaves the old one or the new one. The lock is the
kernel's (`flock`) and is held for microseconds; who does not get it within a millisecond goes without, and comes
again. So a process that was stopped while it held the lock makes others wait, and never blocks their loop.

One object belongs to one thread, and to the process that made it: a fork would share its lock.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from collections.abc import Callable
from typing import Final

from console.broker.naming import digest
from console.broker.place import RETIRED_AT, Place
from console.broker.unusable import ShareError

PAYLOAD: Final = 8
"""The first word that belongs to whoever uses the file."""
_MARK: Final = 0
_RETIRED: Final = RETIRED_AT // 8
_HOLDER: Final = 2
_PATIENCE_NS: Final = 1_000_000
_SPINS: Final = 8
_PAUSE_S: Final = 20e-6
_LOOK_NS: Final = 1_000_000_000
_TOUCH_NS: Final = 3_600_000_000_000
_OPENING_S: Final = 0.2
_EXCLUSIVE: Final = fcntl.LOCK_EX | fcntl.LOCK_NB


class SharedFile:
    """The words of one file. They may be read at any time, and changed while `lock` has said yes."""

    def __init__(
        self, place: Place, kind: str, name: str, payload_words: int, blank: Callable[[bool], None]
    ) -> None:
        """Open it.

        Args:
            place: the folder.
            kind: what is in the file; part of its name.
            name: whose limit it is.
            payload_words: how many words there are for its user, all 0 at first.
            blank: called under the lock after the words were set to 0; true: the file had held something else,
                so what happened before is not known.

        Raises:
            ShareError: if it cannot be opened.
        """
        self._place = place
        self.file_name = place.file_name(kind, name)
        self._mark = int(digest("words 1", kind, place.boot, str(payload_words))[:15], 16)
        self._count = PAYLOAD + payload_words
        self._blank = blank
        self._pid = os.getpid()
        self._look_at_ns = 0
        self._touch_at_ns = 0
        self.misses = 0
        """How many times running the lock was not to be had."""
        self._fd = -1
        self._open()

    @property
    def holder_pid(self) -> int:
        """The process that holds the lock, 0 if nobody does; to tell who keeps others waiting."""
        return self.words[_HOLDER]

    def lock(self, now_ns: int) -> bool:
        """Take the lock, with words that are in order; False: not within a millisecond, come again.

        Raises:
            ShareError: if the file can no longer be used.
        """
        try:
            fcntl.flock(self._fd, _EXCLUSIVE)
        except OSError as error:
            if not self._is_free_soon(error):
                return False
        self.misses = 0
        words = self.words
        if now_ns >= self._look_at_ns or words[_RETIRED] or words[_MARK] != self._mark:
            try:
                in_order = self._look(now_ns)
            except BaseException:
                self._release()
                raise
            if not in_order:
                self.misses += 1
                return False
            words = self.words
        words[_HOLDER] = self._pid
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        self.words[_HOLDER] = 0
        self._release()

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        if self._fd < 0:
            return
        self.words.release()
        self.octets.release()
        self._map.close()
        os.close(self._fd)
        self._fd = -1

    def _release(self) -> None:
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _is_free_soon(self, error: OSError) -> bool:
        """Whether the lock, which could not be had because of `error`, was had within a millisecond after all."""
        if not isinstance(error, BlockingIOError):
            raise self._unusable(error) from None
        # Nobody is waited for twice: a holder that outlasted a millisecond has been stopped.
        if not self.misses and self._wait_for_lock():
            return True
        self.misses += 1
        return False

    def _wait_for_lock(self) -> bool:
        deadline_ns = time.perf_counter_ns() + _PATIENCE_NS
        tried = 0
        while time.perf_counter_ns() < deadline_ns:
            tried += 1
            if tried > _SPINS:
                time.sleep(_PAUSE_S)
            try:
                fcntl.flock(self._fd, _EXCLUSIVE)
            except BlockingIOError:
                continue
            return True
        return False

    def _look(self, now_ns: int) -> bool:
        """Put the file in order while its lock is held; False: it was replaced, and the new one is locked."""
        try:
            if self.words[_RETIRED] or os.fstat(self._fd).st_nlink == 0:
                self._open()
                if not self._wait_for_lock():
                    return False
            if now_ns >= self._touch_at_ns:
                os.utime(self._fd)
                self._touch_at_ns = now_ns + _TOUCH_NS
        except OSError as error:
            raise self._unusable(error) from None
        self._look_at_ns = now_ns + _LOOK_NS
        if self.words[_MARK] != self._mark:
            known = not any(self.words)
            for index in range(1, self._count):
                self.words[index] = 0
            self._blank(not known)
            self.words[_MARK] = self._mark  # last: who is killed before it leaves a file that is not in order
        return True

    def _open(self) -> None:
        """Open and map the file, in place of one that was open; if it cannot be, that one stays."""
        fd = self._place.open(self.file_name)
        try:
            size = self._count * 8
            if os.fstat(fd).st_size < size:
                self._grow(fd, size)
            mapped = mmap.mmap(fd, size)
        except (OSError, ValueError) as error:
            os.close(fd)
            raise self._unusable(error) from None
        except BaseException:
            os.close(fd)
            raise
        self.close()
        self._fd = fd
        self._map = mapped
        self.octets = memoryview(mapped)
        self.words = self.octets.cast("q")

    def _grow(self, fd: int, size: int) -> None:
        """Write zeros behind what is there, so that the disk has room for all of it before it is mapped."""
        deadline_s = time.monotonic() + _OPENING_S
        while True:
            try:
                fcntl.flock(fd, _EXCLUSIVE)
                break
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    raise ShareError(
                        "is held by a process that does not go on", where=self.file_name
                    ) from None
                time.sleep(0.001)
        found = os.fstat(fd).st_size
        if found < size:
            os.pwrite(fd, bytes(size - found), found)
        fcntl.flock(fd, fcntl.LOCK_UN)

    def _unusable(self, error: Exception) -> ShareError:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return ShareError(f"cannot be used: {reason}", where=str(self._place.folder / self.file_name))
