"""`ultra-console summary`: the tables and figures of a run, made from its journal."""

from __future__ import annotations

import click

from console.vocabulary.errors import ExitCode


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="The summary as one line of JSON on stdout.")
@click.option(
    "--wide",
    is_flag=True,
    help="All columns, a table of lanes, and nothing cut, whatever the terminal's width.",
)
def summary(run: str | None, *, as_json: bool, wide: bool) -> int:
    """Summarise RUN (id, its beginning, directory; absent: the newest) from its journal.

    Writes the tables and summary.json into the run directory and prints the figures. Exit code 3 where tests
    or prompts are left to do or got no complete answer.
    """
    import shlex
    import shutil

    import msgspec

    from console.records.print_summary import render_summary
    from console.records.run_dir import find_run, read_run_file
    from console.records.summary import summarise

    run_dir = find_run(run)
    storage = read_run_file(run_dir).storage
    found = summarise(run_dir, storage="json" if storage == "json" else "parquet")
    if as_json:
        click.echo(b'{"type":"summary",' + msgspec.json.encode(found)[1:])
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        click.echo(render_summary(found, width, whole=wide))
        click.echo(f"in {run_dir}: {', '.join(found.files)}, summary.json", err=True)
        if found.unit == "tests" and found.done:
            again = "" if run is None else f" {shlex.quote(run)}"
            click.echo(f"tables by phase, prompt type and task: ultra-console report{again}", err=True)
    if found.remaining or found.infrastructure_failures or found.state in ("partial", "live"):
        return ExitCode.INCOMPLETE
    return ExitCode.DONE
