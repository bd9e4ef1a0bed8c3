"""The watcher's side of the control socket: one blocking question for the shell, a lasting one for a screen."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec

from console.control.lines import LineSocket, LineTooLong
from console.vocabulary.command import Accepted, Command, Inspect, Look, Recall, Refused, Reply, Request
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.snapshot import Snapshot

MAX_REPLY_BYTES = 16_000_000
"""A snapshot of 5,000 lanes takes about 2 MB."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 4.0
BUSY_PAUSE_S = 0.05
"""Between two tries of the shell's question while the engine's queue of connections is full."""
"""Between two tries to connect: doubled from the first up to this."""

_replies = msgspec.json.Decoder[Reply](Reply)
ReplyT = TypeVar("ReplyT", bound=Reply)


class NotLive(ConsoleError):  # noqa: N818 - a state of the run, said in words
    """No engine answers on the socket of this run."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "the run is not live: no engine answers",
            where=str(path.parent),
            hint="what finished is in the journal; `ultra-console summary RUN` shows it",
            exit_code=ExitCode.USAGE,
        )


class NoAnswer(ConsoleError):  # noqa: N818
    """An engine is there, but did not answer in time or in our language."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"the engine gave no answer: {why}",
            where=str(path),
            hint="it may be very busy, or stopped in a debugger; try again",
            exit_code=ExitCode.OUR_FAULT,
        )


class ControlClient:
    """Asks an engine one thing at a time, blocking; for commands of the shell."""

    @staticmethod
    def ask(path: Path, request: Request, timeout_s: float = 5.0) -> Reply:
        """Send one request and return the reply.

        Raises:
            NotLive: if no engine listens there.
            NoAnswer: if none came in time, or it cannot be read.
        """
        deadline = time.monotonic() + timeout_s
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.settimeout(timeout_s)
                _connect(connection, path, deadline)
                connection.sendall(msgspec.json.encode(request) + b"\n")
                line = _read_line(connection, deadline)
            except TimeoutError:
                raise NoAnswer(path, f"nothing within {timeout_s:g} s") from None
            except (FileNotFoundError, ConnectionRefusedError):
                raise NotLive(path) from None
            except OSError as error:  # of any other, nobody knows that no engine is there
                raise NoAnswer(path, _why(error)) from None
        return _decode(path, line)


class Watcher:
    """A lasting connection for a screen, made when first asked and made again when it broke.

    While the engine does not answer it tries again politely: a call within the pause after a failed try
    raises at once. Not for two tasks at the same time but through its own lock.
    """

    def __init__(self, path: Path, *, timeout_s: float = 5.0) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._lock = anyio.Lock()
        self._engine: LineSocket | None = None
        self._pause_s = 0.0
        self._not_before = float("-inf")

    async def look(self) -> Snapshot:
        """Return the newest snapshot.

        Raises:
            ConsoleError: NotLive or NoAnswer, or what the engine said against it.
        """
        return await self._answer(Look(), "snapshot", Snapshot)

    async def inspect(self, lane: str) -> LaneDetail:
        """Return everything about the lane of that id.

        Raises:
            ConsoleError: NotLive or NoAnswer, or what the engine said against it.
        """
        return await self._answer(Inspect(lane), "picture of a lane", LaneDetail)

    async def recall(self) -> History:
        """Return the figures of the last minutes.

        Raises:
            ConsoleError: NotLive or NoAnswer, or what the engine said against it.
        """
        return await self._answer(Recall(), "history", History)

    async def send(self, command: Command) -> Accepted | Refused:
        """Send a command and return what the engine said.

        Raises:
            ConsoleError: NotLive or NoAnswer; whether the command was taken is then not known.
        """
        self._not_before = float("-inf")  # somebody pressed a key: try now
        return await self._answer(command, "answer to a command", Accepted, Refused)

    async def _answer(self, request: Request, what: str, *wanted: type[ReplyT]) -> ReplyT:
        """Return the reply to a request, which has to be of a kind that is wanted."""
        reply = await self._ask(request)
        if isinstance(reply, wanted):
            return reply
        said = reply.text if isinstance(reply, Accepted | Refused) else ""
        raise NoAnswer(self.path, said or f"it sent no {what}")

    async def aclose(self) -> None:
        """Close the connection; a later call opens it again."""
        self._close()

    async def _ask(self, request: Request) -> Reply:
        async with self._lock:
            finished = False
            try:
                with anyio.fail_after(self._timeout_s):
                    reply = await self._exchange(request)
                finished = True
            except TimeoutError:
                raise NoAnswer(self.path, f"nothing within {self._timeout_s:g} s") from None
            except (FileNotFoundError, ConnectionError, anyio.ClosedResourceError):
                self._wait_longer()
                raise NotLive(self.path) from None
            except OSError as error:
                raise NoAnswer(self.path, _why(error)) from None
            except LineTooLong:
                raise NoAnswer(self.path, "its answer is too long") from None
            finally:
                if not finished:  # also when cancelled: half an answer may be on its way
                    self._close()
            self._pause_s, self._not_before = 0.0, float("-inf")
            return reply

    async def _exchange(self, request: Request) -> Reply:
        if self._engine is not None and self._engine.ended:  # an engine drops who asked nothing for long
            self._close()
        if self._engine is None:
            if anyio.current_time() < self._not_before:
                raise NotLive(self.path)
            self._engine = await LineSocket.connect(self.path)
        await self._engine.send(msgspec.json.encode(request) + b"\n")
        line = await self._engine.receive_line(MAX_REPLY_BYTES)
        if line is None:
            raise ConnectionResetError
        return _decode(self.path, line)

    def _close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _wait_longer(self) -> None:
        self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
        self._not_before = anyio.current_time() + self._pause_s


def _connect(connection: socket.socket, path: Path, deadline: float) -> None:
    while True:
        try:
            connection.connect(os.fspath(path))
        except BlockingIOError:  # its queue is full; a unix socket does not wait by itself
            if time.monotonic() + BUSY_PAUSE_S >= deadline:
                raise
            time.sleep(BUSY_PAUSE_S)
        else:
            return


def _why(error: OSError) -> str:
    if isinstance(error, BlockingIOError):
        return "too many connections wait for it"
    if isinstance(error, ConnectionError):
        return "it closed the connection"
    return error.strerror or str(error)


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    parts = bytearray()
    while not parts.endswith(b"\n"):
        remaining = deadline - time.monotonic()
        if remaining <= 0 or len(parts) > MAX_REPLY_BYTES:
            raise TimeoutError
        connection.settimeout(remaining)
        part = connection.recv(65536)
        if not part:
            raise ConnectionResetError
        parts += part
    return bytes(parts)


def _decode(path: Path, line: bytes) -> Reply:
    try:
        return _replies.decode(line)
    except msgspec.DecodeError as error:
        raise NoAnswer(path, f"it cannot be read ({error})") from None
