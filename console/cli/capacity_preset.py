"""`ultra-console capacity preset`: kinds of test and of traffic by their names."""

from __future__ import annotations

import shlex
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from console.cli.lazy import LazyGroup
from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode

if TYPE_CHECKING:
    from console.capacity.preset import Preset


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.option(
    "--qps", type=click.FloatRange(min=0, min_open=True), help="Requests per second that are wanted."
)
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests at once that are wanted.")
@click.option("--show", "only_show", is_flag=True, help="Print the command line, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE COMMAND]...")
@click.pass_context
def preset(
    ctx: click.Context,
    *,
    name: str,
    qps: float | None,
    concurrency: int | None,
    only_show: bool,
    as_json: bool,
    more: tuple[str, ...],
) -> int:
    """List presets, or run one: `preset list`, `preset NAME --profile P --model M`.

    NAME is a built-in preset, one of yours, or a path. What follows are options of the command that it runs, such as
    --base-url, --model or --save-result; they take the place of the preset's own.
    """
    from console.capacity.preset import load_preset

    if name == "list":
        return _list(as_json=as_json)
    if name.startswith("-"):
        raise ConsoleError("the preset's name comes first", hint="ultra-console capacity preset list")
    found = load_preset(name)
    arguments = [*found.arguments(qps=qps, concurrency=concurrency), *more]
    if only_show:
        say(shlex.join(["ultra-console", "capacity", found.command, *arguments]))
        return ExitCode.DONE
    command = _command(ctx, found)
    say(f"{found.title}: ultra-console capacity {found.command} {shlex.join(arguments)}", err=True)
    if as_json:
        arguments.append("--json")
    result: Any = command.main(
        arguments, prog_name=f"ultra-console capacity {found.command}", standalone_mode=False
    )
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _command(ctx: click.Context, found: Preset) -> click.Command:
    """Return the command that a preset runs.

    Raises:
        ConsoleError: if there is none of that name.
    """
    group = ctx.parent.command if ctx.parent is not None else None
    command = group.get_command(ctx, found.command) if isinstance(group, LazyGroup) else None
    if command is None:
        raise ConsoleError(f"preset {found.id} runs `capacity {found.command}`, which is not there")
    return command


def _list(*, as_json: bool) -> int:
    import msgspec

    from console.capacity.preset import load_preset, preset_ids
    from console.vocabulary.safe_text import safe_line

    presets = [load_preset(name) for name in preset_ids()]
    if as_json:
        for one in presets:
            about = one.model_dump(exclude_none=True, exclude_defaults=True)
            say(msgspec.json.encode({"type": "preset", **about, "needs": one.needs}))
        return ExitCode.DONE
    width = shutil.get_terminal_size((100, 24)).columns
    for one in presets:
        needs = "".join(f" --{name} N" for name in one.needs)
        say(safe_line(f"{one.id:<18} capacity {one.command}{needs}"))
        for line in textwrap.wrap(safe_line(one.description), max(20, width - 20)):
            say(" " * 19 + line)
    return ExitCode.DONE
