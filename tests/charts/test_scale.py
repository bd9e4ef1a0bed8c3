"""Axes: places in order, ticks round and few."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.charts.scale import Scale, linear, logarithmic, tick_text


@pytest.mark.parametrize(
    ("highest", "end", "ticks"),
    [
        (1634.0, 2000.0, [0, 500, 1000, 1500, 2000]),
        (44.0, 50.0, [0, 20, 40]),
        (0.7, 0.8, [0, 0.2, 0.4, 0.6, 0.8]),
        (10.0, 12.0, [0, 5, 10]),
        (0.0, 1.0, [0, 0.25, 0.5, 0.75, 1.0]),
    ],
)
def test_a_linear_axis_begins_at_0_and_ends_at_a_round_value_above_the_highest(highest, end, ticks):
    axis = linear([highest], 100, 0)
    assert (axis.low, axis.high) == (0, end)
    assert axis.ticks(5) == pytest.approx(ticks)
    assert axis.at(0) == 100
    assert axis.at(axis.high) == 0


def test_a_logarithmic_axis_has_the_rungs_of_a_ladder_at_its_ticks():
    axis = logarithmic([1, 1000], 0, 300, room=1.0)
    assert axis.ticks(10) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    assert axis.ticks(7) == [1, 3, 10, 30, 100, 300, 1000]
    assert axis.at(1) == 0
    assert axis.at(10) == pytest.approx(100)
    assert axis.at(1000) == pytest.approx(300)
    assert axis.at(0.5) == 0, "what is beyond an end is at that end"


@given(
    st.lists(st.floats(0.001, 1e7), min_size=1, max_size=8), st.integers(2, 10), st.sampled_from([linear, logarithmic])
)  # fmt: skip
def test_ticks_are_within_in_order_and_no_more_than_asked_for(values, most, axis_of):
    axis: Scale = axis_of(values, 0, 500)
    ticks = axis.ticks(most)
    assert ticks == sorted(ticks)
    assert len(ticks) <= most + 1
    assert all(axis.low * 0.999 <= tick <= axis.high * 1.001 for tick in ticks)
    assert all(0 <= axis.at(value) <= 500 for value in values)
    assert math.isfinite(axis.at(values[0]))


def test_values_of_axes_are_written_for_people():
    assert [tick_text(value) for value in (0, 0.25, 20, 1000, 12_500, 2_500_000)] == [
        "0", "0.25", "20", "1,000", "12,500", "2.5M",
    ]  # fmt: skip
