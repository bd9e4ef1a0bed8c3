"""Where the traces of each test are: one pass over `traces/`, after which any test is found at once.

Whoever reads one test of a large run after the other would else read all that was said in it for each of them.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Final

import msgspec

from console.records.paired_writer import TRACES
from console.records.read_journal import Damage, Damages, Segment, opened_segment, segments_of
from console.records.read_traces import FoundTraces
from console.records.rows_codec import DamagedLine, decode_trace
from console.vocabulary.errors import ConsoleError
from console.vocabulary.trace import TraceRow

_START: Final = b'{"type":"trace","test":"'
_READ_AHEAD_BYTES: Final = 1024 * 1024
_MOST_ID_BYTES: Final = 1_000
_WORDS: Final = 5
_MOST_LINE_BYTES: Final = 64 * 1024 * 1024


class TraceIndex:
    """Finds the traces of tests; what a live run has written since is looked at whenever one is asked for."""

    def __init__(self, run_dir: Path) -> None:
        """Index the traces of a run when they are first asked for."""
        self._run_dir = run_dir
        self._segments: list[Segment] = []
        self._places = array("q")
        """Of each line: segment, number, start, length, and which line tells of the same test before it (-1: none)."""
        self._last: dict[bytes, int] = {}
        """Of each test: its last line. Numbers alone, as the garbage collector would walk objects on the screen's time."""
        self._reached: dict[Path, tuple[int, int]] = {}
        """Of each segment: bytes and lines that have been looked at."""

    def find(self, test: str) -> FoundTraces:
        """Return the traces of a test, in the order of their attempts; a run without traces has none.

        Raises:
            ConsoleError: if a segment cannot be read.
        """
        self._look()
        attempts: list[TraceRow] = []
        located: list[Damage] = []
        for segment, number, start, length in self._lines_of(test):
            try:
                trace = decode_trace(_line_at(segment, start, length))
            except DamagedLine as damage:
                located.append(Damage(f"{segment.name}:{number}", str(damage)))
                continue
            if trace.test == test:
                attempts.append(trace)
        attempts.sort(key=lambda trace: trace.attempt)  # stable: what a process wrote later comes later
        return FoundTraces(tuple(attempts), Damages(damaged=len(located), located=tuple(located)))

    def _lines_of(self, test: str) -> list[tuple[Segment, int, int, int]]:
        """Return where a test is told of, in the order of writing."""
        found: list[tuple[Segment, int, int, int]] = []
        line = self._last.get(msgspec.json.encode(test)[1:-1], -1)
        while line >= 0:
            segment, number, start, length, line = self._places[_WORDS * line : _WORDS * (line + 1)]
            found.insert(0, (self._segments[segment], number, start, length))
        return found

    def _look(self) -> None:
        for segment in segments_of(self._run_dir, TRACES):
            start, number = self._reached.get(segment.path, (0, 0))
            try:
                if segment.path.stat().st_size <= start:
                    continue
                self._segments.append(segment)
                with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                    file.seek(start)
                    while (line := file.readline(_MOST_LINE_BYTES)).endswith(b"\n"):
                        number += 1
                        self._note(line, number, start)
                        start += len(line)
            except OSError as error:
                raise ConsoleError(
                    f"cannot be read: {error.strerror or error}", where=str(segment.path)
                ) from error
            self._reached[segment.path] = start, number

    def _note(self, line: bytes, number: int, start: int) -> None:
        if line.startswith(_START):
            end = line.find(b'","', len(_START), len(_START) + _MOST_ID_BYTES)
            if end > 0:
                test = line[len(_START) : end]
                before = self._last.get(test, -1)
                self._last[test] = len(self._places) // _WORDS
                self._places.extend((len(self._segments) - 1, number, start, len(line), before))


def _line_at(segment: Segment, start: int, length: int) -> bytes:
    try:
        with opened_segment(segment.path) as file:
            file.seek(start)
            return file.read(length)
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror or error}", where=str(segment.path)) from error
