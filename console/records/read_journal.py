"""Reading a journal, whatever state it is in: rows as they come, and a report of what was not one.

Nothing in a journal is fatal to its reader. A line without its end is the trace of a kill or a power cut in the
middle of a write; a line with a wrong checksum was damaged later; a row of an unknown kind was written by a
newer version. Each is counted, located and skipped; so is what is named like a segment and is no regular file,
as reading a pipe or a device may never end. A live run may be read too: its last line may be torn now and whole
a moment later.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from console.records.journal import JOURNAL, SEGMENT
from console.records.rows_codec import DamagedLine, UnknownRow, decode_line
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import TERMINAL
from console.vocabulary.rows import RequestRow, Row, RunEnded, RunStarted, TestRow

_LOCATED: Final = 50
"""Damaged lines that are told one by one; the others are only counted."""
_READ_AHEAD_BYTES: Final = 1024 * 1024
_TAIL_BYTES: Final = 256 * 1024
_HEAD_BYTES: Final = 64 * 1024
SIMULATED_MARK: Final = b',"simulated":true'
"""Only ever a field of a row: inside a text its quotes would be escaped."""
TEST_ROW_MARK: Final = b'{"type":"test",'
_PROMPT_ROW_MARKS: Final = (
    b'{"type":"request","test":"prompt/',
    b'{"type":"request","test":"level/',
)
_RESULT_MARKS: Final = tuple(f',"verdict":"{verdict}"'.encode() for verdict in TERMINAL)
_REUSED_MARK: Final = b',"reused_from":"'
_OK_MARK: Final = b',"outcome":"ok"'
_MOST_TOKENS: Final = 2**53
"""A server may claim any count; up to this one every reader of JSON agrees on its value."""


class Segment(msgspec.Struct, frozen=True):
    """One file of a journal."""

    path: Path
    process: int
    number: int

    @property
    def name(self) -> str:
        """Its name in the run directory, `journal/00-0001.jsonl`."""
        return f"{self.path.parent.name}/{self.path.name}"


class Damage(msgspec.Struct, frozen=True):
    """One line that is not a row."""

    where: str
    """`journal/00-0001.jsonl:17`."""
    reason: str
    torn: bool = False
    """Cut by the end of the file, and not changed later."""


class Damages(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader skipped."""

    torn: int = 0
    """Last lines cut in the middle of a write: their rows had not counted as written."""
    damaged: int = 0
    """Lines with a wrong checksum, or none, or invalid content."""
    implausible: int = 0
    """Rows with a count of tokens that cannot be one, such as -1 or 2**64; they count, without their tokens."""
    unknown: dict[str, int] = {}
    """Whole rows of kinds that only a newer version knows."""
    located: tuple[Damage, ...] = ()
    """The first torn and damaged ones."""

    @property
    def any(self) -> bool:
        """Whether anything was skipped."""
        return bool(self.torn or self.damaged or self.implausible or self.unknown)


class PlacedRow(msgspec.Struct, frozen=True):
    """A row and where it stands."""

    segment: Segment
    line: int
    row: Row


class JournalScan:
    """The rows of a journal in segment order, streamed; the counts are whole once they have been."""

    def __init__(self, segments: tuple[Segment, ...], strays: tuple[Segment, ...] = ()) -> None:
        """Scan `segments`; `strays` are not read, only reported as damage."""
        self.segments = segments
        self.rows = 0
        self.read_bytes = 0
        self._strays = strays
        self._torn = 0
        self._damaged = 0
        self._implausible = 0
        self._unknown: dict[str, int] = {}
        self._located: list[Damage] = []

    def __iter__(self) -> Iterator[Row]:
        for placed in self.placed():
            yield placed.row

    @property
    def damages(self) -> Damages:
        """What has been skipped so far."""
        return Damages(
            torn=self._torn,
            damaged=self._damaged,
            implausible=self._implausible,
            unknown=dict(self._unknown),
            located=tuple(self._located),
        )

    def placed(self) -> Iterator[PlacedRow]:
        """Yield every row with its place; a second pass starts counting again.

        Raises:
            ConsoleError: if a segment cannot be read.
        """
        self.rows = self.read_bytes = self._torn = self._damaged = self._implausible = 0
        self._unknown, self._located = {}, []
        for stray in self._strays:
            self._damaged += 1
            self._locate(stray.name, "not a regular file, so it is not read")
        for segment in self.segments:
            try:
                with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                    for number, line in enumerate(file, start=1):
                        self.read_bytes += len(line)
                        row = self._decode(segment, number, line)
                        if row is not None:
                            self.rows += 1
                            yield PlacedRow(segment, number, row)
            except OSError as error:
                raise ConsoleError(
                    f"cannot be read: {error.strerror or error}", where=str(segment.path)
                ) from error

    def _decode(self, segment: Segment, number: int, line: bytes) -> Row | None:
        try:
            return self._plausible(decode_line(line))
        except UnknownRow as unknown:
            kind = str(unknown)
            self._unknown[kind] = self._unknown.get(kind, 0) + 1
        except DamagedLine as damage:
            torn = not line.endswith(b"\n")
            if torn:
                self._torn += 1
                reason = f"cut after {len(line)} bytes, in the middle of a write"
            else:
                self._damaged += 1
                reason = str(damage)
            self._locate(f"{segment.name}:{number}", reason, torn=torn)
        return None

    def _plausible(self, row: Row) -> Row:
        """Return the row without its tokens where a count of them cannot be one: no figure can use it."""
        if isinstance(row, RequestRow):
            counts = (row.prompt_tokens, row.completion_tokens, row.reasoning_tokens, row.cached_tokens)
        elif isinstance(row, TestRow):
            counts = (row.prompt_tokens, row.completion_tokens)
        else:
            return row
        if all(count is None or 0 <= count <= _MOST_TOKENS for count in counts):
            return row
        self._implausible += 1
        if isinstance(row, TestRow):
            return msgspec.structs.replace(row, prompt_tokens=None, completion_tokens=None)
        return msgspec.structs.replace(
            row, prompt_tokens=None, completion_tokens=None, reasoning_tokens=None, cached_tokens=None
        )

    def _locate(self, where: str, reason: str, *, torn: bool = False) -> None:
        if len(self._located) < _LOCATED:
            self._located.append(Damage(where, reason, torn))


def segments_of(run_dir: Path, folder: str = JOURNAL) -> tuple[Segment, ...]:
    """Return the segments of a run in one of its folders, by process and number. The folder tells, not `run.toml`.

    Raises:
        ConsoleError: if the folder cannot be read.
    """
    return tuple(segment for segment in _named(run_dir, folder) if _is_regular(segment.path))


def _named(run_dir: Path, folder: str = JOURNAL) -> tuple[Segment, ...]:
    directory = run_dir / folder
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror or error}", where=str(directory)) from error
    found = [
        Segment(directory / name, int(match["process"]), int(match["number"]))
        for name in names
        if (match := SEGMENT.fullmatch(name)) is not None
    ]
    return tuple(sorted(found, key=lambda segment: (segment.process, segment.number)))


def read_rows(run_dir: Path) -> JournalScan:
    """Return a scan of a run's journal; an absent journal has no rows."""
    named = _named(run_dir)
    segments = tuple(segment for segment in named if _is_regular(segment.path))
    return JournalScan(segments, tuple(segment for segment in named if segment not in segments))


def read_end(run_dir: Path) -> RunEnded | None:
    """Return how a run ended, from the tail of its journal alone, or None if it did not end in order.

    The first process tells: it ends when all others have. Its last row may be followed by events, but not by the
    start of a resumed run.
    """
    segments = segments_of(run_dir)
    last = max(
        (segment for segment in segments if segment.process == segments[0].process), key=_number, default=None
    )
    row = None if last is None else _last_lifecycle_row(last.path)
    return row if isinstance(row, RunEnded) else None


def _number(segment: Segment) -> int:
    return segment.number


def last_test_rows(run_dir: Path, process: int) -> dict[str, TestRow]:
    """Return the last row of each test that one process played; of other rows nothing is read but the line.

    Raises:
        ConsoleError: if a segment cannot be read.
    """
    found: dict[str, TestRow] = {}
    for segment in segments_of(run_dir):
        if segment.process != process:
            continue
        try:
            with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                for line in file:
                    if line.startswith(TEST_ROW_MARK):
                        with suppress(DamagedLine, UnknownRow):
                            row = decode_line(line)
                            assert isinstance(row, TestRow)
                            found[row.test] = row
        except OSError as error:
            raise ConsoleError(
                f"cannot be read: {error.strerror or error}", where=str(segment.path)
            ) from error
    return found


def count_results(run_dir: Path) -> int:
    """Return how many lines look like a result: a test with a terminal verdict, or a prompt that was answered.

    Nothing is decoded or verified, so a list of runs can afford it; a test judged twice counts twice.

    Raises:
        ConsoleError: if a segment cannot be read.
    """
    found = 0
    for segment in segments_of(run_dir):
        try:
            with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                for line in file:
                    if line.startswith(TEST_ROW_MARK):
                        found += any(mark in line for mark in _RESULT_MARKS) and _REUSED_MARK not in line
                    elif line.startswith(_PROMPT_ROW_MARKS):
                        found += _OK_MARK in line
        except OSError as error:
            raise ConsoleError(
                f"cannot be read: {error.strerror or error}", where=str(segment.path)
            ) from error
    return found


def begins_simulated(run_dir: Path) -> bool:
    """Whether one of the first answers of a run, the head of each process's journal, was simulated."""
    first_of = {segment.process: segment for segment in reversed(segments_of(run_dir))}
    for segment in first_of.values():
        try:
            with opened_segment(segment.path) as file:
                if SIMULATED_MARK in file.read(_HEAD_BYTES):
                    return True
        except OSError as error:
            raise ConsoleError(
                f"cannot be read: {error.strerror or error}", where=str(segment.path)
            ) from error
    return False


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return True  # whoever opens it says why that is not possible


def opened_segment(path: Path, buffering: int = -1) -> BinaryIO:
    """Open a segment, asking again what it is: another file may have taken its name since it was listed."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.fdopen(fd, "rb", buffering)
    except BaseException:
        os.close(fd)
        raise


def _last_lifecycle_row(path: Path) -> RunStarted | RunEnded | None:
    try:
        with opened_segment(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    for line in reversed(lines):
        if not line.startswith((b'{"type":"run_ended"', b'{"type":"run_started"')):
            continue
        try:
            row = decode_line(line)
        except (DamagedLine, UnknownRow):
            continue
        if isinstance(row, (RunStarted, RunEnded)):
            return row
    return None
