"""`ultra-console runs`: list, show, prune."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.vocabulary.errors import ConsoleError, ExitCode

if TYPE_CHECKING:
    from console.records.run_dir import RunInfo

_WHAT_WIDTH = 60
"""What was run is cut only to less than this while other columns can leave."""

json_option = click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def runs(ctx: click.Context, *, as_json: bool) -> None:
    """List runs, the newest first."""
    if ctx.invoked_subcommand is not None:
        return
    from console.records.run_dir import list_runs, runs_home

    found = list_runs()
    if as_json:
        for info in found:
            _print_json(info)
    elif found:
        _print_table(found)
    else:
        click.echo(f"no runs in {runs_home(create=False)} yet")
        click.echo("  start one: ultra-console run --profile sim --phase 5.1")


@runs.command()
@click.argument("run", required=False)
@json_option
def show(run: str | None, *, as_json: bool) -> None:
    """Show what was asked of RUN, how it stands and where its files are."""
    import msgspec

    from console.records.run_dir import find_run, read_run_file
    from console.records.run_list import run_info
    from console.vocabulary.safe_text import safe_line

    run_dir = find_run(run)
    info = run_info(run_dir)
    if as_json:
        asked = msgspec.to_builtins(read_run_file(run_dir))
        _print_json({**msgspec.to_builtins(info, enc_hook=str), "run_file": asked})
        return
    for name, text in _shown(info):
        click.echo(safe_line(f"{name:<9} {text}"))


def _shown(info: RunInfo) -> list[tuple[str, str]]:
    from console.records.lost_rows import lost_text
    from console.records.run_dir import read_run_file
    from console.records.run_list import CAPACITY

    run_file = read_run_file(info.run_dir)
    selection = ", ".join(f"{name} {value}" for name, value in run_file.selection.items() if value)
    lines = [
        ("run", info.run_id + ("  SIMULATED" if info.simulated else "")),
        ("state", info.state + (f" (process {run_file.pid})" if info.state == "live" else "")),
        ("done", _progress(info)),
        ("title", " ".join(filter(None, [info.title, info.level]))),
        ("profile", info.profile),
        ("phases", ", ".join(run_file.phases)),
        ("selection", selection),
        ("seed", str(run_file.seed)),
        ("started", info.started),
        ("command", " ".join(["ultra-console", *run_file.args])),
        ("directory", str(info.run_dir)),
        ("files", ", ".join(sorted(_files(info.run_dir)))),
        ("versions", ", ".join(f"{name} {version}" for name, version in run_file.versions.items())),
    ]
    if info.lost:
        unit = "prompts" if info.title in CAPACITY else "tests"
        lines.insert(3, ("lost", lost_text(info.lost, info.done or 0, unit)))
    if info.state == "live":
        lines.append(("watch it", f"ultra-console attach {info.run_id}"))
    return [(name, text) for name, text in lines if text]


def _files(run_dir: Path) -> list[str]:
    return [
        path.name + ("/" if path.is_dir() else "")
        for path in run_dir.iterdir()
        if not path.name.startswith(".")
    ]


@runs.command()
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Keep the newest N.")
@click.option("--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Remove what is older.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def prune(keep: int | None, older_than: float | None, *, yes: bool) -> int:
    """Remove old runs for good; a live run never."""
    from console.records.run_dir import list_runs, runs_home
    from console.records.run_list import clear_leftovers, is_own_run, remove_run
    from console.vocabulary.safe_text import safe_line

    if (keep is None) == (older_than is None):
        raise ConsoleError("which runs?", hint="give --keep N or --older-than DAYS")
    clear_leftovers(runs_home(create=False))
    listed = list_runs()
    found = [info for info in listed if is_own_run(info.run_dir)]
    alien = ", ".join(safe_line(info.run_id) for info in listed if info not in found)
    if alien:
        click.echo(f"left alone, as this program did not make them so: {alien}", err=True)
    doomed = [
        info for index, info in enumerate(found) if _is_old(info, index, keep, older_than) and not _live(info)
    ]
    if not doomed:
        click.echo("nothing to remove")
        return ExitCode.DONE
    if not yes:
        _print_table(tuple(doomed))
        if not click.confirm(f"Remove {len(doomed)} of {len(found)} runs for good?"):
            click.echo("nothing removed")
            return ExitCode.DONE
    failed = 0
    for info in doomed:
        try:
            remove_run(info.run_dir)
        except ConsoleError as error:  # the others can still go
            failed += 1
            click.echo("\n".join(error.lines()), err=True)
    click.echo(f"removed {len(doomed) - failed} of {len(found)} runs")
    return ExitCode.USAGE if failed else ExitCode.DONE


def _live(info: RunInfo) -> bool:
    return info.state == "live"


def _is_old(info: RunInfo, index: int, keep: int | None, older_than: float | None) -> bool:
    if keep is not None:
        return index >= keep
    assert older_than is not None
    try:
        started = datetime.fromisoformat(info.started).astimezone()
    except ValueError:
        return False  # of unknown age
    return datetime.now().astimezone() - started > timedelta(days=older_than)


def _print_table(found: tuple[RunInfo, ...]) -> None:
    import shutil

    from console.records.text_table import TextTable, table_lines

    table = TextTable(
        "",
        ("run", "state", "done", "what", "started", "profile"),
        tuple(
            (
                info.run_id,
                info.state,
                _progress(info) + (" SIM" if info.simulated else ""),
                info.level or info.title,
                _when(info.started),
                info.profile,
            )
            for info in found
        ),
        words=frozenset({0, 1, 3, 4, 5}),
        cut=3,  # never the id, which commands take
        room=_WHAT_WIDTH,
        gives=(5, 4),
        tail=0.75,  # the level stands behind the model
    )
    for line in table_lines(table, shutil.get_terminal_size((100, 24)).columns)[1:]:
        click.echo(line)


def _progress(info: RunInfo) -> str:
    done = "?" if info.done is None else str(info.done)
    lost = f", {info.lost} lost" if info.lost else ""
    return f"{done} of {'?' if info.planned is None else info.planned}{lost}"


def _when(started: str) -> str:
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return "?"


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value, enc_hook=str))
