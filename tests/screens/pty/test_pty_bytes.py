"""What a console costs on a slow line, counted in bytes at the other end of a pseudo terminal."""

from __future__ import annotations

import pytest
from pty_rig import UnderPty, console

TRUECOLOR = {"COLORTERM": "truecolor"}
"""The dearest colours; a terminal over SSH has usually fewer."""
SIZES = [(80, 24, 4_096), (160, 48, 10_240)]


def looked(terminal: UnderPty, times: int) -> None:
    """Wait until the console has asked for so many snapshots more."""
    seen = terminal.tell("looks")["looks"]
    while terminal.tell("looks")["looks"] < seen + times:
        terminal.pump(0.02)


def step(terminal: UnderPty, scene: str, number: int) -> None:
    terminal.tell("show", scene=scene, step=number)
    looked(terminal, 3)


@pytest.mark.parametrize(("width", "height", "most"), SIZES, ids=["80x24", "160x48"])
def test_a_refresh_with_all_lanes_busy_and_one_where_nothing_changes(width, height, most) -> None:
    with console("attach", scene="grid-8x3", size=(width, height), env=TRUECOLOR) as terminal:
        terminal.until("s stop")
        for scene in ("grid-8x3", "grid-60x12", "trouble-60x12"):
            step(terminal, scene, 1)
            costs = [terminal.cost(lambda at=at, scene=scene: step(terminal, scene, at)) for at in (2, 3)]
            assert max(costs) <= most, f"{scene}: {costs}"
            assert min(costs) > 500, "the figures did not change"
        assert terminal.cost(lambda: looked(terminal, 8)) == 0
        assert terminal.cost(lambda: (terminal.tell("elapse", seconds=5.0), looked(terminal, 8))) == 0
        assert 0 < terminal.cost(lambda: terminal.press("down")) <= 700
        assert terminal.screen.foreign == []


@pytest.mark.parametrize(("width", "height", "most"), SIZES, ids=["80x24", "160x48"])
def test_a_search_costs_a_line_while_its_level_goes_on_and_little_more_with_the_next_one(
    width, height, most
) -> None:
    with console("attach", scene="search-7", size=(width, height), env=TRUECOLOR) as terminal:
        terminal.until("s stop")
        terminal.press("4")
        terminal.until("level 8: 32")
        step(terminal, "search-7", 1)
        assert 0 < terminal.cost(lambda: step(terminal, "search-7", 2)) <= 700, "two clocks"
        assert 500 < terminal.cost(lambda: step(terminal, "search-8", 3)) <= most
        terminal.until("level 9: 39")
        step(terminal, "search-8-paused", 4)
        terminal.settle()
        assert terminal.cost(lambda: step(terminal, "search-8-paused", 5)) == 0
        assert 0 < terminal.cost(lambda: terminal.press("down")) <= 1_000
        assert terminal.screen.foreign == []


def test_no_screen_sends_anything_while_nothing_happens() -> None:
    with console(scene="busy", env=TRUECOLOR) as terminal:
        terminal.until("[2 LAUNCH]")
        terminal.settle()
        assert terminal.received <= 6_000, "what a start costs"
        for key, place in enumerate(("PROFILES", "LAUNCH", "LIVE", "CAPACITY", "RESULTS", "RUNS"), 1):
            terminal.press(str(key))
            terminal.until(f"[{key} {place}]")
            assert terminal.cost(lambda: terminal.pump(0.3)) == 0, place
        for dialog, sign in (("question_mark", "Esc closes"), ("q", "detach")):
            terminal.press("3")
            terminal.until("s stop")
            terminal.press("?" if dialog == "question_mark" else dialog)
            terminal.until(sign)
            terminal.settle()
            assert terminal.cost(lambda: terminal.pump(0.3)) == 0, dialog
            terminal.press("escape")
            terminal.until(lambda sign=sign: sign not in terminal.screen.text)


def test_a_line_that_takes_nothing_for_a_while_gets_the_newest_picture_and_not_all_of_them() -> None:
    with console("attach", scene="grid-60x12", size=(160, 48), env=TRUECOLOR) as terminal:
        terminal.until("s stop")
        terminal.settle()
        terminal.mark()
        for number in range(1, 16):
            terminal.tell("show", reading=False, scene="grid-60x12", step=number)
            seen = terminal.tell("looks", reading=False)["looks"]
            while terminal.tell("looks", reading=False)["looks"] < seen + 2:
                pass  # it looks on: nothing holds it up
        terminal.until("443/8,000")
        terminal.settle()
        assert terminal.received < 60_000, "fifteen pictures would be 125 kB"


def test_a_line_of_ten_kilobytes_a_second_stays_usable() -> None:
    with console("attach", scene="grid-60x12", env=TRUECOLOR) as terminal:
        terminal.until("s stop")
        for number in range(1, 9):
            terminal.tell("show", reading=False, scene="grid-60x12", step=number)
            terminal.pump_slowly(9_600, 0.1)
        terminal.press("?")
        came = 0
        while "Esc closes" not in terminal.screen.text:
            came += terminal.pump_slowly(9_600, 0.2)
            assert came < 60_000, "the answer to a key waits behind old pictures"
