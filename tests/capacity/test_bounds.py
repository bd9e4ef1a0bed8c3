"""Bounds equal published values, hold what defines them, and cover the truth as often as they say."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.capacity.bounds import (
    binomial_cdf,
    effective,
    fewest_for_percentile,
    fewest_for_share,
    incomplete_beta,
    mean_of,
    percentile_bounds,
    percentile_ranks,
    share_bounds,
    student_quantile,
    worth_above,
)
from console.records.percentile import percentile

COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "tail", "low", "high"),
    [
        (9, 10, 0.025, 0.5549838829718047, 0.9974714214555382),
        (94, 100, 0.025, 0.8739700654191771, 0.9776651139286836),
        (480, 500, 0.025, 0.9388973906117553, 0.9753986879144546),
        (960, 1000, 0.025, 0.9459273031806316, 0.9712723747141092),
        (0, 20, 0.05, 0.0, 0.13910834066826516),
        (59, 59, 0.05, 0.950492390111773, 1.0),
        (1, 3, 0.05, 0.0169524275084415, 0.8646496378284161),
        (190_000, 200_000, 0.05, 0.9491910650464588, 0.9507992804367675),
        (3, 200_000, 0.025, 3.093371296905321e-06, 4.383573331190015e-05),
    ],
)
def test_bounds_of_a_share_are_quantiles_of_beta_as_scipy_has_them(successes, n, tail, low, high):
    assert share_bounds(successes, n, tail=tail) == pytest.approx((low, high), rel=1e-9)


def test_nothing_says_nothing_of_a_share():
    assert share_bounds(0, 0) == (0.0, 1.0)


@given(COUNTS, st.sampled_from([0.01, 0.025, 0.05]))
def test_at_its_bounds_what_was_seen_is_just_as_unlikely_as_the_tail(counts: tuple[int, int], tail: float):
    """The other way to define it: P(X >= successes) = tail at the lower bound, P(X <= successes) at the upper."""
    successes, n = counts
    low, high = share_bounds(successes, n, tail=tail)
    assert 0 <= low <= successes / n <= high <= 1
    if successes > 0:
        assert 1 - binomial_cdf(successes - 1, n, low) == pytest.approx(tail, rel=1e-6)
    if successes < n:
        assert binomial_cdf(successes, n, high) == pytest.approx(tail, rel=1e-6)


@given(COUNTS)
def test_bounds_of_failures_mirror_those_of_successes(counts: tuple[int, int]):
    successes, n = counts
    low, high = share_bounds(successes, n)
    assert share_bounds(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "x", "value"),
    [
        (0.5, 0.5, 0.3, 0.36901011956554536),
        (2, 3, 0.4, 0.5248),
        (100, 5, 0.93, 0.13947795828628476),
        (1e5, 5e3, 0.9525, 0.5702120645423957),
    ],
)
def test_the_incomplete_beta_function_is_that_of_scipy(a, b, x, value):
    assert incomplete_beta(a, b, x) == pytest.approx(value, rel=1e-9)


@given(st.integers(0, 40), st.integers(1, 40), st.floats(0.01, 0.99))
def test_binomial_tails_are_sums_of_their_terms(k: int, n: int, p: float):
    summed = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(min(k, n) + 1))
    assert binomial_cdf(k, n, p) == pytest.approx(summed, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("freedom", "p", "value"),
    [
        (1, 0.975, 12.706204736174694),
        (4, 0.95, 2.1318467863266495),
        (9, 0.975, 2.262157162798205),
        (18, 0.995, 2.8784404727386077),
        (120.5, 0.95, 1.6575973863872033),
        (1e5, 0.975, 1.9599877075346095),
    ],
)
def test_students_quantiles_are_those_of_scipy(freedom, p, value):
    assert student_quantile(freedom, p) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "q", "tail", "low", "high"),
    [
        (58, 95, 0.05, 52, None),
        (59, 95, 0.05, 53, 59),
        (100, 95, 0.05, 91, 99),
        (130, 95, 0.05, 119, 128),
        (1000, 50, 0.025, 469, 532),
        (299, 99, 0.05, 293, 299),
        (5000, 99, 0.025, 4936, 4964),
    ],
)
def test_ranks_that_bound_a_percentile_are_those_of_the_binomial(n, q, tail, low, high):
    assert percentile_ranks(n, q, tail) == (low, high)


def test_how_many_it_takes_is_where_the_bound_first_exists():
    assert (fewest_for_percentile(95), fewest_for_percentile(99), fewest_for_percentile(90)) == (59, 299, 29)
    assert fewest_for_percentile(95, tail=0.01) == 90
    assert fewest_for_share(0.95) == 59
    assert share_bounds(59, 59)[0] >= 0.95 > share_bounds(58, 58)[0]


def test_a_percentile_of_few_samples_is_bounded_from_below_before_it_is_from_above():
    ordered = [float(i) for i in range(1, 41)]
    assert percentile_bounds(ordered, 95) == (36.0, None)  # P(Bin(40, 0.95) < 36) = 4.8 %
    assert percentile_bounds([], 95) == (None, None)


def test_samples_that_repeat_each_other_are_worth_fewer():
    assert effective(1000, 0.5) == pytest.approx(1000 / 3)
    assert effective(1000, 0.05) == 1000  # chance
    assert effective(1000, -0.5) == 1000
    blocks = [float(i // 50 % 2) for i in range(1000)]
    assert worth_above(blocks, 0.5) < 100
    rng = random.Random(1)
    assert worth_above([rng.random() for _ in range(1000)], 0.95) == 1000


def test_equal_samples_are_certain_once_there_are_enough():
    assert mean_of([5.0] * 9).bounds() == (None, None)
    assert mean_of([5.0] * 10).bounds() == (5.0, 5.0)
    assert mean_of([]).bounds() == (None, None)


def test_of_few_skew_samples_the_upper_bound_is_farther_off():
    low, high = mean_of([1.0] * 18 + [2.0, 9.0]).bounds()
    assert low is not None
    assert high is not None
    assert high - 1.45 > 1.3 * (1.45 - low)


def autoregressive(rng: random.Random, n: int, likeness: float) -> list[float]:
    """Lognormal samples whose logarithms have a lag-1 correlation."""
    state, found = rng.gauss(0, 1), []
    for _ in range(n):
        state = likeness * state + math.sqrt(1 - likeness**2) * rng.gauss(0, 1)
        found.append(math.exp(state / 2))
    return found


@pytest.mark.parametrize(("likeness", "n"), [(0.0, 60), (0.0, 400), (0.5, 400), (0.8, 1000)])
def test_intervals_cover_the_truth_as_often_as_they_say(likeness, n):
    """95 % intervals of the mean, and each one-sided bound of p95, in 400 seeded samples."""
    rng = random.Random(7)
    mean, p95 = math.exp(1 / 8), math.exp(NormalDist().inv_cdf(0.95) / 2)
    around = above = below = 0
    for _ in range(400):
        values = autoregressive(rng, n, likeness)
        low, high = mean_of(values).bounds(0.025)
        around += low is not None and high is not None and low <= mean <= high
        least, most = percentile_bounds(sorted(values), 95, worth_above(values, percentile(values, 90)))
        above += most is None or p95 <= most
        below += least is None or least <= p95
    assert around >= 0.93 * 400
    assert above >= 0.93 * 400
    assert below >= 0.93 * 400
