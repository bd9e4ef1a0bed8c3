"""When requests are due: totals are exact, times absolute, and a ramp sends what its rate adds up to."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.engine.arrivals import Level, Ramp, due_offsets_ns

rates = st.floats(0.01, 5000, allow_nan=False)
arrivals = st.sampled_from(["constant", "poisson", "gamma"])
ramps = st.builds(
    lambda strategy, start, end: Ramp(strategy=strategy, start_rps=start, end_rps=end),
    st.sampled_from(["linear", "exponential"]), rates, rates,
)  # fmt: skip


def level(rate: float | None = None, **options) -> Level:
    ramp = options.get("ramp")
    return Level(max_concurrency=None, request_rate=rate if ramp is None else ramp.mean_rps, **options)


@settings(deadline=None)
@given(st.integers(0, 400), rates, arrivals, st.floats(0.05, 1e6), st.integers(0, 9), st.integers())
def test_counts_and_the_end_are_exact_and_times_only_go_on(count, rate, arrival, burstiness, warm_ups, seed):
    asked = level(rate, arrival=arrival, burstiness=burstiness, warm_ups=warm_ups)
    due = due_offsets_ns(count, asked, random.Random(seed))
    assert len(due) == count
    assert due == sorted(due)
    assert all(at >= 0 for at in due)
    if count > warm_ups:
        assert due[-1] / 1e9 == pytest.approx(count / rate, rel=1e-9, abs=2e-9)
    if count >= warm_ups > 0:
        assert due[warm_ups - 1] / 1e9 == pytest.approx(warm_ups / rate, rel=1e-9, abs=2e-9)


def added_up(ramp: Ramp, until_s: float, length_s: float, steps: int = 2000) -> float:
    """Integrate the rate by Simpson's rule."""
    width = until_s / length_s / steps
    weights = [1, *([4, 2] * (steps // 2 - 1)), 4, 1]
    return sum(
        weight * ramp.rate_at(step * width) for step, weight in enumerate(weights)
    ) * width * length_s / 3  # fmt: skip


@settings(deadline=None)
@given(ramps, st.integers(1, 300), st.floats(0.01, 1))
def test_a_ramp_sends_what_its_rate_adds_up_to_at_every_instant(ramp, count, share):
    due = due_offsets_ns(count, level(ramp=ramp, arrival="constant"), random.Random(0))
    length_s = count / ramp.mean_rps
    assert due[-1] / 1e9 == pytest.approx(length_s, rel=1e-6, abs=2e-9)
    until_s = share * length_s
    sent = sum(at <= until_s * 1e9 for at in due)
    assert sent == pytest.approx(added_up(ramp, until_s, length_s), abs=1.01 + 1e-3 * count)


@settings(deadline=None)
@given(ramps, st.integers(1, 300), arrivals, st.floats(0.1, 10), st.integers())
def test_a_ramp_of_any_arrivals_has_its_count_and_its_end(ramp, count, arrival, burstiness, seed):
    asked = level(ramp=ramp, arrival=arrival, burstiness=burstiness)
    due = due_offsets_ns(count, asked, random.Random(seed))
    assert (len(due), due) == (count, sorted(due))
    assert due[-1] / 1e9 == pytest.approx(count / ramp.mean_rps, rel=1e-6, abs=2e-9)


def test_a_linear_ramp_may_begin_with_nothing_and_adds_as_much_each_second():
    ramp = Ramp(strategy="linear", start_rps=0, end_rps=20)
    due = due_offsets_ns(1000, level(ramp=ramp, arrival="constant"), random.Random(0))
    assert due[-1] == pytest.approx(100e9)
    in_tenths = [sum(10e9 * n < at <= 10e9 * (n + 1) for at in due) for n in range(10)]
    assert in_tenths == [10, 30, 50, 70, 90, 110, 130, 150, 170, 190]


def test_an_exponential_ramp_grows_by_the_same_factor_each_second():
    ramp = Ramp(strategy="exponential", start_rps=1, end_rps=64)
    count = 3000
    due = due_offsets_ns(count, level(ramp=ramp, arrival="constant"), random.Random(0))
    third_ns = due[-1] / 3
    counts = [sum(n * third_ns < at <= (n + 1) * third_ns for at in due) for n in range(3)]
    assert [later / earlier for earlier, later in pairwise(counts)] == [pytest.approx(4, rel=0.03)] * 2


@pytest.mark.parametrize(
    ("options", "cv"),
    [
        ({"arrival": "constant"}, 0.0),
        ({"arrival": "poisson"}, 1.0),
        ({"arrival": "gamma", "burstiness": 0.25}, 2.0),
        ({"arrival": "gamma", "burstiness": 4.0}, 0.5),
        ({"arrival": "poisson", "burstiness": 50.0}, 1.0),
    ],
)
def test_gaps_vary_as_the_arrivals_say(options, cv):
    due = due_offsets_ns(20_000, level(10.0, **options), random.Random(7))
    gaps = [(later - earlier) / 1e9 for earlier, later in pairwise(due)]
    assert fmean(gaps) == pytest.approx(0.1, rel=0.01)
    assert pstdev(gaps) / fmean(gaps) == pytest.approx(cv, rel=0.04, abs=1e-6)


def test_warm_ups_come_first_at_the_rate_with_which_the_level_begins():
    plain = due_offsets_ns(50, level(5.0, arrival="constant"), random.Random(1))
    warmed = due_offsets_ns(60, level(5.0, arrival="constant", warm_ups=10), random.Random(1))
    assert [at - 2_000_000_000 for at in warmed[10:]] == pytest.approx(plain, abs=1)
    ramp = Ramp(strategy="exponential", start_rps=2, end_rps=32)
    ramped = due_offsets_ns(60, level(ramp=ramp, arrival="constant", warm_ups=10), random.Random(1))
    assert ramped[9] == pytest.approx(5e9)
    assert ramped[-1] - 5e9 == pytest.approx(50 / (30 / math.log(16)) * 1e9)
