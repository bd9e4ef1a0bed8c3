"""Scales that people read: steps of 1, 2 and 5, and ticks of time."""

from __future__ import annotations

import math
from typing import Final

_TICK_COLUMNS: Final = 10
"""From one tick to the next, at least."""
_SPANS_S: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * n for n in (1, 2, 5, 10, 15, 30)),
    *(3600 * n for n in (1, 2, 3, 6, 12, 24, 48, 168)),
)


def round_up(value: float) -> float:
    """Return the least 1, 2 or 5 times a power of ten that is not less."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if step * power >= value * (1 - 1e-9)), 10 * power)


def tick_step_s(span_s: float, most: int) -> float:
    """Return a step of time so that at most `most` ticks divide a span."""
    least = span_s / max(1, most)
    return next((float(step) for step in _SPANS_S if step >= least), math.ceil(least / 86_400) * 86_400.0)


def tick_text(at_s: float) -> str:
    """Write a tick as people say it: `0`, `30s`, `10m`, `1h30`, `2d`."""
    whole = round(at_s)
    if whole == 0:
        return "0"
    if whole < 60 or whole % 60:
        return f"{whole // 60}m{whole % 60:02}" if whole >= 60 else f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole % 86_400 == 0:
        return f"{whole // 86_400}d"
    return f"{whole // 3600}h{whole % 3600 // 60:02}" if whole % 3600 else f"{whole // 3600}h"


def axis_text(span_s: float, width: int) -> str:
    """Write the ticks of a span of time over `width` columns, each behind a bar that stands at its time."""
    step = tick_step_s(span_s, max(1, width // _TICK_COLUMNS))
    text = ""
    number = 0
    while number * step <= span_s:
        label = f"|{tick_text(number * step)}"
        at = round(number * step / span_s * width)
        if at + len(label) > width:
            break
        text = f"{text:<{at}}{label}"
        number += 1
    return text
