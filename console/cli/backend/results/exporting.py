"""Files that people take away: the table as shown, tests, or the summary, as CSV, JSON, Parquet or Markdown."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import polars as pl

from console.durable import write_atomic
from console.records.print_summary import summary_notes, summary_tables
from console.records.safe_cells import csv_safe, escaped, markdown_row
from console.records.summary_types import GroupSummary, Summary
from console.screens.results.needs import Export, Format
from console.screens.results.sheet import Row, Sheet, SortKey
from console.vocabulary.errors import ConsoleError


def write_export(
    wanted: Export, summary: Summary, sheet: Sheet | None, order: Sequence[int], tests: pl.DataFrame
) -> Path:
    """Write what is wanted and return where.

    Raises:
        FileExistsError: if there is a file already, and it is not to be written over.
        ConsoleError: if it cannot be written.
    """
    if wanted.what == "summary" and wanted.format in ("json", "md"):
        data = _summary_json(summary) if wanted.format == "json" else _summary_markdown(summary)
    elif wanted.what == "summary":
        data = _bytes(_groups(summary), wanted.format, summary, "")
    elif wanted.what == "tests":
        data = _bytes(tests, wanted.format, summary, "tests")
    else:
        assert sheet is not None
        rows = [sheet.row(index) for index in order]
        if wanted.format == "md":
            heads = [column.title for column in sheet.columns]
            cells = [row.cells for row in rows]
            data = _markdown(sheet.title, heads, cells, (*sheet.notes, *_marks(summary)))
        else:
            data = _bytes(_frame(sheet, rows), wanted.format, summary, sheet.title)
    return _put(wanted.path, data, overwrite=wanted.overwrite)


def _frame(sheet: Sheet, rows: Sequence[Row]) -> pl.DataFrame:
    """Return rows with figures as they are, nothing rounded, and words as they stand."""
    series: list[pl.Series] = []
    for number, column in enumerate(sheet.columns):
        keys = [row.keys[number] for row in rows]
        if column.figures and all(key is None or isinstance(key, (int, float)) for key in keys):
            whole = all(key is None or isinstance(key, int) for key in keys)
            series.append(pl.Series(column.name, keys, dtype=pl.Int64 if whole else pl.Float64))
        else:
            series.append(pl.Series(column.name, [_word(row, number) for row in rows], dtype=pl.String))
    return pl.DataFrame(series)


def _word(row: Row, number: int) -> str:
    key: SortKey = row.keys[number]
    return key if isinstance(key, str) and number == 0 else row.cells[number]


def _bytes(frame: pl.DataFrame, kind: Format, summary: Summary, title: str) -> bytes:
    if kind == "md":
        rows = [[_text(value) for value in row] for row in frame.iter_rows()]
        return _markdown(title, frame.columns, rows, _marks(summary))
    marked = frame.with_columns(
        pl.lit(summary.run_id).alias("run_id"),
        pl.lit(summary.simulated).alias("simulated_run"),
        pl.lit(summary.partial).alias("partial"),
    )
    if kind == "csv":
        return csv_safe(marked).write_csv().encode()
    if kind == "json":
        return marked.write_json().encode() + b"\n"
    buffer = io.BytesIO()
    marked.write_parquet(buffer)
    return buffer.getvalue()


def _groups(summary: Summary) -> pl.DataFrame:
    """Return all groups of a summary as one table, a row each."""
    kinds: tuple[tuple[str, Sequence[GroupSummary]], ...] = (
        ("all", (summary.overall,)),
        ("model", summary.per_model),
        ("key", summary.per_key),
        ("deployment", summary.per_deployment),
        ("lane", summary.per_lane),
    )
    rows = [
        {"group": kind, **_flat(cast("dict[str, Any]", msgspec.to_builtins(group)))}
        for kind, groups in kinds
        for group in groups
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, item in value.items():
        if name in ("labels", "notes", "outcomes"):
            continue
        if isinstance(item, dict):
            found.update(_flat(cast("dict[str, Any]", item), f"{before}{name}_"))
        else:
            found[before + name] = item
    return found


def _summary_json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n"


def _summary_markdown(summary: Summary) -> bytes:
    tables = summary_tables(summary, wide=True, lanes=True)
    parts = [_markdown(table.title, table.columns, table.rows, ()) for table in tables]
    notes = [*_marks(summary), *summary_notes(summary, wide=True)]
    return b"\n".join([*parts, "\n".join(f"* {escaped(note)}" for note in notes).encode(), b""])


def _marks(summary: Summary) -> tuple[str, ...]:
    """Return what results must not be read without."""
    marks = [f"run {summary.run_id}, {summary.title}, profile {summary.profile}"]
    if summary.simulated:
        marks.append("SIMULATED: answers came from a simulated provider")
    if summary.partial:
        marks.append(f"PARTIAL: {summary.partial_reason}")
    return tuple(marks)


def _markdown(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> bytes:
    lines = [f"## {escaped(title)}", ""] if title else []
    lines += [markdown_row(heads), markdown_row(["---"] * len(heads)), *map(markdown_row, rows), ""]
    lines += [f"* {escaped(note)}" for note in notes]
    return "\n".join([*lines, ""]).encode()


def _text(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _put(path: Path, data: bytes, *, overwrite: bool) -> Path:
    try:
        if overwrite:
            write_atomic(path, data)
        else:
            with path.open("xb") as file:
                path.chmod(0o600)
                file.write(data)
    except FileExistsError:
        raise
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
    return path
