"""The journal of one engine process: rows appended to segments of its own, each with one write (law 4).

A row counts as written once `write(2)` has taken all of it: it then outlives this process. A thread of its own
calls fdatasync within 200 ms, so that at most that much is lost when the machine loses power. Where the disk
takes no more, the bytes not yet taken are kept and `flush` continues with exactly the next one, even in the
middle of a line: no row is lost and none is written twice.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.durable import sync_directory
from console.records.rows_codec import encode_line
from console.vocabulary.errors import ConsoleError
from console.vocabulary.rows import Row
from console.vocabulary.trace import TraceRow

SEGMENT: Final = re.compile(r"(?P<process>\d{2,})-(?P<number>\d{4,})\.jsonl")
JOURNAL: Final = "journal"
"""The folder in the run directory."""
ROTATE_BYTES: Final = 256 * 1024 * 1024
_SYNC_AFTER_S: Final = 0.1
"""Rows gather this long before a sync, which leaves the sync itself 100 ms of the promised 200."""

Write = Callable[[int, memoryview], int]
_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalBlocked(OSError):  # noqa: N818 - a state to wait out, not a mistake
    """The disk takes no rows. What it did not take is kept, and `Journal.flush` tries again."""

    def __init__(self, error: OSError, pending_bytes: int, pending_rows: int) -> None:
        super().__init__(error.errno or errno.EIO, error.strerror or str(error))
        self.pending_bytes = pending_bytes
        self.pending_rows = pending_rows

    def __str__(self) -> str:
        return f"{self.strerror} ({self.pending_rows} rows, {self.pending_bytes} bytes kept)"


class Journal:
    """Appends the rows of one process. Not for several threads: the engine's loop is its only user."""

    def __init__(
        self,
        directory: Path,
        process: int,
        number: int,
        *,
        rotate_bytes: int,
        on_rotate: Callable[[str], None] | None,
        write: Write,
    ) -> None:
        """Begin at segment `number`; use `Journal.open`, which finds it."""
        self._directory = directory
        self._process = process
        self._number = number
        self._rotate_bytes = rotate_bytes
        self._on_rotate = on_rotate
        self._write = write
        self._pending = bytearray()
        """Encoded rows of which the first may be half written."""
        self._torn = False
        """Whether the segment ends in the middle of a line, which only the pending bytes can complete."""
        self._size = 0
        self._closed = False
        self._fd, name = self._new_segment()
        try:
            self._announce(name)
        except BaseException:
            os.close(self._fd)
            raise
        self._syncer = _Syncer(self._fd)

    @classmethod
    def open(
        cls,
        run_dir: Path,
        process: int = 0,
        *,
        folder: str = JOURNAL,
        rotate_bytes: int = ROTATE_BYTES,
        on_rotate: Callable[[str], None] | None = None,
        write: Write = os.write,
    ) -> Journal:
        """Open a new segment of `process` under `run_dir`; never one that exists, whose tail may be torn.

        Args:
            run_dir: the run directory.
            process: number of the engine process; each owns its segments.
            folder: where in the run directory the segments are.
            rotate_bytes: a segment of this size is followed by a new one.
            on_rotate: told the name of every new segment, the first included, as `journal/00-0001.jsonl`.
            write: as `os.write`; replaced by tests of full disks.

        Raises:
            ConsoleError: if no segment can be made there.
        """
        directory = run_dir / folder
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            taken = [
                int(found["number"])
                for name in os.listdir(directory)
                if (found := SEGMENT.fullmatch(name)) is not None and int(found["process"]) == process
            ]
            return cls(
                directory,
                process,
                max(taken, default=0) + 1,
                rotate_bytes=rotate_bytes,
                on_rotate=on_rotate,
                write=write,
            )
        except OSError as error:
            raise ConsoleError(
                f"the {folder} cannot be opened: {error.strerror}", where=str(directory)
            ) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pending_rows(self) -> int:
        """Rows that are not wholly written yet."""
        return self._pending.count(b"\n")

    def append(self, row: Row | TraceRow) -> None:
        """Write one row; it is written when this returns.

        Raises:
            JournalBlocked: if the disk does not take it, or did not keep earlier ones. The row is kept.
        """
        self.hold(row)
        self.flush()

    def hold(self, row: Row | TraceRow) -> None:
        """Keep a row for the next `flush`, so that rows of one moment share a write."""
        self._pending += encode_line(row)

    def flush(self) -> None:
        """Write what is kept, beginning with the rest of a half written line.

        Raises:
            JournalBlocked: if the disk still does not take it.
        """
        if self._closed:
            raise ValueError("the journal is closed")
        try:
            self._syncer.raise_trouble()
            if self._size >= self._rotate_bytes and not self._torn and self._pending:
                self._rotate()
            while self._pending:
                self._write_some()
        except OSError as error:
            raise self._blocked(error) from None

    def close(self) -> None:
        """Write what is kept, make it durable and close. A second call does nothing.

        Raises:
            JournalBlocked: if rows could not be written or made durable; the segment is closed all the same.
        """
        if self._closed:
            return
        try:
            self.flush()
        finally:
            self._closed = True
            self._syncer.stop()
        trouble = self._syncer.trouble
        if trouble is not None:
            raise self._blocked(trouble)

    def _write_some(self) -> None:
        with memoryview(self._pending) as view:
            taken = self._write(self._fd, view)
        if taken == 0:
            raise OSError(errno.ENOSPC, "the file takes no more bytes")
        self._size += taken
        self._torn = self._pending[taken - 1] != ord("\n")
        del self._pending[:taken]
        if (
            not self._syncer.dirty.is_set()
        ):  # cheaper by its lock; what is set is cleared before the next sync
            self._syncer.dirty.set()

    def _rotate(self) -> None:
        self._number += 1
        try:
            fresh, name = self._new_segment()
        except OSError:
            self._number -= 1
            raise
        self._fd, self._size = fresh, 0
        self._syncer.follow(fresh)
        try:
            self._announce(name)
        except ConsoleError as error:
            cause = error.__cause__
            raise cause if isinstance(cause, OSError) else OSError(errno.EIO, error.message) from None

    def _new_segment(self) -> tuple[int, str]:
        name = f"{self._process:02d}-{self._number:04d}.jsonl"
        path = self._directory / name
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            sync_directory(self._directory)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        return fd, f"{self._directory.name}/{name}"

    def _announce(self, name: str) -> None:
        if self._on_rotate is not None:
            self._on_rotate(name)

    def _blocked(self, error: OSError) -> JournalBlocked:
        return JournalBlocked(error, len(self._pending), self.pending_rows)


class _Syncer:
    """Makes written rows durable from a thread of its own, and closes segments once they are."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._retired: list[int] = []
        self._trouble: OSError | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.dirty = threading.Event()
        """Set after every write; the thread sleeps while it is not."""
        # A daemon, so that an engine that dies of an error is not kept alive by it.
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> OSError | None:
        """Why the last sync failed."""
        return self._trouble

    def raise_trouble(self) -> None:
        """Raise, once, why a sync failed since the last call."""
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            self.dirty.set()
            raise trouble

    def follow(self, fd: int) -> None:
        """Go on with a new segment; the old one is synced and closed by the thread."""
        with self._lock:
            self._retired.append(self._fd)
            self._fd = fd
        self.dirty.set()

    def stop(self) -> None:
        """Sync a last time, close the segment and end the thread."""
        self._stop.set()
        self.dirty.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.dirty.wait()
            self._stop.wait(_SYNC_AFTER_S)
            self.dirty.clear()
            with self._lock:
                retired, self._retired = self._retired, []
                current = self._fd
            for fd in retired:
                self._sync(fd, close=True)
            self._sync(current, close=False)
        # What was written between the last sync and the stop, and segments retired meanwhile.
        for fd in [*self._retired, self._fd]:
            self._sync(fd, close=True)

    def _sync(self, fd: int, *, close: bool) -> None:
        try:
            _sync_data(fd)
        except OSError as error:
            self._trouble = error
        finally:
            if close:
                self._close(fd)

    def _close(self, fd: int) -> None:
        try:
            os.close(fd)
        except OSError as error:  # network file systems tell of a full disk only here
            self._trouble = error
