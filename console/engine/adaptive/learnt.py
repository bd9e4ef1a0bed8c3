"""What a lane has learnt about its hidden limits: kept with its age, and offered to the next run."""

from __future__ import annotations

from typing import Final

import msgspec

FRESH_FOR_S: Final = 900.0
"""Quotas change within hours, windows within a minute: after 15 minutes it only shortens the search."""


class Learnt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Estimates of one lane. Absent: never met."""

    at_s: float
    """When, by the wall clock (Unix time): a monotonic clock means nothing to another run."""
    requests_per_s: float | None = None
    tokens_per_s: float | None = None
    window: int | None = None
    """Requests in flight that were admitted, or needed."""
    capped: bool = False
    """Whether the server refused more than `window` at once."""
    k_s: float | None = None
    """Time between two probes of the rate."""

    def age_s(self, wall_s: float) -> float:
        """Return its age; a clock that was set back makes nothing young."""
        return abs(wall_s - self.at_s)
