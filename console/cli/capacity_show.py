"""`ultra-console capacity show`: the result of a level or of a search, printed again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click

from console.cli.capacity_result import LEVEL_FILE
from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="The result file itself.")
def show(*, run: str | None, as_json: bool) -> int:
    """Print the result of a level or of a search again. RUN: id, directory, or the newest."""
    from console.capacity.search_result import SEARCH_FILE
    from console.records.run_dir import find_run

    run_dir = find_run(run)
    return (
        _search(run_dir, as_json=as_json)
        if (run_dir / SEARCH_FILE).exists()
        else _level(run_dir, as_json=as_json)
    )


def _search(run_dir: Path, *, as_json: bool) -> int:
    from console.capacity.search_result import SEARCH_FILE, read_search_result
    from console.cli.search_text import search_lines

    result = read_search_result(run_dir)
    if as_json:
        say((run_dir / SEARCH_FILE).read_bytes())
    else:
        say("\n".join(search_lines(result, shutil.get_terminal_size((100, 24)).columns)))
    return ExitCode.DONE


def _level(run_dir: Path, *, as_json: bool) -> int:
    import msgspec

    from console.capacity.level_text import printed

    try:
        data = (run_dir / LEVEL_FILE).read_bytes()
        result = msgspec.json.decode(data, type=dict[str, Any])
    except FileNotFoundError:
        raise ConsoleError(
            "is no capacity level or search that has ended",
            where=run_dir.name,
            hint=f"try `ultra-console summary {run_dir.name}`, or `ultra-console capacity resume {run_dir.name}`",
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise ConsoleError(f"cannot be read: {error}", where=str(run_dir / LEVEL_FILE)) from error
    say(data if as_json else "\n".join(printed(result)))
    return ExitCode.DONE
