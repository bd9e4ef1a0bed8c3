"""From the journal to tables: verified rows go into Parquet parts batch by batch, so memory stays bounded.

Parts, and not the JSON lines themselves, are what Polars reads: a journal may hold torn and damaged lines, on
which a scan of JSON lines stops. Only the counted row of each test goes into `tests`.
"""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec
import polars as pl

from console.durable import put_in_place
from console.records.client_rows import ClientTally
from console.records.columns import REQUESTS, TESTS, Column, Entry, entry_of, frame, schema
from console.records.read_journal import Damages, read_rows
from console.records.run_file import read_run_file, simulated_providers
from console.vocabulary.errors import ConsoleError
from console.vocabulary.names import ADAPTED, PROCESS_LOST, TUNED
from console.vocabulary.outcome import TERMINAL, Verdict
from console.vocabulary.rows import ClientRow, EventRow, LevelRow, LimitRow, RequestRow, RunEnded, RunStarted

Storage = Literal["parquet", "json"]
Watch = Callable[[float], None]
"""Is told, every now and then, what share of a journal has been read; what it raises ends the reading."""
_ROWS_A_LOOK: Final = 2_000
_BATCH_ROWS: Final = 50_000
_BATCH_GAPS: Final = 1_000_000
"""A part ends at so many rows, or so many chunk gaps: answers of 10,000 chunks are no reason to swap."""
_NS_PER_US: Final = 1_000


class Session(msgspec.Struct):
    """One start of the run: its rows count time from there."""

    wall: str
    offset_ns: int
    """Since the first session's start."""
    end_ns: int = 0
    """The latest thing known of it, since its own start."""
    ended: RunEnded | None = None


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a run, still as parts, and what the journal says besides."""

    requests: pl.LazyFrame
    tests: pl.LazyFrame
    """One row a test: the one that counts."""
    sessions: tuple[Session, ...]
    ended: RunEnded | None
    """None: the run has not ended in order."""
    rows: int
    gaps: int
    """Chunk gaps in all."""
    damages: Damages
    client: ClientTally
    deaths: int = 0
    """Engine processes that died while the run went on."""
    tuned: int = 0
    """How often somebody changed limits while the run went on."""


class _Parts:
    """Batches of one table on their way to disk."""

    def __init__(self, name: str, columns: list[Column], directory: Path) -> None:
        self._name = name
        self._columns = columns
        self._directory = directory
        self._paths: list[Path] = []
        self._entries: list[Entry] = []
        self._gaps = 0

    def add(self, entry: Entry, gaps: int = 0) -> None:
        self._entries.append(entry)
        self._gaps += gaps
        if len(self._entries) >= _BATCH_ROWS or self._gaps >= _BATCH_GAPS:
            self._flush()

    def finish(self) -> pl.LazyFrame:
        """Return all that was added."""
        if self._entries:
            self._flush()
        if not self._paths:
            return pl.LazyFrame(schema=schema(self._columns))
        return pl.scan_parquet(self._paths, glob=False)

    def _flush(self) -> None:
        path = self._directory / f"{self._name}-{len(self._paths):05d}.parquet"
        frame(self._columns, self._entries).write_parquet(path)
        self._paths.append(path)
        self._entries = []
        self._gaps = 0


class _Sessions:
    """Which session a row belongs to, process by process. Processes that started the run together share one."""

    def __init__(self) -> None:
        self.all: list[Session] = []
        self._current: dict[int, int] = {}
        self._zero: datetime | None = None

    def begin(self, process: int, wall: str) -> None:
        shared = next((index for index, session in enumerate(self.all) if session.wall == wall), None)
        if wall and shared is not None:
            self._current[process] = shared
            return
        moment = _moment(wall)
        if self._zero is None:
            self._zero = moment
        offset_ns = 0
        if moment is not None and self._zero is not None:
            since = moment - self._zero
            micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
            offset_ns = micros * _NS_PER_US
        self._current[process] = len(self.all)
        self.all.append(Session(wall=wall, offset_ns=offset_ns))

    def at(self, process: int) -> int:
        """Return the session of the process now; rows whose start is lost have one of their own."""
        if process not in self._current:
            self.begin(process, "")
        return self._current[process]

    def ended(self) -> RunEnded | None:
        """Return how the run ended: in order only if the last session of its first process did.

        That process ends when all others have, and says so for them too.
        """
        return self.all[self._current[min(self._current)]].ended if self._current else None


def collect_tables(run_dir: Path, workspace: Path, watch: Watch | None = None) -> Tables:
    """Read a run's journal into tables whose parts lie in `workspace`; `watch` is told how far it has come.

    Raises:
        ConsoleError: if a segment cannot be read.
    """
    scan = read_rows(run_dir)
    requests = _Parts("requests", REQUESTS, workspace)
    tests = _Parts("tests", TESTS, workspace)
    sessions = _Sessions()
    client = ClientTally()
    gaps = deaths = tuned = 0
    whole_bytes = max(1, sum(segment.path.stat().st_size for segment in scan.segments)) if watch else 1
    for placed in scan.placed():
        if watch is not None and scan.rows % _ROWS_A_LOOK == 0:
            watch(min(1.0, scan.read_bytes / whole_bytes))
        row, process = placed.row, placed.segment.process
        if isinstance(row, RunStarted):
            sessions.begin(process, row.wall)
            continue
        index = sessions.at(process)
        session = sessions.all[index]
        if isinstance(row, RunEnded):
            session.ended = row
            session.end_ns = max(session.end_ns, row.at_ns)
        elif isinstance(row, EventRow):
            session.end_ns = max(session.end_ns, row.at_ns)
            deaths += row.kind == PROCESS_LOST
            tuned += row.kind in (TUNED, ADAPTED)
        elif isinstance(row, LimitRow | LevelRow):
            session.end_ns = max(session.end_ns, row.at_ns)
        elif isinstance(row, ClientRow):
            session.end_ns = max(session.end_ns, row.at_ns)
            client.add(process, row)
        else:
            entry = entry_of(placed.segment.name, placed.line, index, session.offset_ns, row)
            if isinstance(row, RequestRow):
                session.end_ns = max(session.end_ns, row.at_ns + (row.total_ns or 0))
                gaps += len(row.chunk_gap_ns)
                requests.add(entry, len(row.chunk_gap_ns))
            else:
                if not row.reused_from:
                    session.end_ns = max(session.end_ns, row.at_ns + row.duration_ns)
                tests.add(entry)
    request_rows, test_rows = requests.finish(), tests.finish()
    if len({segment.process for segment in scan.segments}) > 1:
        # A test that went from one process to another has rows in the segments of both: time puts them in order.
        request_rows = request_rows.sort("since_first_ns", maintain_order=True)
        test_rows = test_rows.sort("since_first_ns", maintain_order=True)
    return Tables(
        requests=request_rows,
        tests=_simulated_like(counted(test_rows), request_rows, _simulated_by_profile(run_dir)),
        sessions=tuple(sessions.all),
        ended=sessions.ended(),
        rows=scan.rows,
        gaps=gaps,
        damages=scan.damages,
        client=client,
        deaths=deaths,
        tuned=tuned,
    )


def counted(tests: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a test, in the order they were written.

    The first row with a terminal verdict counts, whatever comes later; without one, the last row does. `rows`
    says how many there were.
    """
    numbered = tests.with_row_index("row_no")
    terminal = pl.col("verdict").is_in([str(verdict) for verdict in TERMINAL])
    chosen = numbered.group_by("test").agg(
        pl.coalesce(pl.col("row_no").filter(terminal).min(), pl.col("row_no").max()).alias("row_no"),
        pl.len().cast(pl.Int64).alias("rows"),
    )
    return (
        numbered.join(chosen.select("row_no", "rows"), on="row_no", how="inner").sort("row_no").drop("row_no")
    )


def _simulated_by_profile(run_dir: Path) -> frozenset[str]:
    try:
        return simulated_providers(read_run_file(run_dir).profile_record)
    except ConsoleError:
        return frozenset()  # whoever needs run.toml itself complains of it


def _simulated_like(tests: pl.LazyFrame, requests: pl.LazyFrame, by_profile: Iterable[str]) -> pl.LazyFrame:
    """Add whether a test's provider is simulated: it is where the profile, or any of its answers, said so.

    A provider may have no answer in a run whose results are taken over from another one.
    """
    providers = requests.group_by("provider").agg(pl.col("simulated").any())
    return tests.join(providers, on="provider", how="left", maintain_order="left").with_columns(
        pl.col("simulated").fill_null(value=False) | pl.col("provider").is_in(list(by_profile))
    )


def write_table(table: pl.LazyFrame, run_dir: Path, name: str, storage: Storage, workspace: Path) -> str:
    """Write a table as `name.parquet` or `name.jsonl` and take away the other form, which would grow stale.

    Returns:
        The name of the file.

    Raises:
        OSError: if it cannot be written.
    """
    written = {"parquet": f"{name}.parquet", "json": f"{name}.jsonl"}
    made = workspace / f"whole-{written[storage]}"
    if storage == "parquet":
        table.sink_parquet(made, maintain_order=True)
    else:
        table.sink_ndjson(made, maintain_order=True)
    put_in_place(made, run_dir / written[storage])
    for other in set(written.values()) - {written[storage]}:
        (run_dir / other).unlink(missing_ok=True)
    return written[storage]


def verdict_counts(tests: pl.DataFrame) -> dict[str, int]:
    """Return how many tests ended how, all verdicts named."""
    found = dict(tests["verdict"].value_counts().iter_rows())
    return {str(verdict): int(found.get(str(verdict), 0)) for verdict in Verdict}


def _moment(wall: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(wall)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.astimezone()
