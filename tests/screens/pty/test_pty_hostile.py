"""Every text that a screen is given is hostile: nothing of it reaches the terminal but letters."""

from __future__ import annotations

import unicodedata

import pytest
from pty_rig import UnderPty, console

WALKS = {
    "profiles": ("1", "enter", "down", "tab"),
    "launch": ("2", "enter"),
    "live": ("3", "i", "escape", "s"),
    "live-words": ("3", ":", "escape", "?", "escape", "q"),
    "capacity": ("4",),
    "results": ("5", "v", "v", "enter"),
    "runs": ("6", "enter"),
}


def harmless(terminal: UnderPty) -> None:
    screen = terminal.screen
    assert terminal.process.poll() is None, screen.text
    assert screen.foreign == []
    assert screen.clipboard == []
    assert "owned" not in screen.text, "it was stripped of what steers only at the last moment"
    hidden = {character for character in screen.text if unicodedata.category(character) in ("Cc", "Cf", "Cs")}
    assert hidden <= {"\n", "\u200d"}


@pytest.mark.parametrize("screen", WALKS)
def test_a_screen_given_nothing_but_hostile_text(screen) -> None:
    with console("attach", scene="hostile", size=(100, 30), env={"LANG": "C.UTF-8"}) as terminal:
        terminal.until("RUNNING")
        for key in WALKS[screen]:
            terminal.press(key)
            terminal.settle()
            harmless(terminal)
        assert "␛" in terminal.screen.text or screen == "capacity"


def test_a_copy_of_hostile_text_is_made_safe() -> None:
    with console("attach", scene="hostile", env={"LANG": "C.UTF-8"}) as terminal:
        terminal.until("RUNNING")
        terminal.settle()
        terminal.tell("copy", text="\x1b]0;owned\x07rm -rf /\n")
        terminal.settle()
        assert terminal.screen.foreign == []
        assert terminal.screen.clipboard == [b"c;4pCbcm0gLXJmIC8="]
