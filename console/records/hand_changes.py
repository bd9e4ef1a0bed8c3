"""What people changed while a run went on, from its journal: pauses, switches and limits, each with its time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from console.records.read_journal import opened_segment, segments_of
from console.records.rows_codec import DamagedLine, UnknownRow, decode_line
from console.vocabulary.errors import ConsoleError
from console.vocabulary.names import ADAPTED, TUNED
from console.vocabulary.rows import EventRow, LimitRow

_EVENT: Final = b'{"type":"event"'
_LIMIT: Final = b'{"type":"limit"'
_READ_AHEAD_BYTES: Final = 1024 * 1024
_BY_HAND: Final = "by hand"
_KINDS: Final = frozenset(("pause", "resume", "drain", "stop", TUNED, ADAPTED))
"""Events that only a command makes; others are one where their text says so."""


class HandChange(msgspec.Struct, frozen=True):
    """One thing that somebody changed."""

    at_s: float
    """Since the start of its session."""
    subject: str
    """What it was done to; empty: the run."""
    text: str


def hand_changes(run_dir: Path) -> tuple[HandChange, ...]:
    """Return what was changed by hand, in the order of the journal; rows of other kinds are not decoded.

    Raises:
        ConsoleError: if a segment cannot be read.
    """
    found: list[HandChange] = []
    for segment in segments_of(run_dir):
        try:
            with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                for line in file:
                    if line.startswith((_EVENT, _LIMIT)):
                        with suppress(DamagedLine, UnknownRow):
                            found += _change(decode_line(line))
        except OSError as error:
            raise ConsoleError(
                f"cannot be read: {error.strerror or error}", where=str(segment.path)
            ) from error
    return tuple(found)


def _change(row: object) -> list[HandChange]:
    if isinstance(row, EventRow) and (row.kind in _KINDS or _BY_HAND in row.text):
        return [HandChange(row.at_ns / 1e9, row.subject, row.text)]
    if isinstance(row, LimitRow) and row.reason.startswith(_BY_HAND):
        return [
            HandChange(
                row.at_ns / 1e9, row.lane.id, f"{row.what} {_figure(row.before)} → {_figure(row.after)}"
            )
        ]
    return []


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
