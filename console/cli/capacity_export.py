"""`ultra-console capacity export`: a search in the forms that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode

if TYPE_CHECKING:
    from console.capacity.search_result import SearchResult

_KINDS: Final = ("csv", "json", "aiperf", "vllm")


@click.command()
@click.argument("run", required=False)
@click.option(
    "--format", "kind", type=click.Choice(_KINDS), default="csv", show_default=True,
    help="csv: a row a level; json: the whole search; aiperf, vllm: the level at the answer under their names.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to, if not stdout."
)
def export(*, run: str | None, kind: str, out: Path | None) -> int:
    """Write a search as other programs read it. RUN: id, directory, or the newest."""
    from console.capacity.search_result import read_search_result
    from console.records.run_dir import find_run

    run_dir = find_run(run)
    data = _exported(run_dir, read_search_result(run_dir), kind)
    if out is None:
        say(data)
        return ExitCode.DONE
    try:
        out.write_bytes(data + b"\n")
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror or error}", where=f"--out {out}") from error
    say(str(out), err=True)
    return ExitCode.DONE


def _exported(run_dir: Path, result: SearchResult, kind: str) -> bytes:
    """Return the text of a format, without its last end of a line.

    Raises:
        ConsoleError: if it is of the level at the answer, and there is none, or the journal lacks it.
    """
    import msgspec

    if kind == "csv":
        from console.capacity.level_table import level_csv

        return level_csv(result).rstrip("\n").encode()
    if kind == "json":
        from console.capacity.search_result import SEARCH_FILE

        return (run_dir / SEARCH_FILE).read_bytes()
    if kind == "vllm":
        from console.cli.level_files import answer_file

        return msgspec.json.encode(answer_file(run_dir, result))
    from console.cli.level_files import answer_aiperf

    return msgspec.json.encode(answer_aiperf(run_dir, result))
