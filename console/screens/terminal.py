"""The terminal the console draws on: whether it can, what it understands, and what to do when it goes away. No Textual here.

Textual 8.2 draws on stderr, is not stopped by TERM=dumb, and when SIGHUP is ignored and the terminal vanishes
its loop spins for ever; so a thread of ours watches the terminal. None of this touches the engine, which lives
in a process and session of its own.
"""

from __future__ import annotations

import locale
import os
import select
import sys
import termios
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from console.vocabulary.errors import ConsoleError

TERMINAL_GONE: Final = 129
"""Exit code after the terminal vanished, as of a process ended by SIGHUP."""
WATCH_EVERY_S: Final = 0.5
LAST_GRACE_S: Final = 1.2
"""How long an orderly end may take before the process ends without one; two seconds are promised."""
GIVE_BACK: Final = b"\x1b\\\x1b[m\x1b[<u\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[?1049l\x1b[?25h"
"""Ends whatever sequence was cut off, and takes back every mode the screen has set."""
_HINT = "use --no-tui, or `ultra-console attach --plain` to watch a run"
_found: list[Any] = []
"""How the terminal was set before the screen was opened."""


def require_terminal() -> None:
    """Refuse to draw where a screen cannot work.

    Raises:
        ConsoleError: with the way that works there.
    """
    if os.environ.get("TERM", "") == "dumb":
        raise ConsoleError(
            "the console needs a terminal that can place its cursor, and TERM is dumb", hint=_HINT
        )
    for stream, name in ((sys.__stdin__, "standard input"), (sys.__stderr__, "standard error")):
        if stream is None or stream.closed or not stream.isatty():
            raise ConsoleError(f"the console needs a terminal, and {name} is none", hint=_HINT)


def prepare_environment() -> None:
    """Set what Textual reads when it is imported; call it before that. Animations cost bytes on a slow line."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "15")
    if os.environ.get("TERM", "") == "linux":
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")  # it takes the question for something else
    reconfigure = getattr(sys.__stderr__, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="replace")


def wants_ascii() -> bool:
    """Whether this terminal is safer with nothing but ASCII: by the variable, by its kind, by the locale."""
    said = os.environ.get("ULTRA_CONSOLE_ASCII", "")
    if said:
        return said != "0"
    return os.environ.get("TERM", "") == "linux" or not _utf8_locale()


def wants_colours() -> bool:
    """Whether colours may be sent at all: https://no-color.org says what an empty variable means."""
    return not os.environ.get("NO_COLOR")


def _utf8_locale() -> bool:
    """Whether the user's locale speaks UTF-8. Without any, it is taken for one: containers have none, terminals do."""
    values = [os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if not values[0] and values[1] == "C.UTF-8" and values[2] in ("C", "POSIX"):
        return False  # Python itself has set the second, for its own use
    value = next(filter(None, values), "")
    if value in ("C", "POSIX"):
        return False
    codeset = value.partition(".")[2].partition("@")[0] or (locale.getencoding() if value else "utf-8")
    return codeset.lower().replace("-", "") == "utf8"


@contextmanager
def watched_terminal() -> Generator[None]:
    """End this process while the body runs if the terminal goes away."""
    over = threading.Event()
    _found[:] = [_settings()]
    threading.Thread(target=_watch, args=(over,), name="terminal-watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def leave_soon(code: int, words: Sequence[str] = ()) -> None:
    """End the process if an orderly end has not come within a moment, with the terminal as it was found and `words` on it."""

    def leave() -> None:
        _give_back("".join(f"{line}\r\n" for line in words).encode())
        os._exit(code)

    timer = threading.Timer(LAST_GRACE_S, leave)
    timer.daemon = True
    timer.start()


def _watch(over: threading.Event) -> None:
    hung_up = select.poll()
    hung_up.register(0, 0)  # a hang-up is told without being asked for
    while not over.is_set():
        told = [state for _, state in hung_up.poll(WATCH_EVERY_S * 1000)]
        gone = any(state & (select.POLLHUP | select.POLLERR) for state in told) or not _is_there()
        if gone and not over.is_set():
            os._exit(TERMINAL_GONE)  # the screen's own loop may be stuck, and nobody is left to be told
        if told:
            over.wait(WATCH_EVERY_S)  # a system that cannot be asked so


def _give_back(words: bytes) -> None:
    """Take back what the screen did to the terminal, without waiting for a line that takes nothing."""
    try:
        for settings in filter(None, _found):
            termios.tcsetattr(0, termios.TCSANOW, settings)
        line = os.open(os.ttyname(2), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        termios.tcflush(line, termios.TCOFLUSH)
        os.write(line, GIVE_BACK + words)
    except (OSError, termios.error):
        return  # it has gone, or takes nothing: there is nobody to do it for


def _settings() -> Any:
    try:
        return termios.tcgetattr(0)
    except (OSError, termios.error):
        return None


def _is_there() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False
