"""Bars of one line."""

from __future__ import annotations

from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def bar_text(value: float, limit: float | None, width: int, ascii_only: bool) -> str:
    """Draw how much of the limit is used, `width` columns wide; nothing where there is no limit."""
    if not limit:
        return " " * width
    share = min(1.0, max(0.0, value / limit))
    if ascii_only:
        return ("#" * max(round(share * width), 1 if value else 0)).ljust(width, ".")
    eighths = max(round(share * width * 8), 1 if value else 0)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)
