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
    "ramp": ("console.cli.capacity_search:ramp", "Find the most concurrent requests that a model bears."),
    "target": ("console.cli.capacity_search:qps_target", "Find the least concurrency that reaches a rate."),
    "resume": ("console.cli.capacity_search:resume", "Go on with a search that was killed or stopped."),
    "preset": ("console.cli.capacity_preset:preset", "Run a kind of test or of traffic by its name."),
    "report": ("console.cli.capacity_report:report", "Write the curve and the report of a search as files."),
    "export": (
        "console.cli.capacity_export:export",
        "Write a search as CSV, JSON, or as AIPerf or vLLM name it.",
    ),
    "show": ("console.cli.capacity_show:show", "Print the result of a level or of a search again."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def capacity() -> None:
    """Measure what a model bears."""
