"""The terminal the console draws on: whether it can, and what to do when it goes away. No Textual here.

Textual 8.2 draws on stderr, is not stopped by TERM=dumb, and when SIGHUP is ignored and the terminal vanishes
its loop spins for ever; so a thread of ours watches the terminal. None of this touches the engine, which lives
in a process and session of its own.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from console.vocabulary.errors import ConsoleError

TERMINAL_GONE = 129
"""Exit code after the terminal vanished, as of a process ended by SIGHUP."""
WATCH_EVERY_S = 1.0
LAST_GRACE_S = 2.0
_HINT = "use --no-tui, or `ultra-console attach --plain` to watch a run"


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
    """Set what Textual reads when it is imported; call it before that.

    Animations cost bytes on a slow line. Under NO_COLOR only the ANSI theme, chosen this early, sends no colours.
    """
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "15")
    if os.environ.get("NO_COLOR"):
        os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")
    reconfigure = getattr(sys.__stderr__, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="replace")


@contextmanager
def watched_terminal() -> Generator[None]:
    """End this process while the body runs if the terminal goes away."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_EVERY_S):
            if not _is_there():
                os._exit(TERMINAL_GONE)  # the screen's own loop may be stuck in a write; nothing is lost

    threading.Thread(target=watch, name="terminal-watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def leave_soon(code: int) -> None:
    """End the process if an orderly end has not come within a moment."""
    timer = threading.Timer(LAST_GRACE_S, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _is_there() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False
