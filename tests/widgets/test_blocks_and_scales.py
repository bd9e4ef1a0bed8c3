"""Blocks and scales, of which charts of figures over time are made: heights, columns, ticks."""

from __future__ import annotations

import pytest

from widgets.block_columns import columns_of, fitted
from widgets.scales import axis_text, round_up, tick_step_s, tick_text


def test_columns_tell_nought_from_a_gap_and_stop_at_the_top() -> None:
    assert columns_of([0, None, 4, 8, 99], 8, 1, ascii_only=False) == ["▁ ▄██"]
    assert columns_of([0, None, 4, 7, 99], 7, 1, ascii_only=True) == [". =##"]
    assert columns_of([1, 8, 9, 16], 16, 2, ascii_only=False) == ["  ▁█", "▁███"]


def test_values_that_share_a_column_show_their_greatest_and_few_are_spread() -> None:
    assert fitted([1, 5, 2, None, None, None], 3) == [5, 2, None]
    assert fitted([1, 2], 4) == [1, 1, 2, 2]
    assert fitted([], 3) == [None] * 3
    assert fitted([1], 0) == []


@pytest.mark.parametrize("span_s", [1, 59, 60, 750, 3600, 5400, 86_400, 900_000])
@pytest.mark.parametrize("width", [12, 40, 130])
def test_ticks_stand_at_their_time_and_do_not_touch(span_s: float, width: int) -> None:
    text = axis_text(span_s, width)
    ticks = text.split("|")[1:]
    assert len(text) <= width
    assert ticks[0].strip() == "0"
    assert all(tick.endswith(" ") for tick in ticks[:-1])
    step = tick_step_s(span_s, max(1, width // 10))
    for number, tick in enumerate(ticks):
        assert tick.strip() == tick_text(number * step)


@pytest.mark.parametrize(
    ("value", "up"), [(0, 1), (1, 1), (1.1, 2), (3, 5), (6, 10), (0.03, 0.05), (2e6, 2e6), (float("inf"), 1)]
)
def test_scales_grow_by_one_two_five(value: float, up: float) -> None:
    assert round_up(value) == pytest.approx(up)
