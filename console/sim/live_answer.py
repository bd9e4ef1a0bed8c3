"""One answer on its way over a connection: waits for its slot, is paced, and frees the slot however it ends."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from console.sim import wire
from console.sim.admission import Admission
from console.sim.provider import AnswerPlan, SimulatedProvider
from console.sim.rejection import Headers

EARLY_NS = 300_000
"""A token due this soon is sent now: the loop's timers are no finer than a millisecond."""
SHORTEST_SLEEP_S = 0.001
MOST_TOKENS_A_WRITE = 256


class Line(Protocol):
    """What an answer needs of its connection."""

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket."""
        ...

    def paused(self) -> bool:
        """Whether the client does not keep up."""
        ...

    def answer_ended(self, answer: LiveAnswer, *, close: bool) -> None:
        """Take note that the next request may be answered, or that the connection must be closed."""
        ...


class LiveAnswer(ABC):
    """What streamed and whole answers have in common."""

    def __init__(
        self,
        line: Line,
        provider: SimulatedProvider,
        admission: Admission,
        plan: AnswerPlan,
        *,
        headers: Headers,
        keep_alive: bool,
        on_ended: Callable[[LiveAnswer, str], None] | None = None,
    ) -> None:
        """Answer `plan` on `line`; `on_ended` is told how it ended (`ok`, `cut`, `cancelled`)."""
        self.line = line
        self.plan = plan
        self.admission = admission
        self.sent_ns: list[int] | None = [] if on_ended is not None else None
        self._provider = provider
        self._headers = headers
        self._keep_alive = keep_alive
        self._on_ended = on_ended
        self._timer: asyncio.TimerHandle | None = None
        self._due_ns = 0
        self._sent = 0
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin now if the slot is there, else when it comes."""
        if self.admission.served_ns is not None:
            self._served(self.admission.served_ns)
        else:
            self.admission.on_served = self._served

    def cancel(self) -> None:
        """Give up: the client has gone."""
        self._end("cancelled")

    def resume(self) -> None:
        """Go on after the client has read what was written."""
        if self._timer is None and self.admission.served_ns is not None and not self.admission.released:
            self._timer = self._loop.call_later(0, self._wake)

    @abstractmethod
    def _served(self, now_ns: int) -> None:
        """Begin: the slot is there."""

    @abstractmethod
    def _send_due(self) -> None:
        """Send what is due by now."""

    def _wake(self) -> None:
        self._timer = None
        self._send_due()

    def _sleep(self, now_ns: int) -> None:
        delay_s = max(SHORTEST_SLEEP_S, (self._due_ns - now_ns) / 1e9)
        self._timer = self._loop.call_later(delay_s, self._wake)

    def _end(self, outcome: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.admission.released:
            return
        self._provider.release(self.admission, time.monotonic_ns(), outcome, self._sent)
        if self._on_ended is not None:
            self._on_ended(self, outcome)


class WholeAnswer(LiveAnswer):
    """An answer sent in one piece when its last token would have come."""

    body: bytes = b""

    def _served(self, now_ns: int) -> None:
        gaps = max(0, len(self.plan.pieces) - 1)
        self._due_ns = now_ns + self._provider.ttft_ns(self.admission)
        self._due_ns += sum(self._provider.gap_ns(self.admission) for _ in range(gaps))
        self._sleep(now_ns)

    def _send_due(self) -> None:
        now_ns = time.monotonic_ns()
        if self._due_ns > now_ns + EARLY_NS:
            self._sleep(now_ns)
            return
        self.line.write(wire.json_response(200, self._headers, self.body, keep_alive=self._keep_alive))
        self._sent = len(self.plan.pieces)
        if self.sent_ns is not None:
            self.sent_ns.append(now_ns)
        self._end("ok")
        self.line.answer_ended(self, close=not self._keep_alive)


class StreamedAnswer(LiveAnswer):
    """An answer sent token by token; times are absolute, so that a late token does not delay the next."""

    shape: wire.StreamShape

    def _served(self, now_ns: int) -> None:
        top = wire.head(
            200, self._headers, length=None, content_type="text/event-stream", keep_alive=self._keep_alive
        )
        self.line.write(top + b"".join(wire.chunk(event) for event in self.shape.opening()))
        self._due_ns = now_ns + self._provider.ttft_ns(self.admission)
        self._sleep(now_ns)

    def _send_due(self) -> None:
        if self.line.paused():
            return
        now_ns = time.monotonic_ns()
        pieces = self.plan.pieces
        cut_after = self.plan.cut_after
        last = len(pieces) if cut_after is None else cut_after
        horizon_ns = now_ns + EARLY_NS
        events: list[bytes] = []
        while self._sent < last and self._due_ns <= horizon_ns and len(events) < MOST_TOKENS_A_WRITE:
            events.append(wire.chunk(self.shape.piece(pieces[self._sent])))
            self._sent += 1
            self._due_ns += self._provider.gap_ns(self.admission)
        if self.sent_ns is not None:
            self.sent_ns += [now_ns] * len(events)
        if self._sent < last or (not pieces and self._due_ns > horizon_ns):
            self.line.write(b"".join(events))
            self._sleep(now_ns)
            return
        if cut_after is None:
            events += [wire.chunk(event) for event in self.shape.closing()]
            events.append(wire.LAST_CHUNK)
        self.line.write(b"".join(events))
        self._end("ok" if cut_after is None else "cut")
        self.line.answer_ended(self, close=cut_after is not None or not self._keep_alive)
