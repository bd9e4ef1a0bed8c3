"""How the client kept up over a whole run, from the rows that each engine process wrote of itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from console.records.read_journal import opened_segment, segments_of
from console.records.rows_codec import DamagedLine, UnknownRow, decode_line
from console.vocabulary.client_health import (
    FLOOR,
    LEAST_MS,
    SEVERITY,
    SUSPECT_SHARE,
    ClientHealth,
    ClientMeasure,
    bound_ms,
    judge_client,
)
from console.vocabulary.errors import ConsoleError
from console.vocabulary.log_buckets import add_counts
from console.vocabulary.rows import ClientRow

_MARK: Final = b'{"type":"client"'


class _Process:
    """One process: its delays together, and which windows had any worth a word."""

    def __init__(self) -> None:
        self.read_delay: dict[int, int] = {}
        self.loop_lag: dict[int, int] = {}
        self.schedule_delay: dict[int, int] = {}
        self.cpu_ns = 0
        self.waited_ns = 0
        self.wall_ns = 0
        self.slow_windows: list[tuple[float, int]] = []
        """p99 of the worst delay in ms, and wall time in ns, of rows over the least bound; the others are fine
        whatever the TTFT was."""

    def add(self, measure: ClientMeasure) -> None:
        add_counts(self.read_delay, measure.read_delay)
        add_counts(self.loop_lag, measure.loop_lag)
        add_counts(self.schedule_delay, measure.schedule_delay)
        self.cpu_ns += measure.cpu_ns
        self.waited_ns += measure.waited_ns
        self.wall_ns += measure.wall_ns
        alone = judge_client(measure, None)
        if alone.samples >= FLOOR and alone.worst_ms > LEAST_MS:
            self.slow_windows.append((alone.worst_ms, measure.wall_ns))

    def health(self, ttft_p50_ms: float | None) -> ClientHealth:
        whole = ClientMeasure(
            read_delay=self.read_delay,
            loop_lag=self.loop_lag,
            schedule_delay=self.schedule_delay,
            cpu_ns=self.cpu_ns,
            waited_ns=self.waited_ns,
            wall_ns=self.wall_ns,
        )
        bound = bound_ms(SUSPECT_SHARE, ttft_p50_ms)
        over_ns = sum(wall_ns for worst_ms, wall_ns in self.slow_windows if worst_ms > bound)
        return msgspec.structs.replace(judge_client(whole, ttft_p50_ms), over_s=over_ns / 1e9)


class ClientTally:
    """Adds up the rows of a run, process by process, in bounded memory."""

    def __init__(self) -> None:
        self._processes: dict[int, _Process] = {}

    def add(self, process: int, row: ClientRow) -> None:
        """Take in a row of the process with that number."""
        self._processes.setdefault(process, _Process()).add(row.measure)

    def health(self, ttft_p50_ms: float | None) -> ClientHealth | None:
        """Return the verdict on the worst process, which bears its number where there are several.

        Args:
            ttft_p50_ms: median TTFT of the run, where it is known.

        Returns:
            None if no process wrote of itself, as older versions do not.
        """
        return worst_health(
            {process: found.health(ttft_p50_ms) for process, found in sorted(self._processes.items())}
        )


def worst_health(of_process: dict[int, ClientHealth]) -> ClientHealth | None:
    """Return the worst verdict, the one with the longest delay among equals."""
    if not of_process:
        return None

    def badness(process: int) -> tuple[int, float]:
        return SEVERITY[of_process[process].verdict], of_process[process].worst_ms

    worst = max(of_process, key=badness)
    health = of_process[worst]
    if len(of_process) > 1 and health.reason:
        reason = f"process {worst} of {len(of_process)}: {health.reason}"
        return msgspec.structs.replace(health, reason=reason)
    return health


def client_health(run_dir: Path, ttft_p50_ms: float | None) -> ClientHealth | None:
    """Return the verdict on the client of a run from its journal, reading no other row than those it needs.

    Raises:
        ConsoleError: if a segment cannot be read.
    """
    tally = ClientTally()
    for segment in segments_of(run_dir):
        try:
            with opened_segment(segment.path) as file:
                for row in _client_rows(file):
                    tally.add(segment.process, row)
        except OSError as error:
            raise ConsoleError(
                f"cannot be read: {error.strerror or error}", where=str(segment.path)
            ) from error
    return tally.health(ttft_p50_ms)


def _client_rows(lines: Iterable[bytes]) -> Iterable[ClientRow]:
    for line in lines:
        if not line.startswith(_MARK):
            continue
        try:
            row = decode_line(line)
        except (DamagedLine, UnknownRow):
            continue  # the summary counts and tells them
        if isinstance(row, ClientRow):
            yield row
