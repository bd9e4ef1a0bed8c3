"""Profiles for the console: which there are, their files, and whether their lanes answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from threading import Event
from typing import Final

from console.cli.backend.probing import probe_cost, probe_lanes
from console.profile.effective import ModelTotals, lane_setups, split_rules, totals
from console.profile.form import NAME, Profile
from console.profile.load import RATE_MODES, load_profile
from console.profile.places import (
    ProfileSource,
    builtin_names,
    find_profile,
    list_profiles,
    user_profiles_dir,
)
from console.profile.save import delete_profile, rename_profile, save_over
from console.profile.write import create_profile
from console.records.run_dir import runs_home
from console.screens.profiles.needs import Origin, ProbeCost, ProfileChoice, TotalsRow
from console.vocabulary.errors import ConsoleError
from console.vocabulary.probed import Probed
from console.vocabulary.safe_text import safe_line

_PUT_OFF: Final = "setup-put-off"
"""A file beside the runs: the setup of the first start was offered and not wanted."""


class Profiles:
    """What the profiles screen asks."""

    def __init__(self, first: str | None = None, *, ask_setup: bool = False) -> None:
        """Offer `first` first; it may be a path. With `ask_setup` a first start is asked what it is for."""
        self._first = first
        self._ask_setup = ask_setup
        self.loaded: dict[str, Profile] = {}
        """Those without errors, by name, as they were read last."""

    def choices(self) -> list[ProfileChoice]:
        """Return all profiles, the one asked for first, else `sim`."""
        places = list_profiles()
        names = list(dict.fromkeys(place.name for place in places))
        own = {place.name for place in places if place.path is not None}
        if self._first is not None and self._first not in names:
            names.insert(0, self._first)
        names.sort(key=lambda name: name != (self._first or "sim"))
        return [self._profile_choice(name, name in own) for name in names]

    def _profile_choice(self, name: str, own: bool) -> ProfileChoice:
        in_a_file = name == self._first and ("/" in name or name.endswith(".toml"))
        origin: Origin = "yours" if own else "file" if in_a_file else "built-in"
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

    def read(self, name: str) -> ProfileSource:
        """Return the text of a profile and where it stands."""
        return find_profile(name)

    def name_fault(self, name: str) -> str | None:
        """Return why a new profile cannot have this name."""
        from console.cli import COMMANDS

        if NAME.fullmatch(name) is None:
            return "1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or digit"
        if name.endswith(".toml"):
            return "the name comes without .toml"
        if name in COMMANDS:
            return f"'{name}' is a command's name: `ultra-console {name}` would not open the profile"
        if name in builtin_names():
            return f"'{name}' is built in, and a profile of yours would hide it everywhere"
        if os.path.lexists(user_profiles_dir() / f"{name}.toml"):
            return f"you have a profile '{name}' already"
        return None

    def create(self, name: str, text: str) -> str:
        """Write a new profile of the user's; return where it is."""
        self._refuse(name)
        return str(create_profile(name, text))

    def save(self, source: ProfileSource, text: str, *, force: bool, keep_old: bool) -> str | None:
        """Write over the file that `source` was read from; return where the old text is kept, if it is."""
        if source.path is None:
            raise ConsoleError("is built in and cannot be written over", where=source.origin)
        kept = save_over(source.path, text, read=None if force else source.text, keep_old=keep_old)
        return None if kept is None else str(kept)

    def delete(self, name: str) -> str:
        """Take a profile of the user's away; return where its text is kept."""
        return str(delete_profile(_own(name)))

    def rename(self, name: str, new: str, text: str) -> str:
        """Give a profile of the user's another name, with `text` that says so; return where it is."""
        self._refuse(new)
        return str(rename_profile(_own(name), new, text))

    def probe_cost(self, source: ProfileSource) -> ProbeCost:
        """Return what it costs to ask every lane of this text once."""
        return probe_cost(source)

    def probe(self, source: ProfileSource, told: Callable[[Probed], None], stop: Event) -> list[str]:
        """Ask every lane once, until `stop` is set; return what mends those that do not answer."""
        return probe_lanes(source, told, stop)

    def forced_mode(self) -> str | None:
        """Return the rate mode that the environment wants in place of a profile's."""
        mode = os.environ.get("RATE_MODE", "")
        return mode if mode in RATE_MODES else None

    def unset_variables(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these environment variables are not set here."""
        return frozenset(name for name in names if not os.environ.get(name))

    def is_first_start(self) -> bool:
        """Whether there is no profile of the user's, and the setup was never put off."""
        if not self._ask_setup or (runs_home(create=False).parent / _PUT_OFF).exists():
            return False
        try:
            return all(place.path is None for place in list_profiles())
        except ConsoleError:
            return False  # a directory that cannot be read may hold profiles

    def put_setup_off(self) -> None:
        """Remember that the setup need not be offered again."""
        (runs_home().parent / _PUT_OFF).touch(mode=0o600)

    def _refuse(self, name: str) -> None:
        fault = self.name_fault(name)
        if fault is not None:
            raise ConsoleError(f"'{safe_line(name, 80)}' cannot be the name: {fault}")


def _own(name: str) -> Path:
    """Return the file of a profile of the user's."""
    path = next((place.path for place in list_profiles() if place.name == name and place.path), None)
    if path is None:
        raise ConsoleError(f"there is no profile '{safe_line(name, 80)}' of yours")
    return path


def totals_rows(profile: Profile) -> tuple[TotalsRow, ...]:
    """Return what each model may use, from the function that the engine enforces."""
    return shown_totals(totals(lane_setups(profile), split_rules(profile)))


def shown_totals(rows: Iterable[ModelTotals]) -> tuple[TotalsRow, ...]:
    """Return totals as screens show them."""
    return tuple(
        TotalsRow(
            provider=row.provider, model=row.model, lanes=row.lanes, workers=row.workers, qps=row.qps_bound
        )
        for row in rows
    )
