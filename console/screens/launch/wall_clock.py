"""The time of this place: the one thing on the launch screen that no test could foretell."""

from __future__ import annotations

from datetime import datetime


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now().astimezone()
