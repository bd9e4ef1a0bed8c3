"""Writes to the terminal without ever waiting for it, and leaves it as it was found.

Textual's driver writes from a thread that blocks when the line does; after thirty writes so does the whole screen,
and with it every way to end. Here the line says whether all it was given has left, and what it cannot deliver at
the end is dropped.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from typing import Any, Final

from textual.drivers.linux_driver import LinuxDriver

_TRY_MS: Final = 100
_LAST_WRITES_S: Final = 0.3
"""How long the last words may wait on a line that takes nothing, before and after what stands before them is dropped."""
_LAST_WORDS: Final = 64
"""Bytes in a sequence that gives the terminal back; a longer text is a picture."""
_PIECE: Final = 4096


class Line:
    """The terminal as the writing thread sees it."""

    def __init__(self, stream: Any) -> None:
        """Write where `stream` does."""
        self._stream = stream
        self._descriptor, self._own = _without_waiting(stream.fileno())
        self._given = self._left = 0
        self._deadline = float("inf")
        self._dropped = False
        self.gone = False
        """Whether the terminal has vanished; nothing is written any more."""
        self.when_clear: Callable[[], None] | None = None
        """Called, in the writing thread, whenever all has left."""

    def note(self) -> None:
        """Count a text that is on its way to `write`."""
        self._given += 1

    @property
    def busy(self) -> bool:
        """Whether something has not left yet."""
        return self._given != self._left

    def hurry(self) -> None:
        """Give what is still to be written only a moment, and drop what stands before it."""
        self._deadline = time.monotonic() + _LAST_WRITES_S

    def write(self, text: str) -> None:
        """Write all of it, unless the terminal is gone or there is no time left."""
        data = memoryview(text.encode(self._stream.encoding or "utf-8", "replace"))
        while data and not self.gone:
            if time.monotonic() > self._deadline:
                self._drop_what_waits()
                if len(data) > _LAST_WORDS:
                    break
            data = data[self._put(data[:_PIECE]) :]
        self._left += 1
        if not self.busy and self.when_clear is not None:
            self.when_clear()

    def flush(self) -> None:
        """Do nothing: what is written has been written."""

    def fileno(self) -> int:
        """Return the descriptor of the terminal."""
        return self._stream.fileno()

    def close(self) -> None:
        """Let go of the terminal."""
        if self._own:
            os.close(self._descriptor)
            self._own = False
            self._descriptor = self._stream.fileno()

    def _put(self, data: memoryview) -> int:
        """Write what there is room for within a moment."""
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLOUT)
        try:
            return os.write(self._descriptor, data) if waiting.poll(_TRY_MS) else 0
        except BlockingIOError:
            time.sleep(_TRY_MS / 10_000)
            return 0
        except OSError:
            self.gone = True
            return 0

    def _drop_what_waits(self) -> None:
        """Make room for the last words: a picture that nobody has read for so long is of no more use."""
        self.gone = self._dropped
        self._dropped = True
        self._deadline = time.monotonic() + _LAST_WRITES_S
        try:
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
        except (termios.error, OSError):
            self.gone = True


class LineDriver(LinuxDriver):
    """Textual's driver on such a line."""

    def __init__(self, app: Any, **options: Any) -> None:
        """Take the terminal; a stop from the keyboard or from outside would leave it in a state nobody can use."""
        super().__init__(app, **options)  # pyright: ignore[reportUnknownMemberType]
        self.line = Line(sys.__stderr__)
        self._file: Any = self.line
        self._settings: list[Any] | None = None
        self.when_resumed: Callable[[], None] | None = None
        """Called after a stop from outside: all has to be painted again."""
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def write(self, data: str) -> None:
        """Hand over a text."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            self.line.note()
            self._writer_thread.write(data)

    def start_application_mode(self) -> None:
        """Take the screen, and remember how the terminal is set then."""
        super().start_application_mode()
        try:
            self._settings = termios.tcgetattr(self.fileno)
        except termios.error:
            self._settings = None

    def stop_application_mode(self) -> None:
        """Give the screen back, on a line that takes nothing as well."""
        self.line.hurry()
        super().stop_application_mode()

    def close(self) -> None:
        """Write the last of it and let go."""
        super().close()
        self.line.close()

    def _sigcont_application(self, *_: object) -> None:
        """Take the screen again after a stop that nobody announced; Textual would start a second set of threads."""
        try:
            if self._settings is None or os.tcgetpgrp(self.fileno) != os.getpgrp():
                return
            termios.tcsetattr(self.fileno, termios.TCSANOW, self._settings)
        except (termios.error, OSError):
            return
        self.write("\x1b[?1049h\x1b[?25l\x1b[?7l")
        if self.when_resumed is not None:
            self.when_resumed()

    def _run_input_thread(self) -> None:
        """Read keys until the end; a terminal that vanishes is noticed elsewhere."""
        try:
            self.run_input_thread()
        except OSError:
            self.line.gone = True


def _without_waiting(descriptor: int) -> tuple[int, bool]:
    """Open the terminal a second time so that writes do not wait; the flag would else be the shell's as well."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), True
    except OSError:
        return descriptor, False
