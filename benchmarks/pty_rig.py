"""A Textual app in a process of its own, on a pseudo-terminal that answers nothing: what each step writes and costs.

Bytes are exact and may be asserted; CPU times are to be read. The app is built in the child by a function named
`module:function`, which returns a `Stage`.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from textual.app import App

WAIT_S = 30.0
"""After which a silent child is given up."""
_POLL_S = 0.02
_CALM_POLLS = 4


@dataclass
class Stage:
    """What the child shows, and what one step does to it."""

    app: App[Any]
    step: Callable[[int], None]


@dataclass
class Written:
    """What one step wrote to the terminal, and what it cost the process."""

    data: bytes
    cpu_ms: float

    @property
    def count(self) -> int:
        return len(self.data)


class Rig:
    """The parent's side."""

    def __init__(self, child: subprocess.Popen[bytes], terminal: int, commands: int, answers: int) -> None:
        self._child = child
        self._terminal = terminal
        self._commands = commands
        self._answers = answers

    def step(self, number: int) -> Written:
        """Let the child take a step, and return what it wrote until it had nothing more to paint."""
        return self._ask(f"step {number}")

    def size(self, columns: int, rows: int) -> Written:
        """Change the size of the terminal."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        return self._ask("wait")

    def type(self, keys: bytes) -> Written:
        """Type something, and return what it made the app paint."""
        os.write(self._terminal, keys)
        return self._ask("wait")

    def settled(self) -> Written:
        """Wait for the first picture."""
        return self._ask("wait")

    def end(self) -> int:
        """End the app and return its exit code."""
        self._ask("quit", final=True)
        return self._child.wait(WAIT_S)

    def _ask(self, command: str, *, final: bool = False) -> Written:
        os.write(self._commands, f"{command}\n".encode())
        data, answer, until = bytearray(), b"", time.monotonic() + WAIT_S
        while b"\n" not in answer:
            if time.monotonic() > until:
                raise TimeoutError(f"no answer to {command!r}; written so far: {bytes(data)[-2000:]!r}")
            ready, _, _ = select.select([self._terminal, self._answers], [], [], 0.5)
            if self._terminal in ready:
                data += self._read()
            if self._answers in ready:
                more = os.read(self._answers, 100)
                if not more:
                    if final:
                        return Written(bytes(data), 0.0)
                    raise ChildProcessError(f"the app ended at {command!r}: {bytes(data)[-4000:]!r}")
                answer += more
        while select.select([self._terminal], [], [], 0)[0]:
            more = self._read()
            if not more:
                break
            data += more
        return Written(bytes(data), float(answer))

    def _read(self) -> bytes:
        try:
            return os.read(self._terminal, 65_536)
        except OSError:  # how Linux says that the other end is closed
            return b""


def python(argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start `python ARGV` as `Popen` does."""
    return subprocess.Popen([sys.executable, *argv], **options)


@contextmanager
def rig(
    build: str,
    *arguments: str,
    size: tuple[int, int] = (80, 24),
    start: Callable[..., subprocess.Popen[bytes]] = python,
    **environment: str,
) -> Generator[Rig]:
    """Start `build` in a child on a terminal of this size, in full colour unless the environment says otherwise."""
    terminal, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    commands_read, commands = os.pipe()
    answers, answers_write = os.pipe()
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_ANIMATIONS": "none",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **environment,
    }
    child = start(
        [
            "-m",
            "benchmarks.pty_rig",
            str(commands_read),
            str(answers_write),
            build,
            *arguments,
        ],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        pass_fds=(commands_read, answers_write),
        env=variables,
        start_new_session=True,
    )
    for number in (slave, commands_read, answers_write):
        os.close(number)
    try:
        started = Rig(child, terminal, commands, answers)
        started.settled()
        yield started
    finally:
        if child.poll() is None:
            child.kill()
        child.wait(WAIT_S)
        for number in (terminal, commands, answers):
            os.close(number)


async def _serve(commands: int, answers: int, stage: Stage) -> None:
    """The child's side: take steps as they are asked for, and answer when nothing more is to be painted."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(commands, "rb"))
    playing = asyncio.create_task(stage.app.run_async(mouse=False))
    while not playing.done():
        reading = asyncio.create_task(reader.readline())
        await asyncio.wait((reading, playing), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            reading.cancel()
            break
        words = reading.result().decode().split()
        if not words or words[0] == "quit":
            break
        begun = time.process_time()
        if words[0] == "step":
            stage.step(int(words[1]))
        await _calm(stage.app)
        os.write(answers, f"{(time.process_time() - begun) * 1000:.3f}\n".encode())
    stage.app.exit()
    await playing


async def _calm(app: App[Any]) -> None:
    """Wait until nothing is left to paint or to write; this looks at what Textual keeps for itself."""
    calm = 0
    while calm < _CALM_POLLS:
        await asyncio.sleep(_POLL_S)
        writer = getattr(app._driver, "_writer_thread", None)
        busy = (
            not app.is_running or app.screen._dirty_widgets or (writer is not None and writer._queue.qsize())
        )
        calm = 0 if busy else calm + 1


def _child() -> None:
    commands, answers, build, *arguments = sys.argv[1:]
    module, name = build.split(":")
    stage = getattr(importlib.import_module(module), name)(*arguments)
    asyncio.run(_serve(int(commands), int(answers), stage))


if __name__ == "__main__":
    _child()
