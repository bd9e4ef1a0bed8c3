"""The type of options that are a rate: requests per second, or inf."""

from __future__ import annotations

import math
from typing import Any, Final

import click

SLOWEST: Final = 0.0001
"""Requests per second: one in three hours."""


class Rate(click.ParamType[float | None]):
    """A number of requests per second, or inf."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Return the rate; None for inf."""
        if value is None:
            return None
        try:
            rate = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number or inf", param, ctx)
        if math.isnan(rate) or rate < SLOWEST:
            self.fail(f"{value!r} is not a number ≥ {SLOWEST:g} or inf", param, ctx)
        return None if math.isinf(rate) else rate
