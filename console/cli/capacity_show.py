"""`ultra-console capacity show`: the result of a level, printed again."""

from __future__ import annotations

from typing import Any

import click

from console.cli.capacity_result import LEVEL_FILE
from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="The result file itself.")
def show(*, run: str | None, as_json: bool) -> int:
    """Print the result of a level again. RUN: id, directory, or the newest."""
    import msgspec

    from console.capacity.level_result import printed
    from console.records.run_dir import find_run

    run_dir = find_run(run)
    try:
        data = (run_dir / LEVEL_FILE).read_bytes()
        result = msgspec.json.decode(data, type=dict[str, Any])
    except FileNotFoundError:
        raise ConsoleError(
            "is no capacity level that has ended",
            where=run_dir.name,
            hint=f"try `ultra-console summary {run_dir.name}`",
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise ConsoleError(f"cannot be read: {error}", where=str(run_dir / LEVEL_FILE)) from error
    say(data if as_json else "\n".join(printed(result)))
    return ExitCode.DONE
