"""A report as data: CSV, Parquet and JSON, all columns and nothing rounded."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import polars as pl

from console.durable import write_atomic
from console.records.report import Report
from console.records.report_text import markdown, report_lines
from console.records.report_types import DEFINITIONS, ReportTable
from console.records.safe_cells import csv_safe
from console.vocabulary.errors import ConsoleError

Format = Literal["text", "csv", "md", "json", "parquet"]
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_TEXT_WIDTH: Final = 160


def csv_text(report: Report, table: ReportTable) -> str:
    """Return a table as CSV."""
    return csv_safe(_data(report, table)).write_csv()


def report_json(report: Report, tables: Sequence[ReportTable]) -> bytes:
    """Return tables, definitions and scoring presets as one line of JSON."""
    return msgspec.json.encode(
        {
            "type": "report",
            "run_id": report.run_id,
            "title": report.title,
            "profile": report.profile,
            "simulated": report.simulated,
            "partial": report.partial,
            "partial_reason": report.partial_reason,
            "scoring": report.scoring,
            "presets": report.presets,
            "tables": [
                {"name": table.name, "title": table.title, "rows": _data(report, table).to_dicts()}
                for table in tables
            ],
            "notes": report.notes,
            "definitions": DEFINITIONS,
        }
    )


def write_report(
    report: Report, tables: Sequence[ReportTable], out: Path, formats: Sequence[Format]
) -> list[Path]:
    """Write one file for each table and format into `out`, of JSON one for all; return what was written.

    Raises:
        ConsoleError: if it cannot be written.
    """
    written: list[Path] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for kind in formats:
            if kind == "json":
                written.append(_put(out / "report.json", report_json(report, tables) + b"\n"))
                continue
            for table in tables:
                name = _NOT_IN_NAME.sub("-", table.name).strip(".-") or "table"
                suffix = "txt" if kind == "text" else kind
                written.append(_put(out / f"{name}.{suffix}", _bytes(report, table, kind)))
    except OSError as error:
        raise ConsoleError(
            f"the report cannot be written: {error.strerror or error}", where=str(out)
        ) from error
    return written


def _put(path: Path, data: bytes) -> Path:
    write_atomic(path, data)
    return path


def _bytes(report: Report, table: ReportTable, kind: Format) -> bytes:
    if kind == "csv":
        return csv_text(report, table).encode()
    if kind == "md":
        return markdown(report, [table]).encode()
    if kind == "text":
        return "\n".join([*report_lines(report, [table], _TEXT_WIDTH), ""]).encode()
    buffer = io.BytesIO()
    _data(report, table).write_parquet(buffer)
    return buffer.getvalue()


def _data(report: Report, table: ReportTable) -> pl.DataFrame:
    """Return a table with what each of its rows must not be read without."""
    return table.frame.with_columns(
        pl.lit(report.run_id).alias("run_id"),
        pl.lit(report.scoring).alias("scoring"),
        pl.lit(report.simulated).alias("simulated"),
        pl.lit(report.partial).alias("partial"),
    )
