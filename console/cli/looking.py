"""The look ahead that `plan` and the console take: the same figures, from the same answers of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.phases.preflight import Preflight, preflight
from console.records.last_latency import last_latency
from console.records.run_dir import runs_home
from console.work.choice import MOST_TOKENS

if TYPE_CHECKING:
    from console.prepare import Prepared


def looked_ahead(prepared: Prepared, latency_s: float | None = None) -> tuple[Preflight, str]:
    """Return the preflight of a plan, and where it is known from what an answer takes.

    Args:
        prepared: the plan with its profile.
        latency_s: what every answer takes; absent: as the last run of this profile, else as the profile guesses.
    """
    profile = prepared.loaded.profile
    known = last_latency(runs_home(create=False), profile.name) if latency_s is None else None
    ahead = preflight(
        prepared.plan,
        profile,
        latency_s=latency_s,
        known_s=known.seconds if known else None,
        most_tokens=MOST_TOKENS,
    )
    guess = "as the profile guesses"
    if latency_s is not None:
        return ahead, "as --latency says"
    return ahead, f"as in {known.run_id}, else {guess}" if known else guess
