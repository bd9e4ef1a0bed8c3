"""Profiles for the console."""

from __future__ import annotations

from console.profile.effective import lane_setups, split_rules, totals
from console.profile.form import Profile
from console.profile.load import load_profile
from console.profile.places import list_profiles
from console.screens.profiles.needs import ProfileChoice, TotalsRow
from console.vocabulary.errors import ConsoleError


class Profiles:
    """What the profiles screen asks."""

    def __init__(self, first: str | None = None) -> None:
        """Offer `first` first; it may be a path."""
        self._first = first
        self.loaded: dict[str, Profile] = {}
        """Those without errors, by name, as they were read last."""

    def choices(self) -> list[ProfileChoice]:
        """Return all profiles, the one asked for first, else `sim`."""
        names = list(dict.fromkeys(place.name for place in list_profiles()))
        own = {place.name for place in list_profiles() if place.path is not None}
        if self._first is not None and self._first not in names:
            names.insert(0, self._first)
        names.sort(key=lambda name: name != (self._first or "sim"))
        return [self._profile_choice(name, name in own) for name in names]

    def _profile_choice(self, name: str, own: bool) -> ProfileChoice:
        origin = "yours" if own else "file" if name == self._first and "/" in name else "built-in"
        try:
            loaded = load_profile(name)
            rows = totals_rows(loaded.profile)
        except ConsoleError as error:
            return ProfileChoice(name=name, origin=origin, error="\n".join(error.lines()))
        self.loaded[name] = loaded.profile
        return ProfileChoice(
            name=name,
            description=loaded.profile.description,
            origin=origin,
            totals=rows,
            rate_mode=loaded.profile.rate_mode,
            simulated=all(provider.api == "sim" for provider in loaded.profile.providers.values()),
        )


def totals_rows(profile: Profile) -> tuple[TotalsRow, ...]:
    """Return what each model may use, from the function that the engine enforces."""
    return tuple(
        TotalsRow(
            provider=row.provider, model=row.model, lanes=row.lanes, workers=row.workers, qps=row.qps_bound
        )
        for row in totals(lane_setups(profile), split_rules(profile))
    )
