"""What `--processes` takes, and what `plan` says of it."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from commands import ultra_here

from console.cli.process_count import processes_option


@click.command()
@processes_option
def shown(processes: int | None) -> None:
    """Show what was understood."""
    click.echo(repr(processes))


@pytest.mark.parametrize(("given", "understood"), [("3", "3"), ("auto", "None"), ("AUTO", "None")])
def test_a_number_or_auto_in_any_case_is_understood(given: str, understood: str) -> None:
    assert CliRunner().invoke(shown, ["--processes", given]).output.strip() == understood


@pytest.mark.parametrize("given", ["0", "-1", "65", "1.5", "", "many"])
def test_anything_else_is_a_usage_error_that_names_auto(given: str) -> None:
    result = CliRunner().invoke(shown, ["--processes", given])
    assert result.exit_code == 2
    assert "auto" in result.output


def test_help_writes_auto_as_it_is_typed() -> None:
    assert "N|auto" in CliRunner().invoke(shown, ["--help"]).output


def test_a_plan_says_where_it_takes_fewer_processes_than_asked_for() -> None:
    code, out, _ = ultra_here(
        "plan", "--model", "o3-0416-global", "--num-instances", "1", "--processes", "64"
    )
    assert code == 0
    assert "64 were asked for: these lanes are worth no more than 1" in out
