"""`ultra-console capacity`: what a model bears. Each command is in a file of its own."""

from __future__ import annotations

from typing import Final

import click

from console.cli.lazy import LazyGroup

COMMANDS: Final = {
    "run": (
        "console.cli.capacity_run:run",
        "Drive one level of load and report it as `vllm bench serve` does.",
    ),
    "show": ("console.cli.capacity_show:show", "Print the result of a level again."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def capacity() -> None:
    """Measure what a model bears."""
