"""One engine process as its coordinator sees it: started, spoken to, listened to, and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import anyio
import msgspec

from console.control.lines import LineSocket, LineTooLong
from console.processes.messages import (
    MAX_LINE_BYTES,
    Begin,
    Ended,
    FromPart,
    Seen,
    ToPart,
    line_of,
    read_from_part,
)
from console.vocabulary.errors import ConsoleError, ExitCode

_READY_WITHIN_S: Final = 30.0
_EXIT_WITHIN_S: Final = 3.0


class Child:
    """An engine process and the line to it. Words to it are kept and sent in order; nobody waits for that."""

    def __init__(self, begin: Begin) -> None:
        """Start the process. It has a session of its own: Ctrl-C at our terminal does not reach it.

        Raises:
            ConsoleError: if the system starts no further process.
        """
        self.number = begin.process
        self.ready = anyio.Event()
        self.gone = anyio.Event()
        """Set when nothing more will come from it."""
        self.ended: Ended | None = None
        """How it ended; None: it has not, or it died."""
        self.seen: Seen | None = None
        """Its latest picture."""
        self._unsent: list[ToPart] = [begin]
        self._something = anyio.Event()
        self._something.set()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "console.processes", str(theirs.fileno())]
        log = os.open(Path(begin.run_dir) / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ConsoleError(
                f"an engine process cannot be started: {error.strerror}", exit_code=ExitCode.OUR_FAULT
            ) from None
        finally:
            os.close(log)
            theirs.close()
        self._line = LineSocket(ours)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def say(self, message: ToPart) -> None:
        """Send a message, if it still listens."""
        if not self.gone.is_set():
            self._unsent.append(message)
            self._something.set()

    async def attend(self, hear: Callable[[Child, FromPart], None], lost: Callable[[Child], None]) -> None:
        """Speak and listen until it has ended; `lost` is told if it did so without a last word."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._speak)
            await self._listen(hear)
            self.gone.set()
            group.cancel_scope.cancel()
        if self.ended is None:
            self.end()
            lost(self)

    async def wait_ready(self) -> None:
        """Wait until it takes work.

        Raises:
            ConsoleError: if it does not come to that.
        """
        with anyio.move_on_after(_READY_WITHIN_S):
            async with anyio.create_task_group() as group:

                async def first_of(event: anyio.Event) -> None:
                    await event.wait()
                    group.cancel_scope.cancel()

                group.start_soon(first_of, self.ready)
                group.start_soon(first_of, self.gone)
        if not self.ready.is_set():
            raise ConsoleError(
                f"engine process {self.number} did not start",
                hint="engine.log in the run directory says why",
                exit_code=ExitCode.OUR_FAULT,
            )

    def end(self) -> None:
        """Make sure that the process is gone, and reap it."""
        self._line.close()
        try:
            self._process.wait(_EXIT_WITHIN_S if self.ended is not None else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    async def _speak(self) -> None:
        try:
            while True:
                await self._something.wait()
                self._something = anyio.Event()
                unsent, self._unsent = self._unsent, []
                await self._line.send(b"".join(line_of(message) for message in unsent))
        except OSError:
            pass  # it is gone: whoever listens finds out

    async def _listen(self, hear: Callable[[Child, FromPart], None]) -> None:
        try:
            while (line := await self._line.receive_line(MAX_LINE_BYTES)) is not None:
                hear(self, read_from_part(line))
                if self.ended is not None:
                    return
        except (OSError, LineTooLong, msgspec.DecodeError):
            pass  # as good as gone: it is ended, and its work goes to others
