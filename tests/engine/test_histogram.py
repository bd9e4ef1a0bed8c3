"""Histograms for people: round edges, few of them, nothing lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console.engine.histogram import MOST_EDGES, histogram
from console.vocabulary.log_buckets import LAST_BUCKET, bucket_of, middle_ms

MS = 1_000_000


def counted(*values_ms: float) -> dict[int, int]:
    counts: dict[int, int] = {}
    for ms in values_ms:
        bucket = bucket_of(int(ms * MS))
        counts[bucket] = counts.get(bucket, 0) + 1
    return counts


def test_nothing_counted_has_no_edges():
    assert histogram({}) == ((), ())


def test_edges_are_round_and_reach_over_what_is_there():
    edges, counts = histogram(counted(*range(210, 390)))
    assert edges == (220, 250, 275, 300, 350, 400)
    assert sum(counts) == 180
    assert counts[-1] == 0
    assert all(counts[:-1])


def test_a_few_stray_ones_do_not_spread_the_edges():
    edges, counts = histogram(counted(*[300.0] * 500, *[330.0] * 500, 1.0, 60_000.0))
    assert edges[0] >= 300
    assert edges[-1] <= 350
    assert (sum(counts), counts[-1]) == (1002, 1)


@given(st.dictionaries(st.integers(0, LAST_BUCKET), st.integers(1, 10**6), min_size=1))
def test_every_value_is_in_the_bucket_that_its_edges_say(counts):
    edges, filled = histogram(counts)
    assert 1 <= len(edges) <= MOST_EDGES
    assert len(filled) == len(edges) + 1
    assert all(low < high for low, high in pairwise(edges))
    assert sum(filled) == sum(counts.values())
    below = [sum(n for bucket, n in counts.items() if middle_ms(bucket) <= edge) for edge in edges]
    assert [sum(filled[: index + 1]) for index in range(len(edges))] == below
