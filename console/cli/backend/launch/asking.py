"""From what a screen asks to what `run` takes, by the very parser of `run`: both mean the same by construction."""

from __future__ import annotations

import click

from console.cli.run import HOW_IT_IS_TOLD, run
from console.cli.selecting import run_request
from console.prepare import RunRequest
from console.screens.launch.command_line import arguments
from console.screens.launch.needs import Asked
from console.vocabulary.errors import ConsoleError


def request_of(asked: Asked) -> RunRequest:
    """Return the request that `ultra-console run` makes of the same arguments.

    Raises:
        ConsoleError: in the words of `run` where it would refuse them.
    """
    try:
        context = run.make_context("run", arguments(asked))
    except click.ClickException as error:
        raise ConsoleError(error.format_message()) from None
    options = {name: value for name, value in context.params.items() if name not in HOW_IT_IS_TOLD}
    return run_request(**options)
