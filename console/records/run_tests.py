"""The table of a run's tests as it stands now, from the files of its summary where they are still true."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from console.records.columns import TESTS, schema
from console.records.read_journal import read_end, segments_of
from console.records.run_file import RunFile, read_run_file
from console.records.run_lock import is_live
from console.records.summary import SUMMARY_FILE, Summary, summarise
from console.vocabulary.errors import ConsoleError

_SCHEMA: Final = pl.Schema({**schema(TESTS), "rows": pl.Int64, "simulated": pl.Boolean})
BY_ID: Final = ("model", "prompt_type", "difficulty", "rate", "task_type", "instance", "test")
"""The order of tests; instances are numbers."""


class Standing(msgspec.Struct, frozen=True):
    """The part of summary.json that says what its tables hold."""

    run_id: str
    title: str
    profile: str
    simulated: bool
    state: str
    planned: int
    done: int
    partial: bool
    partial_reason: str = ""
    infrastructure_failures: int = 0
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class RunTests(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of a run."""

    run_dir: Path
    run_file: RunFile
    standing: Standing
    table: pl.DataFrame
    """One row a test, in the order of their ids: the columns `TESTS`, `rows` and `simulated`."""


def load_tests(run_dir: Path, make: Callable[[Path], Summary] | None = None) -> RunTests:
    """Return the tests of a run, live or not. Makes its tables anew where they do not hold all that was written.

    Args:
        run_dir: the run directory.
        make: makes the tables and the summary anew; None: `summarise` does.

    Raises:
        ConsoleError: if the run cannot be read, or its tables cannot be made.
    """
    run_file = read_run_file(run_dir)
    found = _still_true(run_dir)
    if found is None:
        if make is None:
            made = summarise(run_dir, storage="json" if run_file.storage == "json" else "parquet")
        else:
            made = make(run_dir)
        standing = msgspec.convert(made, Standing, from_attributes=True)
        found = standing, _read(run_dir, standing)
    standing, table = found
    return RunTests(run_dir=run_dir, run_file=run_file, standing=standing, table=table.sort(BY_ID))


def _still_true(run_dir: Path) -> tuple[Standing, pl.DataFrame] | None:
    """Return what an earlier summary made, if it was made of a whole journal and no line came after."""
    end = None if is_live(run_dir) else read_end(run_dir)
    if end is None:
        return None
    try:
        standing = msgspec.json.decode((run_dir / SUMMARY_FILE).read_bytes(), type=Standing)
        made_ns = (run_dir / SUMMARY_FILE).stat().st_mtime_ns
        written_ns = max((one.path.stat().st_mtime_ns for one in segments_of(run_dir)), default=0)
        if (standing.state, standing.done) != (end.state, end.done) or made_ns < written_ns:
            return None
        table = _read(run_dir, standing)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, ConsoleError):
        return None
    return standing, table


def _read(run_dir: Path, standing: Standing) -> pl.DataFrame:
    name = next((name for name in standing.files if name.startswith("tests.")), "tests.parquet")
    path = run_dir / name
    try:
        if name.endswith(".jsonl"):
            if not path.stat().st_size:
                return pl.DataFrame(schema=_SCHEMA)
            return pl.read_ndjson(path, schema=_SCHEMA)
        return pl.read_parquet(path, columns=list(_SCHEMA))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConsoleError(f"cannot be read: {error}", where=str(path)) from error
