"""What widgets write to a terminal, counted through a pty: bytes are exact, so that they may be asserted."""

from __future__ import annotations

import re
from functools import partial

import pytest
from forked import Warm

import benchmarks.pty_rig
from benchmarks.grid import BYTES

rig = partial(benchmarks.pty_rig.rig, start=Warm("benchmarks.grid_stage", "byte_stages").start)
COLOUR = re.compile(rb"\x1b\[[0-9;]*(?:38|48|3[0-7]|4[0-7]|9[0-7]|10[0-7])[0-9;]*m")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("lanes", [("60", "12"), ("40", "4")])
def test_a_refresh_of_all_lanes_keeps_its_budget_and_an_equal_one_writes_nothing(
    size: tuple[int, int], lanes: tuple[str, str]
) -> None:
    with rig("benchmarks.grid_stage:build", *lanes, size=size) as running:
        counts = [running.step(number).count for number in range(1, 7)]
        assert max(counts) <= BYTES[size]
        assert min(counts) > 1_000  # something was painted, or this proves nothing
        assert running.step(-1).count == 0
        assert running.step(-1).count == 0
        assert running.end() == 0


@pytest.mark.parametrize("quantity", ["qps", "tokens", "ttft", "errors"])
def test_every_quantity_keeps_the_budget(quantity: str) -> None:
    with rig("benchmarks.grid_stage:build", "60", "12", quantity, size=(80, 24)) as running:
        assert max(running.step(number).count for number in range(1, 5)) <= BYTES[80, 24]
        assert running.step(-1).count == 0


def test_one_changed_lane_and_a_move_of_the_cursor_cost_a_few_hundred_bytes() -> None:
    with rig("byte_stages:one_lane", size=(160, 48)) as running:
        assert 0 < max(running.step(number).count for number in range(1, 4)) < 700
        assert 0 < running.type(b"j").count < 700
        assert 0 < running.type(b"l").count < 500


@pytest.mark.parametrize(
    ("stage", "arguments"), [("any_grid", ("x", "")), ("any_grid", ("x", "azure @key1")), ("table", ("x",))]
)
def test_the_ascii_form_writes_ascii_only_its_scroll_bar_too(stage: str, arguments: tuple[str, ...]) -> None:
    with rig(f"byte_stages:{stage}", *arguments, size=(100, 20)) as running:
        written = running.step(1).data + running.type(b"jjG\x1b[6~g").data + running.size(70, 15).data
        assert len(written) > 2_000
        assert written.isascii()


def test_without_colours_no_colour_is_written_and_states_are_still_told() -> None:
    no_colour = {"NO_COLOR": "1", "TEXTUAL_THEME": "ansi-dark"}
    with rig("byte_stages:any_grid", "", "", size=(100, 20), **no_colour) as running:
        written = running.step(1).data
        assert len(written) > 500
        assert COLOUR.search(written) is None
        assert all(glyph in written for glyph in (b"!", b"x  ", b"#  "))


def test_a_table_writes_the_changed_cell_and_nothing_where_nothing_changed() -> None:
    with rig("byte_stages:table", "", size=(160, 48)) as running:
        assert 0 < running.step(1).count < 200
        assert running.step(1).count == 0
        assert 0 < running.type(b"j").count < 500


def test_a_log_that_is_followed_writes_its_lines_and_one_that_is_read_only_what_is_newer() -> None:
    with rig("byte_stages:log", size=(80, 10)) as running:
        running.step(1)
        assert 0 < running.step(2).count < 1_300
        assert running.step(2).count == 0
        running.type(b"kkkk")
        assert 0 < running.step(3).count < 150
