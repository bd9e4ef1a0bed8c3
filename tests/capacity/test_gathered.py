"""Sums over time are exact at any edge, and rows gathered one by one are as good as all at once."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_level import MS, S, Server, closed_loop, ended_ns, made_row

from console.capacity.gathered import Column, Gathered, is_good, tpot_ms
from console.capacity.grid import GRID_NS, Grid
from console.vocabulary.outcome import Outcome

SPANS = st.lists(
    st.tuples(st.integers(0, 3 * S), st.integers(0, 2 * S), st.integers(1, 500)).map(
        lambda span: (span[0], span[0] + span[1], float(span[2]))
    ),
    max_size=30,
)


def part_of(span: tuple[int, int, float], from_ns: float, to_ns: float) -> float:
    """How much of one span lies between two moments, the plain way."""
    begin, end, amount = span
    if end == begin:
        return amount if from_ns <= begin < to_ns else 0.0
    return amount * max(0.0, min(end, to_ns) - max(begin, from_ns)) / (end - begin)


@given(SPANS, st.lists(st.integers(0, 100), min_size=2, max_size=8, unique=True).map(sorted))
def test_a_grid_is_the_sum_of_the_parts_of_its_spans(spans, places):
    grid = Grid(0)
    for span in spans:
        grid.add(*span)
    edges = [place * GRID_NS for place in places]
    expected = [sum(part_of(span, a, b) for span in spans) for a, b in pairwise(edges)]
    assert grid.between(edges) == pytest.approx(expected, abs=1e-3)


def test_between_edges_of_the_grid_sums_rise_evenly():
    grid = Grid(10 * S)
    grid.add(10 * S, 12 * S, 200.0)
    assert grid.between([10 * S + 13 * MS, 11 * S + 13 * MS]) == pytest.approx([100.0])
    assert grid.between([9 * S, 10 * S, 20 * S, 30 * S]) == pytest.approx([0.0, 200.0, 0.0])


def test_what_comes_late_is_put_in_its_place():
    column = Column()
    for at_ns, value in ((1, 1.0), (5, 5.0), (3, 3.0), (9, 9.0), (4, 4.0)):
        column.add(at_ns, value)
    assert column.inside(3, 9) == [3.0, 4.0, 5.0]
    assert column.count(0, 10) == 5


def test_rows_one_by_one_in_any_order_are_as_good_as_all_at_once():
    rows = closed_loop(Server(random.Random(1), 5), 8, 10)
    shuffled = rows[:]
    random.Random(2).shuffle(shuffled)
    at_once, late = Gathered(0, rows), Gathered(0)
    late.extend(shuffled)
    assert len(late) == len(at_once) == len(rows)
    assert list(late.stays.at) == list(at_once.stays.at) == [ended_ns(row) for row in rows]
    assert sorted(late.samples["ttft"].values) == sorted(at_once.samples["ttft"].values)
    edges = [edge * S for edge in range(11)]
    assert late.work(edges) == pytest.approx(at_once.work(edges))
    assert late.spent_tokens == at_once.spent_tokens == sum(20 + (row.completion_tokens or 0) for row in rows)


def test_work_is_counted_in_what_is_known_of_every_answer():
    level = Gathered(0, [made_row(0), made_row(0, outcome=Outcome.SERVER_ERROR)])
    assert (level.unit, level.work([0, S])) == ("tokens", pytest.approx([11.0]))
    level.add(made_row(S, completion_tokens=None, chunks=7))
    assert (level.unit, level.work([0, 2 * S])) == ("chunks", pytest.approx([18.0]))
    level.add(made_row(2 * S, stream=False, chunks=0))
    assert (level.unit, level.work([0, 3 * S])) == ("requests", pytest.approx([3.0]))
    level.add(made_row(3 * S))
    assert level.unit == "requests"


def test_an_answer_without_stream_is_made_all_the_while():
    level = Gathered(0, [made_row(0, ttft_ms=1000, e2e_ms=1000, tokens=40, stream=False)])
    assert level.work([0, S // 2, S]) == pytest.approx([20.0, 20.0])


def test_what_was_spent_is_estimated_where_no_usage_is_told():
    level = Gathered(0, prompt_tokens=30)
    level.add(made_row(0, prompt_tokens=None, completion_tokens=None, chunks=9))
    assert level.spent_tokens == 39
    level.add(made_row(0, outcome=Outcome.RATE_LIMITED))
    assert level.spent_tokens == 39
    level.add(made_row(0, outcome=Outcome.PROTOCOL, chunks=4))
    assert level.spent_tokens == 39 + 34


def test_an_answer_is_good_within_every_limit():
    row = made_row(0, ttft_ms=100, e2e_ms=500, tokens=11)
    assert tpot_ms(row) == pytest.approx(40.0)
    assert is_good(row, (("ttft", 100.0), ("tpot", 40.0), ("e2e", 500.0))) is True
    assert is_good(row, (("ttft", 100.0), ("tpot", 39.0))) is False
    assert is_good(made_row(0, tokens=1), (("tpot", 1.0),)) is True
    assert is_good(made_row(0, completion_tokens=None), (("tpot", 1.0),)) is None
