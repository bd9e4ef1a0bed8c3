"""`ultra-console tests`: the tests of a run, and one of them with all that was said."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.saying import say
from console.cli.selecting import listed, listed_rates
from console.vocabulary.errors import ExitCode
from console.vocabulary.marks import ErrorClass
from console.vocabulary.outcome import Verdict
from console.vocabulary.test_id import rate_text

if TYPE_CHECKING:
    import polars as pl

    from console.records.run_tests import RunTests


@click.command()
@click.argument("run", required=False)
@click.option("--show", metavar="TEST_ID", help="All of one test; the end of its id, or a part, is enough.")
@click.option("--failed", is_flag=True, help="Only those that the model failed.")
@click.option("--not-full", is_flag=True, help="Only those that are not full, for whatever reason.")
@click.option(
    "--verdict", "verdicts", multiple=True, type=click.Choice([str(verdict) for verdict in Verdict])
)
@click.option("--class", "classes", multiple=True, type=click.Choice([str(one) for one in ErrorClass]))
@click.option("--model", "models", multiple=True)
@click.option("--prompt-types", multiple=True)
@click.option("--difficulty", "difficulties", multiple=True)
@click.option("--tool-success-rate", "rates", multiple=True)
@click.option("--task-types", multiple=True)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N of them.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each on stdout.")
@click.option("--wide", is_flag=True, help="Whole ids and all columns, whatever the terminal's width.")
def tests(
    run: str | None,
    *,
    show: str | None,
    failed: bool,
    not_full: bool,
    verdicts: tuple[str, ...],
    classes: tuple[str, ...],
    models: tuple[str, ...],
    prompt_types: tuple[str, ...],
    difficulties: tuple[str, ...],
    rates: tuple[str, ...],
    task_types: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    wide: bool,
) -> int:
    """List the tests of RUN (id, its beginning, directory; absent: the newest), or show one of them in full."""
    from console.phases.phase import one_name
    from console.records.run_dir import find_run
    from console.records.run_tests import load_tests
    from console.records.tests_list import NOT_FULL, Picked, pick_tests, strangers

    found = load_tests(find_run(run))
    wanted = [*verdicts, *(NOT_FULL if not_full else ())]
    if failed:
        wanted.append(str(Verdict.FAILURE))
    picked = Picked(
        verdicts=tuple(wanted),
        error_classes=classes,
        models=listed(models),
        prompt_types=tuple(map(one_name, listed(prompt_types))),
        difficulties=listed(difficulties),
        rates=tuple(map(rate_text, listed_rates(rates))),
        task_types=listed(task_types),
    )
    table = pick_tests(found.table, picked)
    for line in strangers(found.table, picked):
        say(line, err=True)
    if show is not None:
        _show(found, table, show, as_json=as_json)
    elif as_json:
        _say_json(table if limit is None else table.head(limit))
    else:
        _say_list(found, table, limit, None if wide else _width())
    return ExitCode.DONE


def _tests(count: int) -> str:
    return f"{count} test" if count == 1 else f"{count} tests"


def _width() -> int:
    return max(80, shutil.get_terminal_size((100, 24)).columns)


def _say_list(found: RunTests, table: pl.DataFrame, limit: int | None, width: int | None) -> None:
    from console.records.tests_list import list_lines

    standing = found.standing
    simulated = " (SIMULATED)" if standing.simulated else ""
    title = (
        f"Tests of {standing.run_id}{simulated}: {table.height} of {_tests(found.table.height)} with a result"
    )
    shown = table if limit is None else table.head(limit)
    lines = list_lines(shown, title, width) if shown.height else [title]
    if shown.height < table.height:
        lines.append(f"… and {table.height - shown.height} more")
    say("\n".join(lines))
    if standing.partial:
        say(f"PARTIAL: {standing.partial_reason}", err=True)


def _say_json(table: pl.DataFrame) -> None:
    import msgspec

    lines = [b'{"type":"test",' + msgspec.json.encode(test)[1:] for test in table.to_dicts()]
    if lines:
        say(b"\n".join(lines))


def _show(found: RunTests, table: pl.DataFrame, ref: str, *, as_json: bool) -> None:
    import msgspec

    from console.records.read_traces import find_traces
    from console.records.tests_list import meant_test
    from console.records.trace_text import full_lines

    test_id = meant_test(table["test"].to_list(), ref, _planned(found.run_dir))
    test = next(one for one in table.to_dicts() if one["test"] == test_id)
    traces = find_traces(found.run_dir, test_id)
    if as_json:
        say(b'{"type":"test",' + msgspec.json.encode({**test, "traces": traces.attempts})[1:])
    else:
        simulated = found.standing.simulated
        lines = full_lines(test, traces.attempts, found.run_file.traces, _width(), simulated=simulated)
        say("\n".join(lines))
    for damage in traces.damages.located:
        say(f"{damage.where} is not read: {damage.reason}", err=True)


def _planned(run_dir: Path) -> list[str]:
    from console.records.planned import read_planned

    return [test for tests in read_planned(run_dir).tests.values() for test in tests]
