"""Which lanes go to which process, and with which part of their limits.

Slots are whole numbers, so a limit on them is split exactly: the parts add up to the profile's figure. A limit on a
rate is not split: two pacers at half the rate may send at the same moment, which one pacer never does. So a scope
with a rate, or with fewer slots than there are processes, stays whole on one process with all lanes that share it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.vocabulary.lane import LaneSetup, Limits, Scope, ScopedLimits

_UNLIMITED_WEIGHT = 1_000_000


def deal_lanes(setups: Sequence[LaneSetup], processes: int) -> tuple[tuple[LaneSetup, ...], ...]:
    """Return the lanes of each process, with the limits that it enforces.

    Args:
        setups: the lanes of the run.
        processes: how many there may be.

    Returns:
        At most `processes` parts, none of them empty, as few lanes do not fill more.
    """
    held: list[list[LaneSetup]] = [[] for _ in range(processes)]
    load = [0] * processes
    split: list[LaneSetup] = []
    whole: list[list[LaneSetup]] = []
    for group in _groups(setups, processes):
        if len(group) == 1 and _may_split(group[0], processes):
            split += group
        else:
            whole.append(group)
    for group in sorted(whole, key=_weight, reverse=True):
        lightest = load.index(min(load))
        held[lightest] += group
        load[lightest] += _weight(group)
    for setup in split:
        order = sorted(range(processes), key=lambda index: load[index])
        for index, limits in zip(order, _split(setup.limits, processes), strict=True):
            held[index].append(msgspec.structs.replace(setup, limits=limits))
            load[index] += limits.workers or _UNLIMITED_WEIGHT
    return _with_parts_of_outer([part for part in held if part])


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights`, in whole numbers of 1 at least that add up to it exactly.

    Raises:
        ValueError: if there are more weights than there is to split.
    """
    if len(weights) > total:
        raise ValueError(f"{total} cannot be split in {len(weights)}")
    spare = total - len(weights)
    whole = sum(weights) or 1
    parts = [1 + spare * weight // whole for weight in weights]
    rests = [spare * weight % whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda index: rests[index], reverse=True)
    for index in by_rest[: total - sum(parts)]:
        parts[index] += 1
    for index in range(total - sum(parts)):  # all weights are 0
        parts[index % len(parts)] += 1
    return parts


def moved(parts: Sequence[int], total: int) -> list[int]:
    """Return parts that add up to `total`, each 1 at least: all of them greater than before, or all smaller, or as they were.

    A part that grew while another one shrinks would let requests through before those of the other have ended.

    Raises:
        ValueError: if there are more parts than there is to split.
    """
    if len(parts) > total:
        raise ValueError(f"{total} cannot be split in {len(parts)}")
    step = total - sum(parts)
    room = list(parts) if step >= 0 else [part - 1 for part in parts]
    whole = sum(room) or 1
    steps = [abs(step) * one // whole for one in room]
    by_rest = sorted(range(len(parts)), key=lambda index: abs(step) * room[index] % whole, reverse=True)
    for index in by_rest[: abs(step) - sum(steps)]:
        steps[index] += 1
    return [part + (one if step >= 0 else -one) for part, one in zip(parts, steps, strict=True)]


def scope_shares(workers: int | None, parts: Sequence[Sequence[LaneSetup]]) -> list[int | None]:
    """Split the slots of one scope over parts, by the workers of the lanes that each has of it, 1 at least each."""
    if workers is None:
        return [None] * len(parts)
    return [*shares(workers, [_weight(part) for part in parts])]


def _may_split(setup: LaneSetup, processes: int) -> bool:
    if setup.adaptive:
        return False  # two controllers would take each other's requests for the server's doing
    limits = [setup.limits, *(outer.limits for outer in setup.outer)]
    return all(_is_exact_in_parts(each, processes) for each in limits)


def _is_exact_in_parts(limits: Limits, processes: int) -> bool:
    if limits.qps is not None or limits.rpm is not None or limits.tpm is not None:
        return False
    return limits.workers is None or limits.workers >= processes


def _split(limits: Limits, processes: int) -> list[Limits]:
    if limits.workers is None:
        return [limits] * processes
    return [Limits(workers=workers) for workers in shares(limits.workers, [1] * processes)]


def _groups(setups: Sequence[LaneSetup], processes: int) -> list[list[LaneSetup]]:
    """Return lanes that share a scope which stays whole together, every other lane by itself, in order."""
    group_of: dict[str, list[LaneSetup]] = {setup.lane.id: [setup] for setup in setups}
    first_in: dict[Scope, str] = {}
    for setup in setups:
        for outer in setup.outer:
            if _is_exact_in_parts(outer.limits, processes):
                continue
            first = first_in.setdefault(outer.scope, setup.lane.id)
            mine, theirs = group_of[setup.lane.id], group_of[first]
            if mine is not theirs:
                theirs += mine
                for other in mine:
                    group_of[other.lane.id] = theirs
    return list({id(group): group for group in group_of.values()}.values())


def _with_parts_of_outer(parts: Sequence[Sequence[LaneSetup]]) -> tuple[tuple[LaneSetup, ...], ...]:
    """Split the slots of outer scopes over the parts that have lanes in them, by the workers of these lanes."""
    weights: dict[Scope, dict[int, int]] = {}
    slots: dict[Scope, int] = {}
    for index, part in enumerate(parts):
        for setup in part:
            for outer in setup.outer:
                if outer.limits.workers is not None:
                    held = weights.setdefault(outer.scope, {})
                    held[index] = held.get(index, 0) + _weight([setup])
                    slots[outer.scope] = outer.limits.workers
    share_of = {
        scope: dict(zip(held, shares(slots[scope], list(held.values())), strict=True))
        for scope, held in weights.items()
    }

    def outer_part(outer: ScopedLimits, index: int) -> ScopedLimits:
        if outer.limits.workers is None:
            return outer
        workers = share_of[outer.scope][index]
        if workers == outer.limits.workers:
            return outer
        part = msgspec.structs.replace(outer.limits, workers=workers)
        return ScopedLimits(outer.scope, part, whole_workers=outer.limits.workers)

    return tuple(
        tuple(
            msgspec.structs.replace(setup, outer=tuple(outer_part(outer, index) for outer in setup.outer))
            for setup in part
        )
        for index, part in enumerate(parts)
    )


def _weight(group: Sequence[LaneSetup]) -> int:
    return sum(_UNLIMITED_WEIGHT if setup.limits.workers is None else setup.limits.workers for setup in group)
