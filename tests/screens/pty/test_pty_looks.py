"""What each kind of terminal is sent: colours it has, characters it can show, nothing it would not understand."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pty_rig import UnderPty, console

UTF8 = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def walked(terminal: UnderPty) -> None:
    """Open every screen, a question and the help."""
    for key, place in enumerate(("PROFILES", "LAUNCH", "LIVE", "CAPACITY", "RESULTS", "RUNS"), 1):
        terminal.press(str(key))
        terminal.until(f"[{key} {place}]")
    terminal.press("3")
    terminal.until("s stop")
    for key, sign in (("?", "Esc closes"), ("s", "Stop the run now?")):
        terminal.press(key)
        terminal.until(sign)
        terminal.press("escape")
        terminal.until(lambda sign=sign: sign not in terminal.screen.text)
    terminal.settle()


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--ascii"], UTF8),
        ([], {**UTF8, "TERM": "linux"}),
        ([], {"LC_ALL": "de_DE.ISO-8859-1"}),
        ([], {**UTF8, "ULTRA_CONSOLE_ASCII": "1"}),
    ],
    ids=["option", "linux", "locale", "variable"],
)
def test_only_ascii_is_sent_where_that_is_asked_for_or_safer(arguments, env) -> None:
    with console(*arguments, env=env) as terminal:
        terminal.until("[2 LAUNCH]")
        if arguments:
            walked(terminal)
        terminal.settle()
        assert bytes(terminal.raw).isascii()
        assert "+-" in terminal.screen.text or not arguments


def test_no_colour_at_all_is_sent_where_the_user_wants_none() -> None:
    with console(env={"NO_COLOR": "1", "COLORTERM": "truecolor", **UTF8}) as terminal:
        terminal.until("[2 LAUNCH]")
        walked(terminal)
        assert not terminal.screen.colours
        assert b"\x1b[1m" in terminal.raw, "what is bold stays bold"
        assert terminal.screen.foreign == []


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({"TERM": "xterm-256color"}, b"38;5;"),
        ({"TERM": "screen-256color"}, b"38;5;"),
        ({"TERM": "screen"}, b"3"),
        ({"TERM": "xterm"}, b"3"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, b"38;2;"),
    ],
    ids=["256", "tmux", "screen", "16", "truecolor"],
)
def test_a_terminal_is_sent_colours_that_it_has(env, kind) -> None:
    with console("attach", scene="grid-8x3", env={**UTF8, **env}) as terminal:
        terminal.until("s stop")
        terminal.settle()
        sent = terminal.screen.colours
        assert any(kind in style for style in sent)
        others = {b"38;5;", b"38;2;"} - {kind}
        assert not any(other in style for style in sent for other in others)
        assert terminal.screen.foreign == []
        assert not terminal.screen.mouse
        assert not terminal.screen.cursor_shown


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_the_theme_is_as_the_option_says_or_the_terminal(ground) -> None:
    fields = {"light": "0;15", "dark": "15;0"}[ground]
    for arguments, env in ((["--theme", ground], {}), ([], {"COLORFGBG": fields})):
        with console(*arguments, env={**UTF8, **env, "COLORTERM": "truecolor"}) as terminal:
            terminal.until("[2 LAUNCH]")
            terminal.settle()
            grounds = {look[2] for row in terminal.screen.looks for look in row}
        assert ("48;2;252;252;250" in grounds) == (ground == "light"), grounds


def test_a_terminal_that_cannot_place_its_cursor_is_refused_with_the_way_that_works_there() -> None:
    with console(env={"TERM": "dumb"}) as terminal:
        assert terminal.ended(10.0) == 2
        assert "TERM is dumb" in terminal.screen.text.replace("\n", " ")
        assert "--no-tui" in terminal.screen.text


def test_without_a_terminal_the_console_is_refused_in_words() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console"],
        env={**os.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs a terminal, and standard input is none" in done.stderr
    assert "--no-tui" in done.stderr


def test_sizes_down_to_the_least_and_below() -> None:
    with console("attach", scene="grid-60x12", env=UTF8) as terminal:
        terminal.until("s stop")
        terminal.resize(60, 15)
        terminal.until("s stop")
        assert "RUNNING" in terminal.screen.text
        terminal.resize(59, 14)
        terminal.until("make the window larger (60×15)")
        terminal.until("5.1 RUNNING 338/8000")
        terminal.resize(20, 5)
        terminal.until("make the window")
        terminal.resize(160, 48)
        terminal.until("pid")
        terminal.until("s stop")
        assert terminal.screen.foreign == []
