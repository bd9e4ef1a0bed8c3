"""The law that limits are held against finds the worst window, whatever its length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.limits_law import mean_at_once, most_in, pace, peak, worst_excess

S = 1_000_000_000


@given(times=st.lists(st.integers(0, 3 * S), min_size=2, max_size=30), rate=st.sampled_from([0.5, 3.0, 20.0]))
def test_the_worst_excess_is_that_of_the_fullest_of_all_windows(times, rate):
    times.sort()
    by_hand = max(
        last - first + 1 - (rate * (times[last] - times[first]) / S + 1)
        for first in range(len(times))
        for last in range(first + 1, len(times))
    )
    assert worst_excess(times, rate) == pytest.approx(by_hand, abs=1e-9)


def test_an_exact_pace_is_not_over_the_law_and_a_nanosecond_less_is():
    assert worst_excess([0, S // 10, 2 * S // 10], 10) == 0
    assert worst_excess([0, S // 10, 2 * S // 10 - 1], 10) > 0
    assert worst_excess([0], 10) == -1


def test_a_window_does_not_hold_its_end():
    times = [number * S // 10 for number in range(30)]
    assert most_in(times, 1.0) == 10
    assert most_in([0, 1, 2, S], 1.0) == 3


def test_spans_that_touch_are_not_at_once():
    assert peak([(0, 5), (5, 9), (1, 3)]) == 2
    assert mean_at_once([(0, 5), (5, 10)], 0, 10) == 1
    assert pace([0, S, 2 * S]) == 1
