"""Limits moved by keys and by words: how far, at which gate, and what is said of it."""

from __future__ import annotations

import pytest
from fakes import QWEN, snapshot

from console.screens.live.lanes import picked
from console.screens.live.steps import move_qps, move_workers, qps_after, workers_after
from console.screens.live.typed import UnclearError, Wish, parse_wish, tunings_of
from console.vocabulary.command import Change, Tune
from console.vocabulary.lane import Scope
from widgets.lane_selection import Selection

LANES = snapshot().lanes
CELL = picked(LANES, Selection("cell", "azure", "DeepSeek-V3-0324", "key0"))
ROW = picked(LANES, Selection("row", "ideallab", QWEN[0]))
COLUMN = picked(LANES, Selection("column", column="key1"))
ALL = picked(LANES, Selection("all"))


@pytest.mark.parametrize(
    ("now", "presses", "after"),
    [(1, 1, 2), (1, -1, 1), (19, 1, 20), (20, 1, 22), (20, -1, 19), (50, 1, 55), (50, 3, 67), (50, -3, 37)],
)
def test_workers_move_by_one_below_20_and_by_a_tenth_above(now, presses, after):
    assert workers_after(now, presses) == after


@pytest.mark.parametrize(
    ("now", "presses", "after"),
    [(10, 1, 11), (1, -1, 0.9), (0.9, 1, 1.0), (0.1, -1, 0.1), (20, 1, 22), (33.3, 1, 36.6), (10, -20, 0.1)],
)
def test_qps_moves_by_tenths_below_one(now, presses, after):
    assert qps_after(now, presses) == pytest.approx(after)


def test_steps_up_and_down_never_stand_still_above_the_least():
    for now in range(1, 400):
        assert workers_after(now, 1) > now
        assert now == 1 or workers_after(now, -1) < now


def test_the_workers_of_a_lane_are_one_command_on_its_own_scope():
    tuning = move_workers(CELL, 2)
    assert tuning.command == Tune(
        scopes=(Scope("lane", "azure/DeepSeek-V3-0324@key0"),), workers=Change("+", 11)
    )
    assert tuning.text == "DeepSeek-V3-0324@key0: 50 → 61 workers"
    assert tuning.expected == {"azure/DeepSeek-V3-0324@key0": {"workers": 61}}


def test_lanes_of_different_size_move_by_the_step_of_the_smallest():
    tuning = move_workers(ALL, 1)
    assert tuning.command.workers == Change("+", 1)
    assert len(tuning.command.scopes) == len(LANES)
    assert "+1 workers each, the step of the smallest (2)" in tuning.text


def test_no_lane_is_lowered_below_one_worker():
    down = move_workers(ROW, -5)
    assert down.command.workers == Change("-", 1)
    one = picked([_with(lane, workers=1) for lane in ROW.lanes], Selection("row", "ideallab", QWEN[0]))
    assert "1 worker is the least" in move_workers(one, -1)


def test_qps_goes_to_the_gate_that_binds_and_says_who_else_passes_it():
    tuning = move_qps(picked(LANES, Selection("cell", "ideallab", QWEN[0], "key0")), LANES, 1)
    assert tuning.command == Tune(scopes=(Scope("key", "ideallab/key0"),), qps=Change("+", 1.0))
    assert tuning.text == "key ideallab/key0: 10 → 11 QPS, 5 lanes"
    assert len(tuning.expected) == 5


def test_qps_of_a_row_moves_each_key_once():
    tuning = move_qps(ROW, LANES, -1)
    assert tuning.command.scopes == tuple(Scope("key", f"ideallab/key{n}") for n in range(3))
    assert tuning.text == "3 keys: -1 QPS each, 15 lanes"


def test_qps_that_nothing_binds_or_that_is_found_is_not_moved_by_key():
    assert "= sets one" in move_qps(CELL, LANES, 1)
    found = picked([_with(CELL.lanes[0], adaptive=True, qps_scope="lane", most_qps=3.0)], Selection("all"))
    assert "adaptive mode finds its QPS" in move_qps(found, LANES, 1)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("workers 40 qps 8", Wish(Change("=", 40), Change("=", 8))),
        ("workers=40  qps=8", Wish(Change("=", 40), Change("=", 8))),
        ("40", Wish(Change("=", 40))),
        ("w +5", Wish(Change("+", 5))),
        ("qps none", Wish(None, Change("="))),
        ("QPS -0.5", Wish(None, Change("-", 0.5))),
        ("reset", Wish(Change("reset"), Change("reset"))),
        ("qps reset", Wish(None, Change("reset"))),
    ],
)
def test_limits_can_be_typed(text, wish):
    assert parse_wish(text) == wish


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "workers 40"),
        ("workers", "a figure"),
        ("workers 0", "from 1 on"),
        ("workers 2.5", "whole number"),
        ("qps 0", "more than 0"),
        ("qps nan", "not a figure"),
        ("qps inf", "not a figure"),
        ("qps +-3", "not a figure"),
        ("rpm 40", "neither"),
        ("workers 1 workers 2", "twice"),
    ],
)
def test_what_says_no_limit_is_told_why(text, why):
    with pytest.raises(UnclearError, match=why):
        parse_wish(text)


def test_typed_workers_and_qps_of_different_gates_are_two_commands():
    chosen = picked(LANES, Selection("cell", "ideallab", QWEN[0], "key0"))
    first, second = tunings_of(parse_wish("workers 4 qps 8"), chosen, LANES)
    assert first.command == Tune(scopes=(Scope("lane", f"ideallab/{QWEN[0]}@key0"),), workers=Change("=", 4))
    assert second.command == Tune(scopes=(Scope("key", "ideallab/key0"),), qps=Change("=", 8))
    assert second.text == "key ideallab/key0: QPS 8, 5 lanes"


@pytest.mark.parametrize(
    ("kind", "names", "scopes"),
    [
        ("cell", ("azure", "DeepSeek-V3-0324", "key0"), [Scope("lane", "azure/DeepSeek-V3-0324@key0")]),
        ("row", ("azure", "DeepSeek-V3-0324"), [Scope("deployment", "azure/DeepSeek-V3-0324")]),
        ("family", ("azure", "DeepSeek-V3-0324"), [Scope("model", "DeepSeek-V3-0324")]),
        ("group", ("azure",), [Scope("provider", "azure")]),
    ],
)
def test_a_first_qps_limit_is_put_on_what_is_selected(kind, names, scopes):
    (tuning,) = tunings_of(parse_wish("qps 8"), picked(LANES, Selection(kind, *names)), LANES)
    assert list(tuning.command.scopes) == scopes


def test_reset_takes_back_what_this_console_changed_as_well():
    chosen = picked(LANES, Selection("cell", "ideallab", QWEN[0], "key0"))
    touched = (Scope("deployment", f"ideallab/{QWEN[0]}"), Scope("key", "ideallab/key2"))
    (tuning,) = tunings_of(parse_wish("reset"), chosen, LANES, touched)
    assert tuning.command.scopes == (
        Scope("lane", f"ideallab/{QWEN[0]}@key0"),
        Scope("key", "ideallab/key0"),
        Scope("deployment", f"ideallab/{QWEN[0]}"),
    )
    assert tuning.command.workers == tuning.command.qps == Change("reset")


def _with(lane, **changes):
    from msgspec.structs import replace

    return replace(lane, **changes)
