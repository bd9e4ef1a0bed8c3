"""Every text that a screen is given is hostile: nothing of it reaches the terminal but letters, and boxes stay whole."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator

import pytest
from pty_rig import UnderPty, console

WALKS = {
    "profiles": "1 tab down enter escape escape D escape f escape p escape w escape n escape N escape / x escape t",
    "launch": "2 down enter escape right tab tab down enter escape L escape p escape R escape c escape ?",
    "live": "3 i tab escape = escape o escape s escape t t b e enter escape / x escape v v v y : x escape ? escape q",
    "results": "4 5 i escape v enter enter enter n escape escape v v v v enter escape f x escape / x escape y ?",
    "runs": "6 space down space c escape enter escape 6 d escape p escape / x escape y",
}
"""Keys one after another: every screen, and all dialogs that can be had there."""


def harmless(terminal: UnderPty) -> None:
    screen = terminal.screen
    assert terminal.process.poll() is None, screen.text
    assert screen.foreign == []
    assert screen.clipboard == [] or all(b"\x1b" not in copied for copied in screen.clipboard)
    assert "owned" not in screen.text, "it was stripped of what steers only at the last moment"
    hidden = {character for character in screen.text if unicodedata.category(character) in ("Cc", "Cf", "Cs")}
    assert hidden <= {"\n"}
    first = screen.text.splitlines()[0]
    assert "profiles" in first.lower() or first[0] + first[-1] == "╭╮"
    whole = list(boxes(screen.cells))
    for top, left, bottom, right in whole:
        for row, column in itertools.product(range(top + 1, bottom), (left, right)):
            if not any(
                above <= row <= below and before < column < behind for above, before, below, behind in whole
            ):
                assert screen.cells[row][column] in "│├┤", f"row {row}, column {column}\n{screen.text}"


def boxes(cells: list[list[str]]) -> Iterator[tuple[int, int, int, int]]:
    """Yield top, left, bottom and right of boxes of which all corners are seen."""
    for top, line in enumerate(cells):
        for left in (place for place, cell in enumerate(line) if cell == "╭"):
            right = next((place for place in range(left, len(line)) if line[place] == "╮"), None)
            bottom = next((row for row in range(top, len(cells)) if cells[row][left] == "╰"), None)
            if right is not None and bottom is not None and cells[bottom][right] == "╯":
                yield top, left, bottom, right


@pytest.mark.parametrize("screen", WALKS)
def test_a_screen_given_nothing_but_hostile_text(screen) -> None:
    met: set[str] = set()
    with console("attach", scene="hostile", size=(100, 30), env={"LANG": "C.UTF-8"}) as terminal:
        terminal.until("RUNNING")
        for key in WALKS[screen].split():
            terminal.press(key)
            terminal.settle()
            harmless(terminal)
            met |= {cell for line in terminal.screen.cells for cell in line}
    assert {"␛", "世"} <= met


def test_a_copy_of_hostile_text_is_made_safe() -> None:
    with console("attach", scene="hostile", env={"LANG": "C.UTF-8"}) as terminal:
        terminal.until("RUNNING")
        terminal.settle()
        terminal.tell("copy", text="\x1b]0;owned\x07rm -rf /\n")
        terminal.settle()
        assert terminal.screen.foreign == []
        assert terminal.screen.clipboard == [b"c;4pCbcm0gLXJmIC8="]
