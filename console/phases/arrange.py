"""What a policy makes of a phase: for every job the keys that it may use, and the jobs that it waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from console.phases.batches import arrange_batches
from console.phases.matrix import Cell, ModelChoice, cells, side_by_side
from console.phases.phase import Phase
from console.phases.policy import parse_policy
from console.profile.effective import key_scopes, split_rules
from console.profile.form import Profile
from console.vocabulary.lane import NO_KEY, SplitRule, key_name


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One job in its place: where it runs and after what."""

    cell: Cell
    key: str | None = None
    """Name of the one key that it uses; None: all of its model's, or those of the lease."""
    lease: tuple[str, ...] | None = None
    """Keys of which it leases one at a time, as `provider/key`, the one preferred first."""
    before: tuple[int, ...] = ()
    """Indices within the phase of the jobs that must be done first."""


class Arranged(msgspec.Struct, frozen=True):
    """The jobs of a phase in starting order, and what is to be said of them."""

    places: tuple[Place, ...]
    warnings: tuple[str, ...] = ()


class ModelKeys(msgspec.Struct, frozen=True):
    """The keys of one model."""

    scopes: tuple[str, ...]
    """Those that are on, as `provider/key`, in the profile's order."""
    rule: SplitRule

    @property
    def keyless(self) -> bool:
        """Whether its provider needs no key: there is nothing to share or to lease."""
        return all(key_name(scope) == NO_KEY for scope in self.scopes)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the keys, the model's own first and then on in a circle."""
        return tuple(dict.fromkeys(map(key_name, self.preferred)))

    @property
    def preferred(self) -> tuple[str, ...]:
        """The keys from the model's own on in a circle."""
        own = next((i for i, scope in enumerate(self.scopes) if key_name(scope) == self.rule.key), 0)
        return (*self.scopes[own:], *self.scopes[:own])


def arrange(phase: Phase, models: Sequence[ModelChoice], profile: Profile) -> Arranged:
    """Put the jobs of a phase in their order, as its policy says."""
    rules = split_rules(profile)
    keys = {model.name: ModelKeys(key_scopes(profile, model.name), rules[model.name]) for model in models}
    policy = parse_policy(phase.order.policy)
    match policy.kind:
        case "batches-of":
            batched = arrange_batches(
                cells(phase, models, models_inside=True),
                policy.size,
                {name: own.scopes for name, own in keys.items() if not own.keyless},
                {name: own.rule.key for name, own in keys.items()},
            )
            places = [
                Place(
                    cell=job.cell,
                    key=job.key,
                    before=tuple(i for i in range(at) if batched.jobs[i].batch < job.batch),
                )
                for at, job in enumerate(batched.jobs)
            ]
            return Arranged(tuple(places), (*_moved(places, keys), *batched.warnings))
        case "key-pool":
            places = [_leased(cell, keys[cell.model]) for cell in cells(phase, models)]
            apart = _apart(phase)
        case "groups-spread":
            places = _spread(phase, models, keys)
            apart = _spread_apart(phase, keys)
        case "groups-serial":
            places = [_as_profile(cell, keys[cell.model]) for cell in cells(phase, models)]
            apart = _apart(phase, groups=False)
        case "serial":
            places = [_as_profile(cell, keys[cell.model]) for cell in cells(phase, models)]
            apart = _always
        case "as-is":
            places = [_as_profile(cell, keys[cell.model]) for cell in cells(phase, models)]
            apart = _apart(phase)
    ordered = [
        msgspec.structs.replace(place, before=tuple(i for i in range(at) if apart(places[i], place)))
        for at, place in enumerate(places)
    ]
    return Arranged(tuple(ordered), tuple(_moved(ordered, keys)))


Apart = Callable[[Place, Place], bool]
"""Says whether two jobs run in series."""


def _always(one: Place, other: Place) -> bool:
    return True


def _apart(phase: Phase, *, groups: bool | None = None) -> Apart:
    return lambda one, other: not side_by_side(phase, one.cell, other.cell, groups=groups)


def _spread_apart(phase: Phase, keys: Mapping[str, ModelKeys]) -> Apart:
    """Groups of one model run at once where they have different keys, and in series on one."""

    def apart(one: Place, other: Place) -> bool:
        groups = None
        if one.cell.model == other.cell.model and not keys[one.cell.model].keyless:
            groups = one.key != other.key
        return not side_by_side(phase, one.cell, other.cell, groups=groups)

    return apart


def _as_profile(cell: Cell, keys: ModelKeys) -> Place:
    if keys.rule.kind == "lease":
        return _leased(cell, keys)
    one_key = keys.rule.kind == "one-key" and not keys.keyless
    return Place(cell=cell, key=keys.rule.key if one_key else None)


def _leased(cell: Cell, keys: ModelKeys) -> Place:
    return Place(cell=cell, lease=None if keys.keyless else keys.preferred)


def _spread(phase: Phase, models: Sequence[ModelChoice], keys: Mapping[str, ModelKeys]) -> list[Place]:
    groups = list(phase.prompt_groups())
    return [
        Place(cell=cell, key=own.names[groups.index(cell.group) % len(own.names)])
        if len(groups) > 1 and own.names and not own.keyless
        else _as_profile(cell, own)
        for cell in cells(phase, models)
        for own in [keys[cell.model]]
    ]


def moved_text(rule: SplitRule) -> str:
    """Say that a model uses another key than the profile names."""
    return f"its key {rule.moved_from} is off; {rule.key} is used, as it has the fewest models"


def _moved(places: Sequence[Place], keys: Mapping[str, ModelKeys]) -> list[str]:
    """Say which models use another key than the profile names, as that one is off."""
    bound = dict.fromkeys(place.cell.model for place in places if place.key is not None)
    rules = {model: keys[model].rule for model in bound}
    return [f"{model}: {moved_text(rule)}" for model, rule in rules.items() if rule.moved_from is not None]
