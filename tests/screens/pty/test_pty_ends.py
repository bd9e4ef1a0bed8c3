"""However the console ends, it does so within two seconds, gives the terminal back, and tells how to come back."""

from __future__ import annotations

import os
import signal
import time

import pytest
from fakes import RUN_DIR
from pty_rig import UnderPty, console

SOON_S = 10.0
"""Far longer than it takes, as other work may be done on the machine; `slow` asserts the two seconds that are promised."""
PROMISED_S = 2.0


def watching(**options) -> UnderPty:
    terminal = console("attach", scene="grid-60x12", **options)
    terminal.until("s stop")
    terminal.settle()
    return terminal


def stall(terminal: UnderPty) -> None:
    """Read nothing until the console has more to write than the line takes."""
    for number in range(1, 40):
        terminal.tell("show", reading=False, scene=("grid-60x12", "grid-8x3")[number % 2], step=number)
        seen = terminal.tell("looks", reading=False)["looks"]
        while terminal.tell("looks", reading=False)["looks"] < seen + 2:
            time.sleep(0.01)
        if terminal.tell("stalled", reading=False)["stalled"]:
            return
    pytest.fail("the line takes everything")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)],
    ids=["term", "hup", "int"],
)
def test_a_signal_ends_the_console_and_gives_the_terminal_back(number, code) -> None:
    with watching() as terminal:
        terminal.signal(number)
        assert terminal.ended(SOON_S) == code
        assert terminal.restored
        assert f"run {RUN_DIR.name} goes on" in terminal.screen.text
        assert f"ultra-console attach {RUN_DIR.name}" in terminal.screen.text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)], ids=["term", "int"])
def test_a_signal_ends_a_console_whose_line_takes_nothing(number, code) -> None:
    with watching(size=(160, 48)) as terminal:
        stall(terminal)
        terminal.signal(number)
        assert terminal.ended(SOON_S, reading=False) == code
        terminal.pump(0.3)
        assert terminal.restored


@pytest.mark.parametrize("ignore_hangup", [False, True], ids=["hup", "nohup"])
@pytest.mark.parametrize("stalled", [False, True], ids=["idle", "stalled"])
def test_a_console_whose_terminal_vanishes_is_gone_soon(ignore_hangup, stalled) -> None:
    with watching(size=(160, 48), ignore_hangup=ignore_hangup) as terminal:
        if stalled:
            stall(terminal)
        terminal.hang_up()
        assert terminal.ended(SOON_S, reading=False) == 129


def test_a_stop_from_the_keyboard_or_from_outside_does_no_harm() -> None:
    with watching() as terminal:
        terminal.press("ctrl+z")
        terminal.signal(signal.SIGTSTP)
        terminal.press("?")
        terminal.until("Esc closes")
        terminal.press("escape")
        terminal.until(lambda: "Esc closes" not in terminal.screen.text)
        terminal.settle()
        terminal.signal(signal.SIGSTOP)
        os.waitpid(terminal.process.pid, os.WUNTRACED)
        before = terminal.screen.text
        terminal.screen.resize(terminal.screen.width, terminal.screen.height)
        terminal.signal(signal.SIGCONT)
        terminal.until(lambda: terminal.screen.text == before)
        names = terminal.tell("threads")["threads"]
        assert names.count("textual-input") == names.count("textual-output") == 1
        terminal.press("q")
        terminal.until("detach")
        terminal.press("enter")
        assert terminal.ended(SOON_S) == 0
        assert terminal.restored


def test_noise_on_the_line_is_painted_over() -> None:
    with watching() as terminal:
        before = terminal.screen.text
        terminal.screen.feed(b"\x1b[3;5Hline noise")
        assert terminal.screen.text != before
        terminal.press("ctrl+l")
        terminal.until(lambda: terminal.screen.text == before)


def test_what_breaks_a_screen_is_told_without_secrets_and_with_the_way_back() -> None:
    with watching() as terminal:
        terminal.tell("break")
        assert terminal.ended(10.0) == 1
        told = terminal.raw.decode()
        assert "broken on purpose" in told
        assert "sk-canary" not in told
        assert f"ultra-console attach {RUN_DIR.name}" in told
        assert "owned" not in "".join(map(repr, terminal.screen.foreign))
        assert terminal.restored


@pytest.mark.slow
def test_twenty_ends_of_each_kind_come_within_the_time_that_is_promised(monkeypatch) -> None:
    monkeypatch.setattr("test_pty_ends.SOON_S", PROMISED_S)
    for _ in range(20):
        test_a_signal_ends_the_console_and_gives_the_terminal_back(signal.SIGTERM, 143)
        test_a_signal_ends_the_console_and_gives_the_terminal_back(signal.SIGHUP, 129)
        test_a_signal_ends_a_console_whose_line_takes_nothing(signal.SIGTERM, 143)
        for nohup in (False, True):
            for stalled in (False, True):
                test_a_console_whose_terminal_vanishes_is_gone_soon(nohup, stalled)
