"""The options by which `run` and `plan` are told what to do; one place, so that both mean the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from console.vocabulary.errors import ConsoleError

Command = Callable[..., Any]
_YES = ("true", "1", "yes", "on")
_NO = ("", "false", "0", "no", "off")


def selection_options(command: Command) -> Command:
    """Add the options that say which tests, under which profile."""
    options = [
        click.option(
            "--profile", "-p", "profile", default="sim", show_default=True, help="Name or path of a profile."
        ),
        click.option("--phase", "phases", multiple=True, help="5.1, 5.1-5.5, all, or a path; repeatable."),
        click.option(
            "--class",
            "model_class",
            type=click.Choice(["open", "closed", "all"]),
            help="Models of this class; of a phase that names models, those of them.",
        ),
        click.option("--model", "models", multiple=True, help="Replaces the phase's models."),
        click.option("--prompt-types", multiple=True),
        click.option("--difficulty", "difficulties", multiple=True),
        click.option("--task-types", multiple=True),
        click.option("--tool-success-rate", "rates", multiple=True),
        click.option("--num-instances", "instances", type=click.IntRange(min=1), help="Per task type."),
        click.option(
            "--rate-mode", type=click.Choice(["fixed", "adaptive"]), help="Overrides profile and RATE_MODE."
        ),
        click.option(
            "--policy",
            metavar="POLICY",
            help="How jobs share keys: as-is, serial, batches-of-N, key-pool, groups-spread, groups-serial.",
        ),
        click.option(
            "--ultra-parallel", is_flag=True, help="All jobs side by side; only limits and leases hold back."
        ),
        click.option(
            "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a value of the profile."
        ),
        click.option(
            "--reuse",
            metavar="RUN",
            help="Take over results of an earlier run for tests that are the same; RUN: as elsewhere, or newest.",
        ),
        click.option("--seed", type=int, default=0, show_default=True, help="Draws the tasks."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def listed(values: tuple[str, ...]) -> tuple[str, ...]:
    """Split values at commas, so that lists may be written either way.

    Raises:
        ConsoleError: if a value is empty, as where a shell variable is not set: nothing picked is not everything.
    """
    parts = tuple(part.strip() for value in values for part in value.split(","))
    if not all(parts):
        raise ConsoleError("an option names nothing: a value is empty, or has a comma too many")
    return parts


def listed_rates(values: tuple[str, ...]) -> tuple[float, ...]:
    """Split tool success rates at commas.

    Raises:
        ConsoleError: if one is no number.
    """
    rates: list[float] = []
    for text in listed(values):
        try:
            rates.append(float(text))
        except ValueError:
            raise ConsoleError(f"--tool-success-rate: {text!r} is not a number from 0 to 1") from None
    return tuple(rates)


def _debug_shard() -> int | None:
    """Return the shard that DEBUG_LOG and DEBUG_PROCESS_NUM ask for; 0: all of them; None: none."""
    asked = os.environ.get("DEBUG_LOG", "").lower()
    if asked not in (*_YES, *_NO):
        raise ConsoleError(f"DEBUG_LOG: {asked!r} is not true or false", where="environment")
    number = os.environ.get("DEBUG_PROCESS_NUM", "")
    if asked in _NO:
        return None
    if number and (not number.isascii() or not number.isdigit() or int(number) < 1):
        raise ConsoleError(f"DEBUG_PROCESS_NUM: {number!r} is not a whole number ≥ 1", where="environment")
    return int(number or 0)


def run_request(
    *,
    profile: str,
    phases: tuple[str, ...],
    model_class: str | None,
    models: tuple[str, ...],
    prompt_types: tuple[str, ...],
    difficulties: tuple[str, ...],
    task_types: tuple[str, ...],
    rates: tuple[str, ...],
    instances: int | None,
    rate_mode: str | None,
    policy: str | None,
    ultra_parallel: bool,
    overrides: tuple[str, ...],
    seed: int,
    reuse: str | None,
    out: Path | None = None,
    run_id: str | None = None,
    processes: int | None = 1,
    no_content: bool = False,
) -> Any:
    """Return the RunRequest of these options."""
    from console.phases.selection import Selection
    from console.prepare import RunRequest

    storage = os.environ.get("STORAGE_FORMAT", "parquet") or "parquet"
    if storage not in ("parquet", "json"):
        raise ConsoleError(f"STORAGE_FORMAT: {storage!r} is not parquet or json", where="environment")
    debug_shard = _debug_shard()
    selection = Selection(
        model_class=model_class,
        models=listed(models),
        prompt_types=listed(prompt_types),
        difficulties=listed(difficulties),
        task_types=listed(task_types),
        tool_success_rates=listed_rates(rates),
        instances=instances,
        policy=policy,
        ultra_parallel=ultra_parallel,
    )
    return RunRequest(
        profile=profile,
        overrides=overrides,
        phases=listed(phases),
        selection=selection,
        rate_mode=rate_mode,
        seed=seed,
        reuse=reuse,
        out=out,
        run_id=run_id,
        storage=storage,
        processes=processes,
        content=not no_content,
        debug_shard=debug_shard,
        args=tuple(sys.argv[1:]),
    )
