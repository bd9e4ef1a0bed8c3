"""What the profiles screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Origin = Literal["built-in", "yours", "file"]


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """What one model may use under a profile, from the function that enforces it."""

    provider: str
    model: str
    lanes: int
    workers: int | None
    """Sum over its lanes; None: unlimited."""
    qps: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """A profile that can be chosen."""

    name: str
    description: str = ""
    origin: Origin = "built-in"
    error: str | None = None
    """Why it cannot be used; then the totals are empty."""
    totals: tuple[TotalsRow, ...] = ()
    rate_mode: str = "fixed"
    simulated: bool = False
    """All its providers are simulated."""


class ProfilesNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def choices(self) -> list[ProfileChoice]:
        """Return all profiles, the one to start with first; one with an error is in it, not raised."""
        ...
