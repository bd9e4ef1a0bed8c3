"""Profiles in memory: two built-in ones, two of the user's (one broken), and lanes that answer as they are told to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from console.cli.backend.profiles import Profiles as RealProfiles
from console.profile.effective import lane_setups, split_rules, totals
from console.profile.load import load_source
from console.profile.places import ProfileSource, find_profile
from console.profile.save import ChangedOnDisk
from console.screens.profiles.needs import ProbeCost, ProfileChoice, TotalsRow
from console.vocabulary.errors import ConsoleError
from console.vocabulary.probed import Probed

MINE = """\
# my lab: ask Wei before raising anything
name = "mine"
description = "my lab"

[providers.lab]
api = "openai"
base_url = "https://gateway.example.com/v1"
keys = { key0 = "env:LAB_KEY_0", key1 = "env:LAB_KEY_1" }
keys_off = [
  "key1",  # broken since May
]
limits = { key = { qps = 10 } }

[models."qwen2.5-72b-instruct"]
provider = "lab"
class = "open"

[models."qwen2.5-7b-instruct"]
provider = "lab"
class = "open"
deployments = ["qwen-a", "qwen-b"]

[limits.lab.open]
fixed = { workers = 4, qps = 5 }  # per lane
adaptive = { workers = 8 }
"""
BROKEN = """\
name = "broken"
[providers.lab]
api = "openai"
"""


@dataclass
class FakeProfiles:
    """Answers the profiles screen."""

    builtin: dict[str, str] = field(
        default_factory=lambda: {name: find_profile(name).text for name in ("sim", "corrected-0824")}
    )
    own: dict[str, str] = field(default_factory=lambda: {"mine": MINE, "broken": BROKEN})
    kept: dict[str, str] = field(default_factory=dict)
    """Old texts, as NAME.toml~."""
    unreadable: ConsoleError | None = None
    unwritable: ConsoleError | None = None
    mode: str | None = None
    first_start: bool = False
    put_off: bool = False
    answers: list[Probed] = field(default_factory=list)
    fixes: list[str] = field(default_factory=list)
    go_on: Event = field(default_factory=Event)
    """The probe tells one answer, and waits for this before the others."""
    stopped: bool = False
    set_variables: set[str] = field(default_factory=set)

    def choices(self) -> list[ProfileChoice]:
        if self.unreadable is not None:
            raise self.unreadable
        return [self._choice(name) for name in (*self.builtin, *self.own)]

    def _choice(self, name: str) -> ProfileChoice:
        origin = "yours" if name in self.own else "built-in"
        try:
            profile = load_source(self.read(name), environ={}).profile
        except ConsoleError as error:
            return ProfileChoice(name, origin=origin, error="\n".join(error.lines()))
        rows = totals(lane_setups(profile), split_rules(profile))
        return ProfileChoice(
            name,
            profile.description,
            origin,
            totals=tuple(
                TotalsRow(row.provider, row.model, row.lanes, row.workers, row.qps_bound) for row in rows
            ),
            rate_mode=profile.rate_mode,
            simulated=all(provider.api == "sim" for provider in profile.providers.values()),
        )

    def read(self, name: str) -> ProfileSource:
        if name in self.own:
            path = Path(f"/profiles/{name}.toml")
            return ProfileSource(name=name, origin=str(path), path=path, text=self.own[name])
        if name in self.builtin:
            return ProfileSource(name=name, origin=f"built-in {name}", path=None, text=self.builtin[name])
        raise ConsoleError(f"there is no profile '{name}'")

    def name_fault(self, name: str) -> str | None:
        if name in self.own:
            return f"you have a profile '{name}' already"
        return RealProfiles().name_fault(name)

    def create(self, name: str, text: str) -> str:
        if self.unwritable is not None:
            raise self.unwritable
        load_source(ProfileSource(name=name, origin=name, path=None, text=text), environ={})
        self.own[name] = text
        return f"/profiles/{name}.toml"

    def save(self, source: ProfileSource, text: str, *, force: bool, keep_old: bool) -> str | None:
        if self.unwritable is not None:
            raise self.unwritable
        if not force and self.own.get(source.name) != source.text:
            raise ChangedOnDisk("has been changed by somebody else", where=str(source.path))
        if keep_old:
            self.kept[source.name] = self.own[source.name]
        self.own[source.name] = text
        return f"/profiles/{source.name}.toml~" if keep_old else None

    def delete(self, name: str) -> str:
        self.kept[name] = self.own.pop(name)
        return f"/profiles/{name}.toml~"

    def rename(self, name: str, new: str, text: str) -> str:
        del self.own[name]
        return self.create(new, text)

    def probe_cost(self, source: ProfileSource) -> ProbeCost:
        loaded = load_source(source, environ={})
        lanes = tuple(setup.lane.id for setup in lane_setups(loaded.profile))
        simulated = all(provider.api == "sim" for provider in loaded.profile.providers.values())
        return ProbeCost(lanes, f"sends {len(lanes)} requests, one a lane, to 1 provider", simulated)

    def probe(self, source: ProfileSource, told: Callable[[Probed], None], stop: Event) -> list[str]:
        for number, one in enumerate(self.answers):
            while number and not self.go_on.wait(0.02):
                if stop.is_set():
                    self.stopped = True
                    return []
            told(one)
        return self.fixes

    def forced_mode(self) -> str | None:
        return self.mode

    def unset_variables(self, names: Collection[str]) -> frozenset[str]:
        return frozenset(names) - self.set_variables

    def is_first_start(self) -> bool:
        return self.first_start and not self.put_off

    def put_setup_off(self) -> None:
        self.put_off = True
