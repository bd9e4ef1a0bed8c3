"""Reading what was said in one test: its traces are found without decoding, or holding, those of other tests.

As in a journal, nothing is fatal: a line cut by a kill or changed later is counted, located and skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from console.records.paired_writer import TRACES
from console.records.read_journal import Damage, Damages, Segment, opened_segment, segments_of
from console.records.rows_codec import DamagedLine, decode_trace
from console.vocabulary.errors import ConsoleError
from console.vocabulary.trace import TraceRow

_READ_AHEAD_BYTES: Final = 1024 * 1024
_MOST_LINE_BYTES: Final = 64 * 1024 * 1024
"""What has no newline in so many bytes is no line of ours, and is read in pieces that are forgotten."""
_START: Final = b'{"type":"trace","test":'


class FoundTraces(msgspec.Struct, frozen=True):
    """What traces there are of one test."""

    attempts: tuple[TraceRow, ...]
    """In the order of their attempts."""
    damages: Damages
    """Of the lines that were this test's, or nobody's."""


def find_traces(run_dir: Path, test: str) -> FoundTraces:
    """Return the traces of a test; a run without traces has none.

    Raises:
        ConsoleError: if a segment cannot be read.
    """
    wanted = _START + msgspec.json.encode(test) + b","
    found: list[TraceRow] = []
    located: list[Damage] = []
    torn = damaged = 0
    for segment in segments_of(run_dir, TRACES):
        for number, line in _lines(segment):
            if line.startswith(_START) and not line.startswith(wanted) and line.endswith(b"\n"):
                continue
            try:
                trace = decode_trace(line)
            except DamagedLine as damage:
                cut = not line.endswith(b"\n")
                torn, damaged = torn + cut, damaged + (not cut)
                reason = f"cut after {len(line)} bytes, in the middle of a write" if cut else str(damage)
                located.append(Damage(f"{segment.name}:{number}", reason, cut))
                continue
            if trace.test == test:
                found.append(trace)
    found.sort(key=_attempt_no)  # stable: what a process wrote later comes later
    return FoundTraces(tuple(found), Damages(torn=torn, damaged=damaged, located=tuple(located[:50])))


def counted_first(attempts: tuple[TraceRow, ...], attempt: int, verdict: str) -> tuple[TraceRow, ...]:
    """Return traces with the one of the row that counts first, the others behind it in their order.

    A process killed between trace and row leaves a trace whose attempt was made again; the later one has the row.
    """
    counted = [one for one in attempts if one.attempt == attempt and one.verdict == verdict][-1:]
    return (*counted, *(one for one in attempts if not any(one is other for other in counted)))


def _lines(segment: Segment) -> Iterator[tuple[int, bytes]]:
    try:
        with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
            number = 0
            while line := file.readline(_MOST_LINE_BYTES):
                number += 1
                if len(line) == _MOST_LINE_BYTES and not line.endswith(b"\n"):
                    line = b"\n"  # nothing of it is of use
                    _skip_line(file)
                yield number, line
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror or error}", where=str(segment.path)) from error


def _skip_line(file: BinaryIO) -> None:
    while (piece := file.readline(_MOST_LINE_BYTES)) and not piece.endswith(b"\n"):
        pass


def _attempt_no(trace: TraceRow) -> int:
    return trace.attempt
