from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.records.intervals import (
    holm,
    mcnemar_p,
    mean_interval,
    paired_difference,
    student_quantile,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_that_of_newcombe_1998_table_i(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert found is not None
    assert found == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_ends_are_where_the_score_test_just_fails(counts: tuple[int, int]) -> None:
    """The other way to define it: |share - p| = z · sqrt(p (1 - p) / n) at both ends."""
    successes, n = counts
    found = wilson(successes, n)
    assert found is not None
    assert 0 <= found[0] <= successes / n <= found[1] <= 1
    for p in found:
        if 0 < p < 1:
            assert abs(successes / n - p) == pytest.approx(
                1.959963984540054 * math.sqrt(p * (1 - p) / n), rel=1e-6
            )


@pytest.mark.parametrize(
    ("freedom", "t"), [(9, 2.2622), (14, 2.1448), (29, 2.0452), (99, 1.9842), (999, 1.9623)]
)
def test_student_quantiles_are_those_of_the_tables(freedom: int, t: float) -> None:
    assert student_quantile(freedom) == pytest.approx(t, abs=1e-4)


def test_the_interval_of_a_mean() -> None:
    # 10 scores, mean 0.5, deviation 0.2: 0.5 ± 2.2622 · 0.2 / sqrt(10)
    assert mean_interval(0.5, 0.2, 10) == pytest.approx((0.35693, 0.64307), abs=1e-5)
    assert mean_interval(0.5, 0.2, 9) is None
    assert mean_interval(1.0, 0.0, 100) is None, "equal scores are no reason to be certain"
    assert mean_interval(0.99, 0.5, 10)[1] == 1.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [(1, 9, 22 / 1024), (7, 18, 0.043285250663757324), (0, 6, 0.03125), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(b: int, c: int, p: float) -> None:
    assert mcnemar_p(b, c) == pytest.approx(p, rel=1e-12)
    assert mcnemar_p(c, b) == mcnemar_p(b, c)


@given(b=st.integers(0, 400), c=st.integers(0, 400))
def test_mcnemar_is_that_of_whole_numbers(b: int, c: int) -> None:
    n, least = b + c, min(b, c)
    exact = min(Fraction(1), Fraction(2 * sum(math.comb(n, k) for k in range(least + 1)), 2**n))
    assert mcnemar_p(b, c) == pytest.approx(float(exact), rel=1e-9)


def test_mcnemar_of_a_million_pairs_is_quick_and_near_the_normal_one() -> None:
    b, c = 500_000, 503_000
    z = (c - b - 1) / math.sqrt(b + c)
    assert mcnemar_p(b, c) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-3)
    assert mcnemar_p(0, 1_000_000) == 0.0


def test_a_difference_is_that_of_agresti_and_min_by_hand() -> None:
    # 50 pairs, 12 and 2 differ: (12.5 - 2.5) / 52 ± z · sqrt(15 - 10² / 52) / 52
    difference, (low, high) = paired_difference(2, 12, 50)
    assert difference == pytest.approx(0.2)
    half = 1.959963984540054 * math.sqrt(15 - 100 / 52) / 52
    assert (low, high) == pytest.approx((10 / 52 - half, 10 / 52 + half))


@pytest.mark.parametrize(
    ("both", "first", "second", "neither"),
    [(0.4, 0.1, 0.2, 0.3), (0.8, 0.02, 0.1, 0.08), (0.1, 0.05, 0.4, 0.45), (0.9, 0.04, 0.04, 0.02)],
)
def test_the_interval_of_a_difference_holds_its_level(
    both: float, first: float, second: float, neither: float
) -> None:
    """By all outcomes of 40 pairs, each weighed by its probability."""
    n, covered = 40, 0.0
    same = both + neither
    for b in range(n + 1):
        for c in range(n + 1 - b):
            ways = math.comb(n, b) * math.comb(n - b, c)
            low, high = paired_difference(b, c, n)[1]
            if low <= second - first <= high:
                covered += ways * first**b * second**c * same ** (n - b - c)
    assert 0.94 <= covered <= 0.99


def test_the_difference_says_which_way() -> None:
    assert paired_difference(10, 0, 10)[0] == -1.0
    assert paired_difference(0, 0, 20)[1][0] < 0 < paired_difference(0, 0, 20)[1][1]
    assert paired_difference(0, 10, 10)[1][1] <= 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_rejects_what_the_step_down_rule_rejects(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.2, 0.7):
        rejected: set[int] = set()
        order = sorted(range(len(p_values)), key=lambda index: p_values[index])
        for rank, index in enumerate(order):
            if min(1.0, p_values[index] * (len(p_values) - rank)) > level:
                break
            rejected.add(index)
        assert {index for index, p in enumerate(adjusted) if p <= level} == rejected
