"""`ultra-console capacity report`: a search as files that people look at."""

from __future__ import annotations

from pathlib import Path

import click

from console.cli.saying import say
from console.cli.search_files import FORMATS, Format
from console.vocabulary.errors import ConsoleError, ExitCode


@click.command()
@click.argument("run", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to. Default: the run directory.",
)
@click.option(
    "--format", "kinds", multiple=True, metavar="LIST", default=("html,svg",), show_default=True,
    help="Of html, svg, png; png needs `pip install 'ultra-console[png]'`.",
)  # fmt: skip
def report(*, run: str | None, out: Path | None, kinds: tuple[str, ...]) -> int:
    """Write the curve and the report of a search. RUN: id, directory, or the newest.

    A level that was run alone has no curve; `capacity show` prints it.
    """
    from console.capacity.search_result import read_search_result
    from console.cli.search_files import write_report_files
    from console.records.run_dir import find_run

    formats = _formats(kinds)
    run_dir = find_run(run)
    result = read_search_result(run_dir)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConsoleError(f"cannot be made: {error.strerror}", where=f"--out {out}") from error
    made = out or run_dir
    for kind in formats:  # PNG last: without its library the others are there all the same
        for path in write_report_files(run_dir, result, made, (kind,)):
            say(str(path))
    return ExitCode.DONE


def _formats(kinds: tuple[str, ...]) -> tuple[Format, ...]:
    found = [word.strip() for text in kinds for word in text.split(",") if word.strip()]
    for word in found:
        if word not in FORMATS:
            raise ConsoleError(
                f"no such format: {word}", where="--format", hint=f"there are {', '.join(FORMATS)}"
            )
    return tuple(kind for kind in FORMATS if kind in found)
