"""What adaptive runs found, as settings of a profile: one safe figure for all lanes of a class."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from console.profile.effective import class_limits, lane_places, usable_keys
from console.profile.form import Key, Profile, url_fault
from console.profile.secrets import source_of
from console.profile.toml_lines import KeyPath, dotted
from console.vocabulary.lane import Lane, ModelClass
from console.vocabulary.learnt import Learnt

SAFE: Final = 0.95
"""Part of a rate that was found to be set as a fixed one: a fixed rate never steps back when it is refused."""


class LanePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A lane of a profile, and by what it is known without its key."""

    lane: Lane
    model_class: ModelClass
    table: str
    """Name of the limits table in force for it."""
    base_url: str | None
    """None: it is in a variable that is not set here."""
    key_source: str


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Settings for the lanes of one class."""

    table: str
    model_class: ModelClass
    lanes: int
    """Of how many lanes they are the least."""
    settings: tuple[tuple[str, float], ...]
    """Dotted path and value."""
    notes: tuple[str, ...] = ()

    @property
    def flags(self) -> str:
        """Return them as they are given on the command line."""
        return " ".join(f"--set {shlex.quote(f'{path}={value:g}')}" for path, value in self.settings)


def lane_places_of(profile: Profile) -> Iterator[LanePlace]:
    """Yield every lane that is on and whose server is not one of the run's own simulators. No secret is resolved."""
    for name, model in profile.models.items():
        if model.off:
            continue
        for deployment, home in lane_places(profile, name):
            provider = profile.providers[home]
            if provider.api == "sim":
                continue
            for key_name in usable_keys(profile, name, home):
                key = provider.keys.get(key_name, Key())
                yield LanePlace(
                    lane=Lane(home, name, deployment, key_name),
                    model_class=model.model_class,
                    table=provider.limits_as or home,
                    base_url=_url(key.base_url or provider.base_url or ""),
                    key_source="" if key.secret is None else source_of(key.secret),
                )


def offers(profile: Profile, places: Sequence[LanePlace], learnt: Mapping[str, Learnt]) -> list[Offer]:
    """Return what the profile may say of each class of lanes, from the least that any of them was found to bear.

    Args:
        profile: the profile.
        places: its lanes.
        learnt: by lane id, what is known.
    """
    groups: dict[tuple[str, ModelClass], list[LanePlace]] = {}
    for place in places:
        if place.lane.id in learnt:
            groups.setdefault((place.table, place.model_class), []).append(place)
    found = [_offer(profile, group, [learnt[one.lane.id] for one in group]) for group in groups.values()]
    return [offer for offer in found if offer.settings]


def _offer(profile: Profile, group: Sequence[LanePlace], learnt: Sequence[Learnt]) -> Offer:
    first = group[0]
    limits = class_limits(profile, first.lane.provider, first.model_class)
    rate = min((one.requests_per_s for one in learnt if one.requests_per_s is not None), default=None)
    tokens = min((one.tokens_per_s for one in learnt if one.tokens_per_s is not None), default=None)
    window = min((one.window for one in learnt if one.window is not None), default=None)
    settings: list[tuple[str, float]] = []
    if window is not None:
        settings.append(("workers", window))
    if rate is not None:
        settings.append(("qps", _down(SAFE * rate)))
    if tokens is not None:
        settings.append(("tpm", _down(SAFE * 60 * tokens)))
    notes: list[str] = []
    if limits is not None and limits.fixed is None and window is None and settings:
        notes.append("the class has no fixed limits yet: they need workers as well")
    if limits is not None and limits.prompt_multiplier and window is not None:
        notes.append("workers are multiplied by the prompt types of a job: divide them by as many")
    if limits is not None and limits.per == "job":
        notes.append("each job has its own copy of these limits: divide them by the jobs that run at once")
    path: KeyPath = ("limits", first.table, first.model_class, "fixed")
    return Offer(
        table=first.table,
        model_class=first.model_class,
        lanes=len(group),
        settings=tuple((dotted((*path, name)), value) for name, value in settings),
        notes=tuple(notes),
    )


def _down(value: float) -> float:
    """Round down to two digits that count: a figure that looks exact would be believed."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / step + 1e-9) * step:.6g}")


def _url(url: str) -> str | None:
    if not url.startswith("env:"):
        return url
    value = os.environ.get(url.removeprefix("env:"), "").strip()
    return value if value and url_fault(value) is None else None
