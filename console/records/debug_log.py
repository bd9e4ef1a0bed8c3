"""`debug.log`: a line for every request and test of chosen lanes, for who wants to read along in words.

It stands between the engine and the journal, only where it is asked for, and says nothing that the journal does not.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from console.vocabulary.outcome import TERMINAL
from console.vocabulary.rows import RequestRow, Row, TestRow
from console.vocabulary.safe_text import safe_line
from console.vocabulary.trace import TraceRow

_TEXT = 300
"""Characters of an error or a detail."""


class Rows(Protocol):
    """Where rows go on to."""

    def hold(self, row: Row | TraceRow) -> None:
        """Keep a row for the next `flush`."""
        ...

    def flush(self) -> None:
        """Write what is kept."""
        ...


class DebugLog:
    """Passes rows on, and tells of those of its lanes once they are written. Its file is open as long as the process."""

    def __init__(self, rows: Rows, run_dir: Path, lanes: Collection[str], process: int = 0) -> None:
        """Tell into `debug.log`, or `debug-NN.log` of an engine process that is one of several."""
        self._rows = rows
        self._lanes = frozenset(lanes)
        name = f"debug-{process:02d}.log" if process else "debug.log"
        self._fd = os.open(run_dir / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._held: list[str] = []
        self._broken = False

    def hold(self, row: Row | TraceRow) -> None:
        """Keep a row for the next `flush`."""
        self._rows.hold(row)
        if not self._broken and isinstance(row, RequestRow | TestRow) and row.lane.id in self._lanes:
            self._held.append(debug_line(row))

    def flush(self) -> None:
        """Write what is kept."""
        self._rows.flush()
        if not self._held:
            return
        lines, self._held = self._held, []
        try:
            os.write(self._fd, "".join(lines).encode())
        except OSError:
            self._broken = True  # the journal has all of it, and has to have the room that there is


def debug_line(row: RequestRow | TestRow) -> str:
    """Return a row as one line of words, safe for a terminal."""
    if isinstance(row, RequestRow):
        said = [
            f"request turn {row.turn} try {row.try_no}: {row.outcome}",
            f"waited {_ms(row.limiter_wait_ns)}",
            f"held {_ms(row.held_ns)}" if row.held_ns else "",
            f"after a back-off of {_ms(row.retry_wait_ns)}" if row.retry_wait_ns else "",
            f"TTFT {_ms(row.ttft_ns)}" if row.ttft_ns is not None else "",
            f"took {_ms(row.total_ns)}" if row.total_ns is not None else "",
            f"{row.prompt_tokens} + {row.completion_tokens} tokens" if row.completion_tokens else "",
            f"finish {row.finish_reason}" if row.finish_reason else "",
            row.error or "",
        ]
    else:
        said = [
            f"test: {row.verdict}" + ("" if row.score is None else f", score {row.score:.3g}"),
            f"{row.turns} turns, {row.requests} requests, took {_ms(row.duration_ns)}",
            f"of job {row.job}",
            "" if row.verdict in TERMINAL else row.detail,  # of one with a verdict it may quote the model
        ]
    where = f"{row.at_ns / 1e9:10.3f} s  {row.lane.id}  {row.test} attempt {row.attempt}"
    return f"{safe_line(where, 1000)}  {safe_line(', '.join(filter(None, said)), _TEXT)}\n"


def _ms(ns: int | None) -> str:
    return "?" if ns is None else f"{ns / 1e6:.1f} ms"
