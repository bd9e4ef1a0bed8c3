"""What a lane has learnt about its hidden limits: kept with its age, and offered to the next run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

_Rate = Annotated[float, msgspec.Meta(gt=0.0, le=1e9)]
_Window = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=1e6)]


class Learnt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Estimates of one lane. Absent: never met."""

    at_s: float
    """When, by the wall clock (Unix time): a monotonic clock means nothing to another run."""
    requests_per_s: _Rate | None = None
    tokens_per_s: _Rate | None = None
    window: _Window | None = None
    """Requests in flight that were admitted, or needed."""
    capped: bool = False
    """Whether the server refused more than `window` at once."""
    k_s: _Seconds | None = None
    """Time between two probes of the rate."""

    def age_s(self, wall_s: float) -> float:
        """Return its age; a clock that was set back makes nothing young."""
        return abs(wall_s - self.at_s)

    @property
    def says_nothing(self) -> bool:
        """Whether no limit has been met."""
        return self.requests_per_s is None and self.tokens_per_s is None and self.window is None

    @property
    def has_rate(self) -> bool:
        """Whether a limit on requests or tokens over time has been met."""
        return self.requests_per_s is not None or self.tokens_per_s is not None

    def same_figures(self, other: Learnt) -> bool:
        """Whether both say the same of the limits, whenever they were learnt."""
        return msgspec.structs.replace(other, at_s=self.at_s, k_s=self.k_s) == self


def with_ages(learnt: Mapping[str, Learnt], wall_s: float) -> dict[str, tuple[Learnt, float]]:
    """Return each with its age in seconds."""
    return {lane_id: (one, one.age_s(wall_s)) for lane_id, one in learnt.items()}


def figures_text(learnt: Learnt) -> str:
    """Say what was found: `9.3 requests/s, 12,000 tokens/min, 40 in flight`."""
    parts: list[str] = []
    if learnt.requests_per_s is not None:
        parts.append(f"{learnt.requests_per_s:.3g} requests/s")
    if learnt.tokens_per_s is not None:
        parts.append(f"{60 * learnt.tokens_per_s:,.0f} tokens/min")
    if learnt.window is not None:
        parts.append(f"{learnt.window} in flight")
    return ", ".join(parts) or "no limit"


def age_text(seconds: float) -> str:
    """Say how long ago something was: `40 s`, `4 min`, `3 h`, `2 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:.0f} days"
