"""The engine's side of the control socket. Whatever a watcher does, the engine and other watchers go on."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import msgspec
from anyio.abc import TaskStatus

from console.control.address import listen_at, remove_socket, socket_inode
from console.control.kept import KeptAnswers
from console.control.lines import LineSocket, LineTooLong
from console.vocabulary.command import Accepted, Command, Inspect, Look, Recall, Refused, Reply, Request
from console.vocabulary.errors import ConsoleError
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import Snapshot

MAX_LINE_BYTES = 1_000_000
"""Longest request line; a longer one is answered and the connection closed."""
SNAPSHOT_LIFE_S = 0.25
"""A snapshot is handed out again for this long, so that it is built at most 4 times a second."""
INSPECTED_LIFE_S = 0.25
"""The same of one lane in full."""
RECALLED_LIFE_S = 1.0
"""And of the last minutes, of which there is news every few seconds."""
SEND_TIMEOUT_S = 5.0
"""A watcher that does not take its answer within this time is dropped."""
ANSWER_SPACING_S = 0.02
"""Between two answers to one watcher, so that one who asks without pause does not fill the loop."""
ACCEPT_PAUSE_S = 0.2
"""After a connection that could not be accepted, as when the process has no file left."""
IDLE_S = 30.0
"""A watcher that has asked nothing for this long is dropped; one that lives looks again and again."""
MAX_WATCHERS = 32
"""Where one more comes, the one that has asked nothing for longest is dropped: `stop` always gets in."""


_LONGEST_NAME = 1000
"""Of a lane that somebody asks about; the rest of a longer name is nobody's."""


class _Attended:
    """One watcher being served: when it was last heard, and how to drop it."""

    def __init__(self, heard: float) -> None:
        self.heard = heard
        self.scope = anyio.CancelScope()


class ControlServer:
    """Answers watchers of one run over a unix socket, one JSON line each way.

    The snapshot is built only when somebody asks, so a run that nobody watches pays nothing.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Snapshot],
        obey: Callable[[Command], Accepted | Refused],
        inspect: Callable[[str], Awaitable[LaneDetail | Refused]] | None = None,
        recall: Callable[[], History | Refused] | None = None,
    ) -> None:
        """Take what answers: a snapshot, one lane in full, the last minutes, and what carries out a command.

        All are called on the engine's loop.
        """
        self._inspect = inspect
        self._recall = recall
        self._look = look
        self._obey = obey
        self._attended: set[_Attended] = set()
        self._seen = KeptAnswers(SNAPSHOT_LIFE_S)
        self._inspected = KeptAnswers(INSPECTED_LIFE_S)
        self._recalled = KeptAnswers(RECALLED_LIFE_S)
        self._requests = msgspec.json.Decoder[Request](Request)
        self._encoder = msgspec.json.Encoder()

    @property
    def watchers(self) -> int:
        """Connections open now."""
        return len(self._attended)

    async def serve(self, path: Path, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen on `path` until cancelled; started once the socket takes connections, removed at the end.

        Raises:
            ConsoleError: if no socket can be made there.
        """
        listener = listen_at(path)
        inode = socket_inode(path)
        try:
            async with anyio.create_task_group() as watchers:
                task_status.started()
                while True:
                    await anyio.wait_readable(listener)
                    connection = _accept(listener)
                    if connection is None:
                        await anyio.sleep(ACCEPT_PAUSE_S)
                    else:
                        watchers.start_soon(self._attend, LineSocket(connection))
        finally:
            anyio.notify_closing(listener)
            listener.close()
            remove_socket(path, inode)

    async def _attend(self, watcher: LineSocket) -> None:
        """Serve one watcher to its end. No fault of its connection goes further than here."""
        attended = _Attended(anyio.current_time())
        self._make_room()
        self._attended.add(attended)
        try:
            with attended.scope:
                if _is_foreign(watcher.socket):
                    await self._refuse(watcher, "this run belongs to another user")
                else:
                    await self._converse(watcher, attended)
        except (OSError, anyio.ClosedResourceError):  # TimeoutError is an OSError
            pass  # it went away, or did not take its answer: nothing is owed to it
        finally:
            self._attended.discard(attended)
            watcher.close()

    def _make_room(self) -> None:
        while len(self._attended) >= MAX_WATCHERS:
            idle = min(self._attended, key=lambda attended: attended.heard)
            self._attended.discard(idle)
            idle.scope.cancel()

    async def _converse(self, watcher: LineSocket, attended: _Attended) -> None:
        while True:
            line: bytes | None = None
            try:
                with anyio.move_on_after(IDLE_S):
                    line = await watcher.receive_line(MAX_LINE_BYTES)
            except LineTooLong:
                await self._refuse(watcher, f"a request is at most {MAX_LINE_BYTES} bytes long")
                return
            if line is None:
                return
            attended.heard = anyio.current_time()
            await self._send(watcher, await self._answer(line))
            await anyio.sleep(ANSWER_SPACING_S)

    async def _refuse(self, watcher: LineSocket, why: str) -> None:
        """Say why, then take in what is still on its way: closing on unread bytes would destroy the answer."""
        await self._send(watcher, self._line(Refused(why)))
        with anyio.move_on_after(SEND_TIMEOUT_S):
            await watcher.drain()

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = self._requests.decode(line)
        except msgspec.DecodeError as error:  # ValidationError is one too
            return self._line(Refused(f"not a request: {safe_line(str(error), 200)}"))
        except RecursionError:
            return self._line(Refused("not a request: nested too deeply"))
        try:
            if isinstance(request, Look):
                return await self._seen.get("", self._snapshot)
            if isinstance(request, Inspect):
                lane = request.lane[:_LONGEST_NAME]
                return await self._inspected.get(lane, lambda: self._detail(lane))
            if isinstance(request, Recall):
                return await self._recalled.get("", self._history)
            reply = self._line(self._obey(request))
            self._forget()
            return reply
        except ConsoleError as error:
            return self._line(Refused("\n".join(error.lines())))
        except Exception as error:  # noqa: BLE001 - told to the one who asked; watching must not end a run
            return self._line(Refused(f"the engine could not answer: {type(error).__name__}: {error}"))

    def _forget(self) -> None:
        """Hand out nothing of before a command: who gave it is shown what it did."""
        self._seen.forget()
        self._inspected.forget()

    async def _detail(self, lane: str) -> bytes:
        inspect = self._inspect
        return self._line(Refused("nobody knows that here") if inspect is None else await inspect(lane))

    async def _history(self) -> bytes:
        recall = self._recall
        return self._line(Refused("nobody keeps figures here") if recall is None else recall())

    async def _snapshot(self) -> bytes:
        return self._line(self._look())

    def _line(self, reply: Reply) -> bytes:
        return self._encoder.encode(reply) + b"\n"

    async def _send(self, watcher: LineSocket, line: bytes) -> None:
        with anyio.fail_after(SEND_TIMEOUT_S):
            await watcher.send(line)


def _is_foreign(connection: socket.socket) -> bool:
    uid = _peer_uid(connection)
    return uid is not None and uid not in (0, os.geteuid())


def _accept(listener: socket.socket) -> socket.socket | None:
    """Return the next connection, or None if there is none after all or no file is free for it."""
    try:
        return listener.accept()[0]
    except OSError:
        return None


def _peer_uid(connection: socket.socket) -> int | None:
    """Return the user at the other end; None where the system does not say (then the file modes guard)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    form = "3i"
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
    _, uid, _ = struct.unpack(form, packed)
    return uid
