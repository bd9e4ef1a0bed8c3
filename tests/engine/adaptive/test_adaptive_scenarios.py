"""The acceptance table: hidden limits that the controller has to find, on virtual time."""

import pytest

from benchmarks.adaptive_scenarios import ACCEPTANCE, FURTHER, Scenario, measure

NOISE = [one for one in (*ACCEPTANCE, *FURTHER) if one.faults]
FURTHER_BY_NAME = {one.name: one for one in FURTHER}


def cases(scenarios: tuple[Scenario, ...]) -> list[object]:
    """One seed of each row for every run of the suite, another one for `-m slow`."""
    return [
        pytest.param(one, seed, id=f"{one.name}-{seed}", marks=[pytest.mark.slow] if seed > 1 else [])
        for one in scenarios
        for seed in (1, 2)
    ]


@pytest.mark.parametrize(("scenario", "seed"), cases(ACCEPTANCE))
def test_finds_a_hidden_limit_and_stays_below_it(scenario: Scenario, seed: int) -> None:
    found = measure(scenario, seed)

    assert found.use >= scenario.least_use
    assert found.refused_after <= 0.01
    assert found.refused <= 0.01
    assert found.to_90_s <= max(120, 2 * scenario.window_s)
    if scenario.slots is not None:
        assert found.latency_s <= 2 * 3.0
    if scenario.steps:
        assert found.halved_s is not None
        assert found.halved_s <= 30
        assert found.refused_at_halving is not None
        assert found.refused_at_halving <= 0.03
        assert found.doubled_s is not None
        assert found.doubled_s <= 90


@pytest.mark.parametrize("scenario", NOISE, ids=lambda one: one.name)
def test_random_server_errors_cut_nothing(scenario: Scenario) -> None:
    found = measure(scenario, 3)

    cuts = [change for change in found.changes if "failed" in change.reason or "overloaded" in change.reason]
    assert not cuts
    assert found.use >= 0.95


@pytest.mark.parametrize(
    "name",
    [
        "10 rps, gateway's HTTP 400",
        "60 RPM, 10-s window, no headers",
        "600k TPM, no headers",
        "600 RPM, OpenAI's headers",
        "48 slots, FIFO, streamed",
        "cap of 200 in flight, untyped",
        "cap of 4 in flight, untyped",
        "60 RPM, minute reset",
        "10 rps, refused ones count",
    ],
)
def test_finds_it_whatever_the_server_says(name: str) -> None:
    found = measure(FURTHER_BY_NAME[name], 1)

    assert found.use >= 0.95
    assert found.refused_after <= 0.01
    assert found.to_90_s <= 120


@pytest.mark.parametrize("seed", [4, 7, 9])
def test_a_cap_is_told_from_a_rate_soon(seed: int) -> None:
    """Seeds in which closures of over a second were once taken for a window, and refusals for a rate."""
    cap = next(one for one in ACCEPTANCE if one.name.startswith("cap"))
    assert measure(cap, seed).to_90_s <= 60


def test_a_limit_that_the_server_states_is_never_met() -> None:
    assert measure(FURTHER_BY_NAME["600 RPM, OpenAI's headers"], 2).refused == 0.0


@pytest.mark.parametrize(
    "name", ["10 rps shared by 4 lanes", pytest.param("100 rps shared by 4 lanes", marks=pytest.mark.slow)]
)
def test_lanes_that_share_a_hidden_limit_use_it_and_starve_nobody(name: str) -> None:
    found = measure(FURTHER_BY_NAME[name], 1)

    assert found.use >= 0.95
    assert found.refused_after <= 0.01
    assert found.fairness >= 0.6


def test_a_server_that_becomes_slower_by_itself_keeps_its_window() -> None:
    found = measure(FURTHER_BY_NAME["20 rps, slower by itself"], 1)

    assert found.use >= 0.93
    assert any("slower by itself" in change.reason for change in found.changes)


def test_the_ceiling_of_the_profile_is_never_passed() -> None:
    """The simulation holds every send against the ceilings."""
    found = measure(FURTHER_BY_NAME["100 rps, ceiling of 40"], 1)

    assert found.use == pytest.approx(1.0, abs=0.002)
    assert found.refused == 0.0
