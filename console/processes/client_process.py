"""One client process: sends the requests of an engine elsewhere, reads their streams, and tells what came of them.

Reading a chunk costs more than all else that a request does, so that one loop reads some 25,000 of them a second with
its clock right. Gates, rows and figures stay with the engine, whose clock is ours as well.
"""

from __future__ import annotations

import socket
import time
from typing import Final

import anyio
from anyio.abc import TaskGroup

from console.control.lines import LineSocket
from console.engine.self_check import SelfCheck
from console.heap import settled_heap
from console.llm.client import LlmClient
from console.llm.read_probe import read_probe
from console.own_time import cpu_ns, waited_ns
from console.processes.client_words import (
    Answered,
    Ask,
    FromClient,
    GiveUp,
    Know,
    Measured,
    Serve,
    Warm,
    line_of,
    read_to_client,
)
from console.processes.messages import MAX_LINE_BYTES
from console.processes.speaker import Speaker
from console.vocabulary.chat import Endpoint

_SECOND_S: Final = 1.0


class ClientProcess:
    """Serves one engine until its line ends."""

    def __init__(self, line: LineSocket, client: LlmClient, self_check: SelfCheck) -> None:
        self._line = line
        self._client = client
        self._self_check = self_check
        self._endpoints: dict[int, Endpoint] = {}
        self._asked: dict[int, anyio.CancelScope] = {}
        self._speaker: Speaker[FromClient] = Speaker(line, line_of)

    async def run(self) -> None:
        """Serve."""
        self._self_check.heard = lambda measure: self._speaker.say(Measured(measure))
        async with anyio.create_task_group() as group:
            group.start_soon(self._speaker.run)
            group.start_soon(self._turn)
            await self._listen(group)
            group.cancel_scope.cancel()

    async def _listen(self, group: TaskGroup) -> None:
        while (line := await self._line.receive_line(MAX_LINE_BYTES)) is not None:
            match read_to_client(line):
                case Know(name, endpoint):
                    self._endpoints[name] = endpoint.endpoint()
                case Ask() as ask:
                    group.start_soon(self._send, ask)
                case Warm() as warm:
                    group.start_soon(self._warm, warm)
                case GiveUp(number):
                    if number in self._asked:
                        self._asked[number].cancel()
                case Serve():
                    pass

    async def _send(self, ask: Ask) -> None:
        with anyio.CancelScope() as scope:
            self._asked[ask.number] = scope
            self._self_check.in_flight += 1
            try:
                result = await self._client.complete(self._endpoints[ask.endpoint], ask.request)
                self._speaker.say(Answered(ask.number, result))
            finally:
                self._self_check.in_flight -= 1
                del self._asked[ask.number]

    async def _warm(self, warm: Warm) -> None:
        await self._client.warm(self._endpoints[warm.endpoint])
        self._speaker.say(Answered(warm.number, None))

    async def _turn(self) -> None:
        while True:
            self._self_check.turn(time.perf_counter_ns())
            await anyio.sleep(_SECOND_S)


async def serve_requests(connection: socket.socket) -> None:
    """Serve at the end of a socket pair until the other end is closed."""
    line = LineSocket(connection)
    try:
        first = await line.receive_line(MAX_LINE_BYTES)
        if first is None:
            return
        serve = read_to_client(first)
        assert isinstance(serve, Serve)
        self_check = SelfCheck(cpu_ns, waited_ns)
        async with LlmClient(timeouts=serve.timeouts) as client:
            with read_probe(self_check, time.perf_counter_ns), settled_heap():
                await ClientProcess(line, client, self_check).run()
    except* OSError:
        pass  # the engine is gone, and with it whoever waits for an answer
