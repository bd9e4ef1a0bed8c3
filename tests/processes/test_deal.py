"""Lanes dealt to processes: the parts of every limit add up to the profile's figure, whatever the fleet."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.processes.deal import deal_lanes, shares
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope, ScopedLimits

LIMITS = st.builds(
    Limits,
    workers=st.none() | st.integers(1, 40),
    qps=st.none() | st.none() | st.floats(0.5, 50),
    rpm=st.none() | st.none() | st.none() | st.floats(1, 100),
)


@st.composite
def fleets(draw: st.DrawFn) -> list[LaneSetup]:
    keys = draw(st.lists(st.sampled_from(["k0", "k1", "k2"]), min_size=1, max_size=3, unique=True))
    deployments = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True))
    of_key = {key: draw(st.none() | LIMITS) for key in keys}
    of_deployment = {deployment: draw(st.none() | LIMITS) for deployment in deployments}
    of_provider = draw(st.none() | LIMITS)
    setups: list[LaneSetup] = []
    for deployment in deployments:
        for key in keys:
            outer = [
                ScopedLimits(Scope(kind, name), limits)
                for kind, name, limits in (
                    ("key", f"p/{key}", of_key[key]),
                    ("deployment", f"p/{deployment}", of_deployment[deployment]),
                    ("provider", "p", of_provider),
                )
                if limits is not None and not limits.unlimited
            ]
            setups.append(
                LaneSetup(
                    lane=Lane("p", "m", deployment, key),
                    model_class="open",
                    limits=draw(LIMITS),
                    outer=tuple(outer),
                )
            )
    return setups


def places(parts: tuple[tuple[LaneSetup, ...], ...]) -> dict[str, list[tuple[int, Limits]]]:
    found: dict[str, list[tuple[int, Limits]]] = defaultdict(list)
    for index, part in enumerate(parts):
        for setup in part:
            found[f"lane {setup.lane.id}"].append((index, setup.limits))
            for outer in setup.outer:
                if (index, outer.limits) not in found[f"{outer.scope}"]:
                    found[f"{outer.scope}"].append((index, outer.limits))
    return found


@given(fleet=fleets(), processes=st.integers(1, 6))
def test_the_parts_of_every_limit_add_up_to_it(fleet: list[LaneSetup], processes: int) -> None:
    parts = deal_lanes(fleet, processes)
    assert 1 <= len(parts) <= processes
    assert all(parts)
    whole = places((tuple(fleet),))
    found = places(parts)
    assert set(found) == set(whole)
    for scope, held in found.items():
        ((_, limits),) = whole[scope]
        assert len({index for index, _ in held}) == len(held), "one gate of a scope in a process"
        if limits.workers is None:
            assert all(part.workers is None for _, part in held)
        else:
            workers = [part.workers for _, part in held]
            assert all(one is not None and one >= 1 for one in workers)
            assert sum(workers) == limits.workers
        if limits.qps is not None or limits.rpm is not None:
            assert [(part.qps, part.rpm) for _, part in held] == [(limits.qps, limits.rpm)]


@given(fleet=fleets())
def test_one_process_has_everything_as_it_is(fleet: list[LaneSetup]) -> None:
    (only,) = deal_lanes(fleet, 1)
    assert sorted(only, key=lambda setup: setup.lane) == sorted(fleet, key=lambda setup: setup.lane)


def lane(name: str, key: str = "k", *, outer: tuple[ScopedLimits, ...] = (), **limits: float) -> LaneSetup:
    return LaneSetup(lane=Lane("p", "m", name, key), model_class="open", limits=Limits(**limits), outer=outer)


def test_a_lane_with_slots_enough_is_split_evenly() -> None:
    parts = deal_lanes([lane("a", workers=7)], 3)
    assert sorted(part[0].limits.workers for part in parts) == [2, 2, 3]


def test_few_workers_stay_on_one_process_and_lanes_spread() -> None:
    parts = deal_lanes([lane(name, workers=2) for name in "abcdef"], 3)
    assert [len(part) for part in parts] == [2, 2, 2]


def test_lanes_under_one_rate_stay_together_whole() -> None:
    key = (ScopedLimits(Scope("key", "p/k"), Limits(qps=10)),)
    parts = deal_lanes(
        [lane("a", workers=50, outer=key), lane("b", workers=50, outer=key), lane("c", workers=40)], 2
    )
    (together,) = [part for part in parts if any(setup.outer for setup in part)]
    assert [(setup.lane.deployment, setup.limits.workers) for setup in together if setup.outer] == [
        ("a", 50),
        ("b", 50),
    ]
    assert sum(setup.limits.workers or 0 for part in parts for setup in part if not setup.outer) == 40


def test_slots_of_a_key_follow_the_workers_of_its_lanes() -> None:
    key = (ScopedLimits(Scope("key", "p/k"), Limits(workers=10)),)
    parts = deal_lanes([lane("a", workers=1, outer=key), lane("b", workers=9, outer=key)], 2)
    by_lane = {setup.lane.deployment: setup.outer[0].limits.workers for part in parts for setup in part}
    assert sum({id(part): part[0].outer[0].limits.workers or 0 for part in parts}.values()) == 10
    assert by_lane["b"] > 1


@given(weights=st.lists(st.integers(0, 1000), min_size=1, max_size=20), spare=st.integers(0, 500))
def test_shares_are_whole_and_exact(weights: list[int], spare: int) -> None:
    total = len(weights) + spare
    parts = shares(total, weights)
    assert sum(parts) == total
    assert min(parts) >= 1


def test_too_little_is_not_split() -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        shares(2, [1, 1, 1])
