"""One engine process as its coordinator sees it: started, spoken to, listened to, and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
import msgspec

from console.control.lines import LineSocket, LineTooLong
from console.processes.messages import (
    MAX_LINE_BYTES,
    AboutLane,
    AskAboutLane,
    Begin,
    Ended,
    FromPart,
    Picture,
    Seen,
    ToPart,
    line_of,
    read_from_part,
)
from console.processes.speaker import Speaker
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.lane import Lane

_READY_WITHIN_S: Final = 30.0
_EXIT_WITHIN_S: Final = 3.0
_TELLS_WITHIN_S: Final = 1.0
"""So long a watcher waits for what a process has to say about a lane."""


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
        """Set when nothing more will come from it, and its death was taken in if it died."""
        self.ended: Ended | None = None
        """How it ended; None: it has not, or it died."""
        self.seen: Seen | None = None
        """Its latest picture."""
        self.asked = 0
        """How often it was to be asked for a picture since it last showed one."""
        self._about: dict[str, AboutLane] = {}
        """What it last said about lanes, by their ids."""
        self._told = anyio.Event()
        try:
            self._process, self._line = started(Path(begin.run_dir) / "engine.log")
        except OSError as error:
            raise ConsoleError(
                f"an engine process cannot be started: {error.strerror}", exit_code=ExitCode.OUR_FAULT
            ) from None
        self._speaker: Speaker[ToPart] = Speaker(self._line, line_of)
        self._speaker.say(begin)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def say(self, message: ToPart) -> None:
        """Send a message, if it still listens."""
        if not self.gone.is_set():
            self._speaker.say(message)

    def ask_for_picture(self) -> None:
        """Ask for a picture, once until it comes."""
        self.asked += 1
        if self.asked == 1:
            self.say(Picture())

    async def about(self, lane: Lane) -> AboutLane | None:
        """Ask about a lane, and return what it says; None: nothing in time."""
        before = self._about.get(lane.id)
        self.say(AskAboutLane(lane))
        with anyio.move_on_after(_TELLS_WITHIN_S):
            while (told := self._about.get(lane.id)) is before:
                if self.gone.is_set():
                    return None
                await self._told.wait()
            return told
        return None

    def hear_about(self, told: AboutLane) -> None:
        """Take in what it says about a lane."""
        self._about[told.lane_id] = told
        self._wake()

    def _wake(self) -> None:
        self._told.set()
        self._told = anyio.Event()

    async def attend(self, hear: Callable[[Child, FromPart], None], lost: Callable[[Child], None]) -> None:
        """Speak and listen until it has ended; `lost` is told if it did so without a last word."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._speak)
            await self._listen(hear)
            group.cancel_scope.cancel()
        if self.ended is None:
            self.end()
            lost(self)
        self.gone.set()
        self._wake()

    async def wait_ready(self) -> bool:
        """Wait until it takes work; False if it does not come to that."""
        with anyio.move_on_after(_READY_WITHIN_S):
            async with anyio.create_task_group() as group:

                async def first_of(event: anyio.Event) -> None:
                    await event.wait()
                    group.cancel_scope.cancel()

                group.start_soon(first_of, self.ready)
                group.start_soon(first_of, self.gone)
        return self.ready.is_set()

    def kill(self) -> None:
        """End the process at once; whoever attends it finds out."""
        self._process.kill()

    def end(self) -> None:
        """Make sure that the process is gone, and reap it."""
        self._line.close()
        try:
            self._process.wait(_EXIT_WITHIN_S if self.ended is not None else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(
                subprocess.TimeoutExpired
            ):  # a disk that hangs keeps it: nobody shall wait for that
                self._process.wait(_EXIT_WITHIN_S)

    async def _speak(self) -> None:
        try:
            await self._speaker.run()
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


def started(log_path: Path, role: str = "engine") -> tuple[subprocess.Popen[bytes], LineSocket]:
    """Start a process, and return it with our end of the line to it; `role` is what it is to be."""
    ours, theirs = socket.socketpair()
    try:
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-P", "-m", "console.processes", str(theirs.fileno()), role],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        finally:
            os.close(log)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, LineSocket(ours)
