"""Where the traces of each test are: one pass over `traces/`, after which any test is found at once.

Whoever reads one test of a large run after the other would else read all that was said in it for each of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from console.records.paired_writer import TRACES
from console.records.read_journal import Damage, Damages, opened_segment, segments_of
from console.records.read_traces import FoundTraces
from console.records.rows_codec import DamagedLine, decode_trace
from console.vocabulary.errors import ConsoleError
from console.vocabulary.trace import TraceRow

_START: Final = b'{"type":"trace","test":"'
_READ_AHEAD_BYTES: Final = 1024 * 1024
_MOST_ID_BYTES: Final = 1_000
_MOST_LINE_BYTES: Final = 64 * 1024 * 1024


class _Spot(msgspec.Struct, frozen=True, gc=False):
    """One line of a segment."""

    path: str
    name: str
    """As damages name it, with the number of the line."""
    start: int
    length: int


class TraceIndex:
    """Finds the traces of tests; what a live run has written since is looked at whenever one is asked for."""

    def __init__(self, run_dir: Path) -> None:
        """Index the traces of a run when they are first asked for."""
        self._run_dir = run_dir
        self._spots: dict[bytes, list[_Spot]] = {}
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
        for spot in self._spots.get(_quoted(test), ()):
            try:
                trace = decode_trace(_line_at(spot))
            except DamagedLine as damage:
                located.append(Damage(spot.name, str(damage)))
                continue
            if trace.test == test:
                attempts.append(trace)
        attempts.sort(key=lambda trace: trace.attempt)  # stable: what a process wrote later comes later
        return FoundTraces(tuple(attempts), Damages(damaged=len(located), located=tuple(located)))

    def _look(self) -> None:
        for segment in segments_of(self._run_dir, TRACES):
            start, number = self._reached.get(segment.path, (0, 0))
            try:
                with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                    file.seek(start)
                    while (line := file.readline(_MOST_LINE_BYTES)).endswith(b"\n"):
                        number += 1
                        self._note(
                            line, _Spot(str(segment.path), f"{segment.name}:{number}", start, len(line))
                        )
                        start += len(line)
            except OSError as error:
                raise ConsoleError(
                    f"cannot be read: {error.strerror or error}", where=str(segment.path)
                ) from error
            self._reached[segment.path] = start, number

    def _note(self, line: bytes, spot: _Spot) -> None:
        if line.startswith(_START):
            end = line.find(b'","', len(_START), len(_START) + _MOST_ID_BYTES)
            if end > 0:
                self._spots.setdefault(line[len(_START) : end], []).append(spot)


def _quoted(test: str) -> bytes:
    """Return an id as it stands between quotes in a line."""
    return msgspec.json.encode(test)[1:-1]


def _line_at(spot: _Spot) -> bytes:
    try:
        with opened_segment(Path(spot.path)) as file:
            file.seek(spot.start)
            return file.read(spot.length)
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror or error}", where=spot.path) from error
