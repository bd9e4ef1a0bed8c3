"""Starts the console under a pseudo terminal: types, reads, counts, reads slowly or not at all, hangs up.

The console is the real one, from its command line on; what its screens ask is answered by the fakes of
`fake_console.py`, which the test steers over a socket of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from forked import Warm
from terminal_screen import TerminalScreen

LONG_S = 90.0
"""How long anything may take before a test gives up; no test expects it to be short, except for an end."""
KEYS = {
    "enter": b"\r",
    "escape": b"\x1b[27u",  # as the protocol says that the console asks for: a bare escape waits for more
    "tab": b"\t",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "ctrl+c": b"\x03",
    "ctrl+l": b"\x0c",
    "ctrl+p": b"\x10",
    "ctrl+z": b"\x1a",
}
HERE = Path(__file__).parent
FAKE_CONSOLE = HERE / "fake_console.py"
CONSOLE = Warm(
    *("console.app", "console.cli.attach", "console.cli.console", "console.cli.backend", "fakes", "scenes"),
    before="console.screens.terminal:prepare_environment",
)
"""Forks the console on fakes."""


class UnderPty:
    """A process on a terminal of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        env: dict[str, str] | None = None,
        ignore_hangup: bool = False,
    ) -> None:
        """Start `python ARGV`; the environment is the test's own with `env` over it."""
        self.screen = TerminalScreen(*size)
        self.received = 0
        self.raw = bytearray()
        """All that came since `mark`."""
        self.master, slave = pty.openpty()
        self._set_size(size)
        self.attributes = termios.tcgetattr(slave)
        self._told, theirs = socket.socketpair()
        self._told.settimeout(LONG_S)
        self._answers = self._told.makefile("r")

        self.process = CONSOLE.start(
            argv,
            terminal="ignores" if ignore_hangup else "hears",
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                **(env or {}),
                "CONSOLE_RIG_FD": str(theirs.fileno()),
            },
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        self._slave = slave  # kept open, so that the state of the terminal can be read after the end

    def __enter__(self) -> UnderPty:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._answers.close()
        self._told.close()

    # Reading

    def pump(self, seconds: float) -> int:
        """Read whatever comes for that long; return how many bytes came."""
        before, until = self.received, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self.read_once(left):
            pass
        return self.received - before

    def read_once(self, wait_s: float, most: int = 65536) -> bool:
        """Read once; return whether anything came in time."""
        ready, _, _ = select.select([self.master], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self.master, most)
        except OSError:  # nobody holds the other end
            return False
        self.received += len(data)
        self.raw += data
        self.screen.feed(data)
        return bool(data)

    def pump_slowly(self, bytes_per_s: int, seconds: float) -> int:
        """Read as a line of that speed would, a twentieth of a second at a time."""
        before, until = self.received, time.monotonic() + seconds
        while time.monotonic() < until:
            self.read_once(0.0, max(1, bytes_per_s // 20))
            time.sleep(0.05)
        return self.received - before

    def until(self, wanted: str | Callable[[], bool]) -> str:
        """Read until the screen shows a text or a condition holds; return the screen."""
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            if wanted in self.screen.text if isinstance(wanted, str) else wanted():
                return self.screen.text
            if not self.read_once(0.1) and self.process.poll() is not None and not self.read_once(0.1):
                break
        text = self.screen.text
        if wanted in text if isinstance(wanted, str) else wanted():
            return text
        pytest.fail(f"never came: {wanted} (exit {self.process.poll()})\n{text}")

    def settle(self) -> None:
        """Read until the console says that nothing is left to be painted or written, and all of it came."""
        deadline = time.monotonic() + LONG_S
        quiet = 0
        while quiet < 3:
            assert time.monotonic() < deadline, "it never comes to rest"
            came = self.pump(0.03)
            quiet = quiet + 1 if self.tell("rest")["resting"] and not came else 0

    def mark(self) -> None:
        """Count and keep from here on."""
        self.received = 0
        self.raw.clear()

    def cost(self, act: Callable[[], Any]) -> int:
        """Return how many bytes an act costs, all that follows from it included."""
        self.settle()
        self.mark()
        act()
        self.settle()
        return self.received

    # Acting

    def press(self, *keys: str) -> None:
        """Type keys."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key.encode()))

    def tell(self, order: str, *, reading: bool = True, **more: Any) -> dict[str, Any]:
        """Have the fakes do something, and return what they say of it."""
        self._told.sendall(json.dumps({"order": order, **more}).encode() + b"\n")
        while reading:  # the console may wait for its terminal to be read meanwhile
            ready, _, _ = select.select([self._told, self.master], [], [], LONG_S)
            if self._told in ready:
                break
            assert ready, f"no answer to {order}"
            self.read_once(0.0)
        return json.loads(self._answers.readline())

    def resize(self, width: int, height: int) -> None:
        """Change the size of the terminal."""
        self.screen.resize(width, height)
        self._set_size((width, height))
        os.killpg(self.process.pid, signal.SIGWINCH)

    def hang_up(self) -> None:
        """Let the terminal vanish."""
        for descriptor in (self.master, self._slave):
            os.close(descriptor)
        self.master = self._slave = -1

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the console alone."""
        self.process.send_signal(number)

    def ended(self, within_s: float, *, reading: bool = True) -> int:
        """Return the exit code of a console that ends in that time."""
        until = time.monotonic() + within_s
        while self.process.poll() is None and time.monotonic() < until:
            if reading and self.master >= 0:
                self.read_once(0.02)
            else:
                time.sleep(0.02)
        code = self.process.poll()
        assert code is not None, f"it has not ended within {within_s} s"
        if reading and self.master >= 0:
            self.pump(0.05)
        return code

    @property
    def restored(self) -> bool:
        """Whether the terminal is as it was found: its settings, the normal screen, a cursor, no modes left."""
        same = termios.tcgetattr(self._slave)[:4] == self.attributes[:4]
        left = self.screen.modes - {b"7", b"25"}
        return same and not self.screen.alternate and self.screen.cursor_shown and not left

    def _set_size(self, size: tuple[int, int]) -> None:
        width, height = size
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def console(
    *arguments: str,
    scene: str = "busy",
    size: tuple[int, int] = (80, 24),
    env: dict[str, str] | None = None,
    ignore_hangup: bool = False,
) -> UnderPty:
    """Start the console on the fakes of a scene, with these arguments of the command line."""
    return UnderPty([str(FAKE_CONSOLE), scene, *arguments], size=size, env=env, ignore_hangup=ignore_hangup)
