"""The lanes of one model, as levels and searches drive them."""

from __future__ import annotations

from collections.abc import Iterable

from console.profile.effective import lane_setups
from console.profile.load import LoadedProfile
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import LaneSetup


def model_lanes(loaded: LoadedProfile, model: str) -> tuple[LaneSetup, ...]:
    """Return all lanes of a model that are on.

    Raises:
        ConsoleError: if the model is not in the profile or has no lane.
    """
    lanes = lane_setups(loaded.profile, rate_mode="fixed", models=[model])
    if not lanes:
        raise ConsoleError(f"model {model!r} has no lane: its keys or deployments are switched off")
    return lanes


def any_simulated(loaded: LoadedProfile, lanes: Iterable[LaneSetup]) -> bool:
    """Whether a simulator of ours serves any of the lanes, which takes a part of this machine."""
    providers = loaded.profile.providers
    return any(providers[setup.lane.provider].api == "sim" for setup in lanes)
