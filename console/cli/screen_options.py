"""Options of every command that opens the screen. They say what variables say, which the screen reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def screen_options(command: CommandT) -> CommandT:
    """Add `--ascii` and `--theme`."""
    command = click.option(
        "--ascii/--no-ascii",
        default=None,
        expose_value=False,
        callback=_ascii,
        help="Draw the console with ASCII only; chosen by itself where the terminal or the locale asks for it.",
    )(command)
    return click.option(
        "--theme",
        type=click.Choice(("auto", "dark", "light")),
        expose_value=False,
        callback=_theme,
        help="Colours for a dark or a light ground; auto: as chosen before, or as the terminal says.",
    )(command)


def _ascii(_context: click.Context, _parameter: click.Parameter, value: bool | None) -> None:
    if value is not None:
        os.environ["ULTRA_CONSOLE_ASCII"] = "1" if value else "0"


def _theme(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        os.environ["ULTRA_CONSOLE_THEME"] = value
