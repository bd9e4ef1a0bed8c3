"""Spans of time as people read them."""

from __future__ import annotations

UNKNOWN = "?"
"""Stands for any figure that is not known."""


def clock_text(seconds: float | None) -> str:
    """Write a span as `0:07`, `12:31` or `3:05:09`; `?` where it is not known."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
