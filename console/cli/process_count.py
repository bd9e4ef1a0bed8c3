"""The option `--processes`: a number, or `auto`."""

from __future__ import annotations

from typing import Any

import click

MOST = 64


class ProcessCount(click.ParamType[int | None]):
    """How many engine processes; None for auto."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Return the number; None for auto."""
        if value is None or str(value).lower() == "auto":
            return None
        try:
            count = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number or auto", param, ctx)
        if not 1 <= count <= MOST:
            self.fail(f"{count} is not a number from 1 to {MOST}, or auto", param, ctx)
        return count


processes_option = click.option(
    "--processes",
    type=ProcessCount(),
    metavar="N|auto",
    default="1",
    show_default=True,
    help="Engine processes, for more than one core bears; auto: by the expected chunks/s.",
)
