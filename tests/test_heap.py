"""The garbage collector during a run, and as it was before afterwards."""

from __future__ import annotations

import gc

import pytest

from console.heap import settled_heap


def test_collections_are_rarer_during_a_run_and_as_before_after_it() -> None:
    before = gc.get_threshold()
    with settled_heap():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_run_that_fails_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), settled_heap():
        raise ZeroDivisionError
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
