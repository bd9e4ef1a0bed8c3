"""Spans of time as people read them."""

from __future__ import annotations


def clock_text(seconds: float) -> str:
    """Write a span as `0:07`, `12:31` or `3:05:09`."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough_text(seconds: float) -> str:
    """Write an estimate no finer than it is known: `40 s`, `12 min`, `3 h 05`."""
    if seconds < 59.5:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02}"
