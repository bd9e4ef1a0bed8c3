"""Figures as people read them: durations, rates and shares of about three digits."""

from __future__ import annotations

from typing import Final

NONE: Final = "n/a"


def ms_text(value_ms: float | None) -> str:
    """Write a duration with three figures: `8.1ms`, `812ms`, `1.23s`, `123s`."""
    if value_ms is None:
        return NONE
    if value_ms < 9.95:
        return f"{value_ms:.1f}ms"
    if value_ms < 999.5:
        return f"{value_ms:.0f}ms"
    seconds = value_ms / 1000
    return (
        f"{seconds:.2f}s" if seconds < 9.995 else f"{seconds:.1f}s" if seconds < 99.95 else f"{seconds:.0f}s"
    )


def duration_text(seconds: float) -> str:
    """Write a long duration: `8.1 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 119.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def rate_text(value: float | None) -> str:
    """Write a rate with about three figures."""
    if value is None:
        return NONE
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def share_text(share: float | None) -> str:
    """Write a share as a percentage."""
    return NONE if share is None else f"{100 * share:.1f}%"
