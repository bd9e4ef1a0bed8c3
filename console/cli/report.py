"""`ultra-console report`: the tables of a run's results, for people, papers and programs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from console.cli.saying import say
from console.cli.selecting import listed
from console.vocabulary.errors import ConsoleError, ExitCode

if TYPE_CHECKING:
    from console.records.report import Report
    from console.records.report_types import ReportTable

_FILES: Final = ("csv", "md", "parquet")
"""What `--out` writes where no format is asked for."""
_LONG_ROWS: Final = {"hierarchy": 60, "errors": 20}
"""Tables of these kinds that have more rows are printed only if they are asked for."""


@click.command()
@click.argument("run", required=False)
@click.option(
    "--table", "tables", multiple=True, metavar="NAME", help="Only this one, such as 5.1; repeatable."
)
@click.option(
    "--scoring",
    type=click.Choice(["goal", "original"]),
    default="goal",
    show_default=True,
    help="What tests are judged by.",
)
@click.option("--format", "kind", type=click.Choice(["text", "csv", "md", "json", "parquet"]))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write a file for each table there."
)
@click.option("--wide", is_flag=True, help="All columns, and nothing cut, whatever the terminal's width.")
def report(
    run: str | None,
    *,
    tables: tuple[str, ...],
    scoring: str,
    kind: str | None,
    out: Path | None,
    wide: bool,
) -> int:
    """Print the tables of RUN (id, its beginning, directory; absent: the newest): hierarchy, phases, errors, comparisons.

    Exit code 3 where the run is partial.
    """
    from console.records.report import make_report, picked_tables
    from console.records.run_dir import find_run
    from console.records.run_tests import load_tests

    chosen: Any = scoring
    made = make_report(load_tests(find_run(run)), chosen)
    picked = picked_tables(made, listed(tables))
    if out is not None:
        _write(made, picked, out, (kind,) if kind is not None else _FILES)
    else:
        _print(made, picked, kind or "text", whole=wide, named=bool(tables))
    return ExitCode.INCOMPLETE if made.partial else ExitCode.DONE


def _write(made: Report, picked: tuple[ReportTable, ...], out: Path, kinds: tuple[Any, ...]) -> None:
    from console.records.report_files import write_report

    for path in write_report(made, picked, out, kinds):
        say(str(path))


def _print(made: Report, picked: tuple[ReportTable, ...], kind: str, *, whole: bool, named: bool) -> None:
    from console.records.report_files import csv_text, report_json
    from console.records.report_text import markdown, report_lines

    if kind == "json":
        say(report_json(made, picked))
    elif kind == "md":
        say(markdown(made, picked).rstrip("\n"))
    elif kind == "text":
        shown = tuple(table for table in picked if named or not _is_long(table))
        say("\n".join(report_lines(made, shown, shutil.get_terminal_size((100, 24)).columns, whole=whole)))
        for table in picked:
            if table not in shown:
                say(f"{table.name}: {table.frame.height} rows; --table {table.name} shows them", err=True)
    elif kind == "parquet":
        raise ConsoleError("Parquet is for files", where="--format parquet", hint="add --out DIR")
    elif len(picked) != 1:
        raise ConsoleError(
            f"CSV is one table at a time, and there are {len(picked)}",
            where="--format csv",
            hint=f"add --table {picked[0].name}, or --out DIR",
        )
    else:
        say(csv_text(made, picked[0]).rstrip("\n"))


def _is_long(table: ReportTable) -> bool:
    return table.frame.height > _LONG_ROWS.get(table.kind, table.frame.height)
