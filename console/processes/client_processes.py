"""A client that reads streams in several processes, for an engine that stays in one: `engine.asking.ChatClient`.

For searches: what is measured is decided in one place, and only what costs most is spread. Rates are kept by who
sends, to the nanosecond, so that lanes with rates are not served this way.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import anyio
import msgspec

from console.control.lines import LineTooLong
from console.processes.child import started
from console.processes.client_words import (
    Answered,
    Ask,
    GiveUp,
    Know,
    Measured,
    Serve,
    ToClient,
    Warm,
    line_of,
    read_from_client,
)
from console.processes.messages import MAX_LINE_BYTES, PartEndpoint
from console.processes.speaker import Speaker
from console.vocabulary.chat import ChatRequest, ChatResult, Departure, Endpoint, Stamps, Timeouts
from console.vocabulary.client_health import ClientMeasure
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.outcome import Outcome

_EXIT_WITHIN_S: Final = 3.0


class _Waiting:
    """One request whose answer is not there yet."""

    __slots__ = ("came", "result")

    def __init__(self) -> None:
        self.came = anyio.Event()
        self.result: ChatResult | None = None


class _Process:
    """One process and the line to it."""

    def __init__(self, number: int, log_path: Path, timeouts: Timeouts) -> None:
        self.number = number
        self.process, self.line = started(log_path, "client")
        self.waiting: dict[int, _Waiting] = {}
        self.known: dict[Endpoint, int] = {}
        self.gone = False
        self._speaker: Speaker[bytes] = Speaker(self.line, bytes)
        self.say(Serve(timeouts))

    def say(self, message: ToClient) -> None:
        """Send a message soon.

        Raises:
            UnicodeEncodeError: at once, if it cannot be written down.
        """
        self._speaker.say(line_of(message))

    def name_of(self, endpoint: Endpoint) -> int:
        """Return what an endpoint is called there, and tell it the first time."""
        name = self.known.get(endpoint)
        if name is None:
            name = self.known[endpoint] = len(self.known)
            self.say(Know(name, PartEndpoint.of(endpoint)))
        return name

    async def speak(self) -> None:
        """Send what there is to say, until the line breaks."""
        try:
            await self._speaker.run()
        except OSError:
            pass  # it is gone: whoever listens finds out

    def end(self) -> None:
        """Make sure that it is gone, and reap it."""
        self.line.close()
        try:
            self.process.wait(_EXIT_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ClientProcesses:
    """Sends requests through processes. `run` it beside whoever asks."""

    def __init__(
        self,
        processes: int,
        *,
        log_path: Path,
        timeouts: Timeouts,
        now_ns: Callable[[], int],
        heard: Callable[[ClientMeasure], None],
    ) -> None:
        """Start the processes.

        Args:
            processes: how many.
            log_path: takes what they say outside of the line.
            timeouts: of every request.
            now_ns: the clock.
            heard: told what each measures of itself, every second.

        Raises:
            ConsoleError: if the system starts no further process.
        """
        self._now_ns = now_ns
        self._heard = heard
        self._numbers = count(1)
        self._processes: list[_Process] = []
        self.lost = 0
        """Processes that died."""
        try:
            for number in range(1, processes + 1):
                self._processes.append(_Process(number, log_path, timeouts))
        except OSError as error:
            self.end()
            raise ConsoleError(
                f"a client process cannot be started: {error.strerror}", exit_code=ExitCode.OUR_FAULT
            ) from None

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [one.process.pid for one in self._processes]

    async def run(self) -> None:
        """Listen and speak until cancelled; then end the processes."""
        try:
            async with anyio.create_task_group() as group:
                for one in self._processes:
                    group.start_soon(one.speak)
                    group.start_soon(self._listen, one)
        finally:
            self.end()

    def end(self) -> None:
        """End the processes."""
        for one in self._processes:
            one.end()

    async def warm(self, endpoint: Endpoint) -> None:
        """See to it that requests can be sent without connecting first, by each of them."""
        for one in self._processes:
            if not one.gone:
                number = next(self._numbers)
                waiting = one.waiting[number] = _Waiting()
                one.say(Warm(number, one.name_of(endpoint)))
                await waiting.came.wait()

    async def complete(
        self, endpoint: Endpoint, request: ChatRequest, departure: Departure | None = None
    ) -> ChatResult:
        """Send one request by the process with least to do, and wait for the whole answer.

        Raises:
            ValueError: if it keeps a rate.
        """
        if departure is not None:
            raise ValueError("a rate is kept by who sends: one process only")
        one = min((one for one in self._processes if not one.gone), key=_busy, default=None)
        if one is None:
            return self._failed("every client process has died")
        number = next(self._numbers)
        try:
            one.say(Ask(number, one.name_of(endpoint), request))
        except UnicodeEncodeError as problem:
            return self._failed(f"the request cannot be sent: {problem}", Outcome.BAD_REQUEST)
        waiting = one.waiting[number] = _Waiting()
        try:
            await waiting.came.wait()
        except BaseException:
            if one.waiting.pop(number, None) is not None and not one.gone:
                one.say(GiveUp(number))
            raise
        return waiting.result or self._failed(f"client process {one.number} died")

    async def _listen(self, one: _Process) -> None:
        try:
            while (line := await one.line.receive_line(MAX_LINE_BYTES)) is not None:
                match read_from_client(line):
                    case Answered(number, result):
                        waiting = one.waiting.pop(number, None)
                        if waiting is not None:
                            waiting.result = result
                            waiting.came.set()
                    case Measured(measure):
                        self._heard(measure)
        except (OSError, LineTooLong, msgspec.DecodeError):
            pass  # as good as gone: what it had counts as failed
        one.gone = True
        self.lost += 1
        left, one.waiting = one.waiting, {}
        for waiting in left.values():
            waiting.came.set()

    def _failed(self, error: str, outcome: Outcome = Outcome.CONNECTION) -> ChatResult:
        now_ns = self._now_ns()
        return ChatResult(outcome=outcome, stamps=Stamps(sent_ns=now_ns, end_ns=now_ns), error=error)


def _busy(one: _Process) -> int:
    return len(one.waiting)
