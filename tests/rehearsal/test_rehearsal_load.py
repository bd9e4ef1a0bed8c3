"""Peaks and curves, held against counting by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.rehearsal.load import MOST_POINTS, NS_PER_S, Spans, curve, most_at_once, step_s
from console.rehearsal.spans_text import bar, clock_text, span_text, sparkline

times = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=25).map(
    lambda pairs: [(start, start + length) for start, length in pairs]
)


def spans_of(pairs) -> Spans:
    return Spans([start for start, _ in pairs], [end for _, end in pairs])


@given(times)
def test_the_peak_is_the_most_at_any_moment(pairs):
    counted = max((sum(start <= moment < end for start, end in pairs) for moment in range(81)), default=0)
    assert spans_of(pairs).peak == counted


@given(times, st.integers(1, 30))
def test_the_busiest_window_is_found_wherever_it_begins(pairs, window):
    starts = [start for start, _ in pairs]
    counted = max((sum(first <= start < first + window for start in starts) for first in starts), default=0)
    assert spans_of(pairs).most_within(window) == counted


@given(times, st.integers(1, 15))
def test_a_curve_holds_all_load_and_every_request(pairs, step):
    end = max((end for _, end in pairs), default=0) + 1
    drawn = curve(spans_of(pairs), end, step)
    lengths = [min(step, end - point * step) for point in range(len(drawn.qps))]
    assert sum(lengths) == end
    area = sum(mean * length for mean, length in zip(drawn.in_flight, lengths, strict=True))
    assert area == pytest.approx(sum(end - start for start, end in pairs), abs=0.001 * end)
    begun = sum(rate * length / NS_PER_S for rate, length in zip(drawn.qps, lengths, strict=True))
    assert begun == pytest.approx(len(pairs), rel=0.01)
    assert max(drawn.peak) == spans_of(pairs).peak


@given(st.lists(times, max_size=4))
def test_groups_are_counted_once_however_many_spans_they_have(groups):
    counted = max(
        (sum(any(start <= moment < end for start, end in group) for group in groups) for moment in range(81)),
        default=0,
    )
    assert most_at_once(spans_of(group) for group in groups) == counted


@pytest.mark.parametrize("duration", [0.0, 1.0, 399.0, 401.0, 3_600.0, 86_400.0, 30 * 86_400.0])
def test_curves_have_few_points(duration):
    assert duration / step_s(duration) <= MOST_POINTS


@pytest.mark.parametrize(
    ("seconds", "words", "moment"),
    [
        (0, "0 s", "0:00"),
        (12.684, "12.7 s", "0:13"),
        (2480, "41 min 20 s", "41:20"),
        (7500, "2 h 05 min", "2:05:00"),
    ],
)
def test_spans_are_written_as_people_say_them(seconds, words, moment):
    assert (span_text(seconds), clock_text(seconds)) == (words, moment)


def test_sparklines_fill_their_columns():
    assert sparkline([0, 1, 2, 4, 8], 5) == " ▁▂▄█"
    assert sparkline([1, 0], 6) == "███"
    assert sparkline([8] * 100 + [0.001] * 100, 4) == "██▁▁"
    assert sparkline([], 5) == sparkline([0.0], 5) == ""


def test_bars_show_when_something_ran():
    assert bar(0, 50, 100, 10) == "█████"
    assert bar(50, 100, 100, 10) == "     █████"
    assert bar(99, 99.1, 100, 10) == "         █"
    assert bar(30, None, 100, 10) == "   ███████"
    assert bar(None, None, 100, 10) == ""
