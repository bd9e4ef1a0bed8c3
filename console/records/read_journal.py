"""Reading a journal, whatever state it is in: rows as they come, and a report of what was not one.

Nothing in a journal is fatal to its reader. A line without its end is the trace of a kill or a power cut in the
middle of a write; a line with a wrong checksum was damaged later; a row of an unknown kind was written by a
newer version. Each is counted, located and skipped. A live run may be read too: its last line may be torn now
and whole a moment later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from console.records.journal import SEGMENT
from console.records.rows_codec import DamagedLine, UnknownRow, decode_line
from console.vocabulary.errors import ConsoleError
from console.vocabulary.rows import Row, RunEnded, RunStarted

_LOCATED: Final = 50
"""Damaged lines that are told one by one; the others are only counted."""
_READ_AHEAD_BYTES: Final = 1024 * 1024
_TAIL_BYTES: Final = 256 * 1024
_HEAD_BYTES: Final = 64 * 1024
_SIMULATED: Final = b',"simulated":true'
"""Only ever a field of a row: inside a text its quotes would be escaped."""


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
    unknown: dict[str, int] = {}
    """Whole rows of kinds that only a newer version knows."""
    located: tuple[Damage, ...] = ()
    """The first torn and damaged ones."""

    @property
    def any(self) -> bool:
        """Whether anything was skipped."""
        return bool(self.torn or self.damaged or self.unknown)


class PlacedRow(msgspec.Struct, frozen=True):
    """A row and where it stands."""

    segment: Segment
    line: int
    row: Row


class JournalScan:
    """The rows of a journal in segment order, streamed; the counts are whole once they have been."""

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self.segments = segments
        self.rows = 0
        self._torn = 0
        self._damaged = 0
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
            unknown=dict(self._unknown),
            located=tuple(self._located),
        )

    def placed(self) -> Iterator[PlacedRow]:
        """Yield every row with its place; a second pass starts counting again.

        Raises:
            ConsoleError: if a segment cannot be read.
        """
        self.rows = self._torn = self._damaged = 0
        self._unknown, self._located = {}, []
        for segment in self.segments:
            try:
                with segment.path.open("rb", buffering=_READ_AHEAD_BYTES) as file:
                    for number, line in enumerate(file, start=1):
                        row = self._decode(segment, number, line)
                        if row is not None:
                            self.rows += 1
                            yield PlacedRow(segment, number, row)
            except OSError as error:
                raise ConsoleError(f"cannot be read: {error.strerror}", where=str(segment.path)) from error

    def _decode(self, segment: Segment, number: int, line: bytes) -> Row | None:
        try:
            return decode_line(line)
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
            if len(self._located) < _LOCATED:
                self._located.append(Damage(f"{segment.name}:{number}", reason, torn))
        return None


def segments_of(run_dir: Path) -> tuple[Segment, ...]:
    """Return the segments of a run, by process and number. The directory tells, not `run.toml`.

    Raises:
        ConsoleError: if the journal's directory cannot be read.
    """
    directory = run_dir / "journal"
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror}", where=str(directory)) from error
    found = [
        Segment(directory / name, int(match["process"]), int(match["number"]))
        for name in names
        if (match := SEGMENT.fullmatch(name)) is not None
    ]
    return tuple(sorted(found, key=lambda segment: (segment.process, segment.number)))


def read_rows(run_dir: Path) -> JournalScan:
    """Return a scan of a run's journal; an absent journal has no rows."""
    return JournalScan(segments_of(run_dir))


def read_end(run_dir: Path) -> RunEnded | None:
    """Return how a run ended, from the tail of its journal alone, or None if it did not end in order.

    The row may be followed by events, but not by the start of a resumed run.
    """
    ended: RunEnded | None = None
    last_of = {segment.process: segment for segment in segments_of(run_dir)}
    for segment in last_of.values():
        last = _last_lifecycle_row(segment.path)
        if not isinstance(last, RunEnded):
            return None
        ended = ended or last
    return ended


def begins_simulated(run_dir: Path) -> bool:
    """Whether one of the first answers of a run, the head of each process's journal, was simulated."""
    first_of = {segment.process: segment for segment in reversed(segments_of(run_dir))}
    for segment in first_of.values():
        try:
            with segment.path.open("rb") as file:
                if _SIMULATED in file.read(_HEAD_BYTES):
                    return True
        except OSError as error:
            raise ConsoleError(f"cannot be read: {error.strerror}", where=str(segment.path)) from error
    return False


def _last_lifecycle_row(path: Path) -> RunStarted | RunEnded | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror}", where=str(path)) from error
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
