"""One attempt of one test: its requests through gates, client, journal and retries."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import anyio
import msgspec

from console.engine.backoff import backoff_s, lane_off_reason
from console.engine.departure import Departure
from console.engine.gates import NS_PER_S, NowNs
from console.engine.lane_runtime import LaneOff, LaneRuntime
from console.engine.recording import Recorder
from console.engine.self_check import SelfCheck
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Stamps
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import RETRYABLE, Outcome
from console.vocabulary.rows import RequestRow
from console.vocabulary.tokens import message_tokens, offered_tokens
from console.work.contract import Unanswered

_OK: Final = Outcome.OK
_REFUSED: Final = frozenset({Outcome.RATE_LIMITED, Outcome.OVERLOADED})
_TOLD_FROM_S: Final = 1.0
"""A shorter hold of a lane is no event."""


class Waits(msgspec.Struct, frozen=True, gc=False):
    """What a request waited for before it was sent, apart (law 6)."""

    limiter_ns: int
    held_ns: int
    retry_ns: int


class ChatClient(Protocol):
    """What the engine needs of a client. Failures are classified, never raised."""

    async def warm(self, endpoint: Endpoint) -> None:
        """See to it that a request can be sent without connecting first."""
        ...

    async def complete(
        self, endpoint: Endpoint, request: ChatRequest, departure: Departure | None = None
    ) -> ChatResult:
        """Send one request, when `departure` lets it and telling it when, and read its answer."""
        ...


class Surroundings:
    """What every attempt of a run shares."""

    def __init__(
        self,
        *,
        client: ChatClient,
        recorder: Recorder,
        now_ns: NowNs,
        rng: random.Random,
        attempts: int,
        quarantine: Callable[[LaneRuntime, Outcome, str], None],
        self_check: SelfCheck | None = None,
        held: Callable[[Lane, float], None] | None = None,
        traces: bool = False,
    ) -> None:
        self.client = client
        self.recorder = recorder
        self.now_ns = now_ns
        self.rng = rng
        self.attempts = attempts
        """Tries of one request, the first included."""
        self.quarantine = quarantine
        """Switches a lane off, and with a refused key all lanes of that key."""
        self.self_check = self_check or SelfCheck()
        """Told what of a request's time was ours."""
        self.held = held
        """Told where a server asks to wait on a lane; None: nobody else has it."""
        self.traces = traces
        """Whether what is said in tests is kept."""


class Attempt:
    """One attempt of one piece of work on one lane, and the sums its row needs."""

    def __init__(
        self, around: Surroundings, lane: LaneRuntime, *, job_id: str, work_id: str, attempt: int = 1
    ) -> None:
        self._around = around
        self._lane = lane
        self._job_id = job_id
        self.work_id = work_id
        self.attempt = attempt
        self.turn = 0
        self.requests = 0
        self.service_ns = 0
        self.limiter_wait_ns = 0
        self.held_ns = 0
        self.retry_wait_ns = 0
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.due_ns: int | None = None
        """When an open-loop schedule wanted the first request sent."""
        self._order = 0
        """Place in the line at the gates, kept for the retries of a turn."""
        self.long_rest: Callable[[float], Awaitable[None]] | None = None
        """Waits out a long back-off without holding the worker slot; absent: it is held."""

    async def ask(self, request: ChatRequest) -> ChatResult:
        """Send one turn, retries included, and return its complete answer.

        Raises:
            Unanswered: if no try brought a complete answer.
        """
        around = self._around
        self.turn += 1
        self._order = self._lane.next_order()
        retry_wait_ns = 0
        for try_no in range(1, around.attempts + 1):
            result = await self._send(request, try_no, retry_wait_ns)
            if result.outcome is _OK:
                return result
            off = lane_off_reason(result) or self._lane.parked or None
            if off is not None:
                around.quarantine(self._lane, result.outcome, off)
            if off is not None or result.outcome not in RETRYABLE or try_no == around.attempts:
                raise Unanswered(result.outcome, result.error)
            rested_ns = around.now_ns()
            await self._rest(result, try_no)
            retry_wait_ns = around.now_ns() - rested_ns
            self.retry_wait_ns += retry_wait_ns
        raise AssertionError("a request has at least one try")

    async def _rest(self, result: ChatResult, try_no: int) -> None:
        """Wait before the next try: as long as the server asks, else a back-off and then until the budget has one."""
        rest = self.long_rest or anyio.sleep
        await rest(backoff_s(result, try_no, self._around.rng))
        if result.outcome is Outcome.RATE_LIMITED or result.retry_after_s is not None:
            return
        while not self._lane.off and (wait_s := self._lane.retries.take(self._around.now_ns())) > 0.0:
            await rest(wait_s)

    async def _send(self, request: ChatRequest, try_no: int, retry_wait_ns: int) -> ChatResult:
        around, lane = self._around, self._lane
        asked_ns = around.now_ns()
        estimate = estimate_tokens(request) if lane.counts_tokens else 0.0
        passage, ready_ns = lane.passage(self._job_id), asked_ns
        if passage.paces:  # a rate counts sendings: connecting shall not delay them afterwards
            await around.client.warm(lane.endpoint)
            ready_ns = around.now_ns()
        ticket = lane.enter_at_once(passage, estimate, ready_ns)
        if ticket is None:
            try:
                ticket = await lane.enter(passage, estimate, self._order)
            except LaneOff as error:
                raise Unanswered(Outcome.CONNECTION, f"lane {lane.lane.id} is off: {error}") from None
        entered_ns, held_ns = ticket.entered_ns, ticket.held_ns
        limiter_ns = entered_ns - asked_ns - held_ns
        departure = Departure(passage, entered_ns) if passage.paces else None
        self.held_ns += held_ns
        self.requests += 1
        lane.sends.add(entered_ns)
        lane.in_flight += 1
        lane.retries.sent(lane.in_flight, first=try_no == 1)
        around.self_check.in_flight += 1
        try:
            result = await around.client.complete(lane.endpoint, request, departure)
        except anyio.get_cancelled_exc_class():
            # The request was sent, so it gets its row; nothing may be awaited any more.
            end_ns = around.now_ns()
            entered_ns = min(entered_ns, end_ns)
            sent_ns = entered_ns if departure is None else departure.sent_ns
            result = ChatResult(outcome=Outcome.CANCELLED, stamps=Stamps(sent_ns=sent_ns, end_ns=end_ns))
            lane.in_flight -= 1
            around.self_check.in_flight -= 1
            if departure is not None:
                departure.over()
            lane.leave(ticket, result)
            waits = Waits(limiter_ns, held_ns, retry_wait_ns)
            self.limiter_wait_ns += limiter_ns
            row = self._row(request, try_no, entered_ns, waits, result)
            around.recorder.write_now(row)
            lane.count(row)
            raise
        except Exception:
            # Our fault, and told as such where the test ends; its places are not lost with it.
            lane.in_flight -= 1
            around.self_check.in_flight -= 1
            stamps = Stamps(sent_ns=entered_ns, end_ns=around.now_ns())
            lane.leave(ticket, ChatResult(outcome=Outcome.CANCELLED, stamps=stamps))
            raise
        lane.in_flight -= 1
        around.self_check.in_flight -= 1
        if departure is not None:
            departure.over()
            limiter_ns += departure.due_ns - entered_ns
            entered_ns = departure.due_ns
        waits = Waits(limiter_ns, held_ns, retry_wait_ns)
        self.limiter_wait_ns += limiter_ns
        sent_ns = result.stamps.sent_ns
        if sent_ns is not None:
            around.self_check.schedule_delay(sent_ns - max(entered_ns, result.stamps.connected_ns or 0))
        told = lane.leave(ticket, result)
        row = self._row(request, try_no, entered_ns, waits, result)
        await around.recorder.write(row)
        lane.count(row)
        self._take_in(result, told)
        return result

    def _take_in(self, result: ChatResult, told: str | None) -> None:
        lane, recorder = self._lane, self._around.recorder
        if told is not None:
            recorder.event("warn", "lane", lane.lane.id, told)
        if result.outcome is not _OK:
            # In adaptive mode the controller of the lane says whether, and for how long, all of it waits.
            if result.outcome in _REFUSED and not lane.adapts and lane_off_reason(result) is None:
                self._hold(result)
            return
        stamps = result.stamps
        sent_ns, first_ns, last_ns = stamps.sent_ns, stamps.first_content_ns, stamps.last_content_ns
        if sent_ns is not None and last_ns is not None:
            self.service_ns += last_ns - sent_ns
            lane.retries.answered((last_ns - sent_ns) / NS_PER_S)
        if sent_ns is not None and first_ns is not None:
            lane.ttft.add(first_ns - sent_ns)
        produced = result.completion_tokens if result.completion_tokens is not None else result.chunks
        lane.tokens.add(self._around.now_ns(), produced)
        if result.prompt_tokens is not None:
            self.prompt_tokens = (self.prompt_tokens or 0) + result.prompt_tokens
        if result.completion_tokens is not None:
            self.completion_tokens = (self.completion_tokens or 0) + result.completion_tokens

    def _hold(self, result: ChatResult) -> None:
        """Hold the whole lane for as long as the server asked; told once, not for every request it refused."""
        lane, hint_s = self._lane, result.retry_after_s
        if hint_s is None:
            return
        if lane.resume_in_s is None and hint_s >= _TOLD_FROM_S:
            text = f"{result.outcome}: holds for {hint_s:g} s as asked"
            self._around.recorder.event("warn", "throttled", lane.lane.id, text)
        lane.throttle(hint_s)
        if self._around.held is not None:
            self._around.held(lane.lane, hint_s)

    def _row(
        self,
        request: ChatRequest,
        try_no: int,
        entered_ns: int,
        waits: Waits,
        result: ChatResult,
    ) -> RequestRow:
        stamps = result.stamps
        sent_ns = stamps.sent_ns
        start_ns = self._around.recorder.start_ns
        return RequestRow(
            test=self.work_id,
            attempt=self.attempt,
            turn=self.turn,
            try_no=try_no,
            lane=self._lane.lane,
            outcome=result.outcome,
            status=result.status,
            error=result.error or None,
            error_code=result.error_code,
            at_ns=(sent_ns if sent_ns is not None else entered_ns) - start_ns,
            due_ns=None if self.due_ns is None or try_no > 1 else self.due_ns - start_ns,
            limiter_wait_ns=waits.limiter_ns,
            held_ns=waits.held_ns,
            retry_wait_ns=waits.retry_ns,
            connect_ns=_between(stamps.connect_start_ns, stamps.connected_ns),
            ttft_ns=_between(sent_ns, stamps.first_content_ns),
            ttfo_ns=_between(sent_ns, stamps.first_output_ns),
            latency_ns=_between(sent_ns, stamps.last_content_ns),
            total_ns=_between(sent_ns, stamps.end_ns),
            chunks=result.chunks,
            chunk_gap_ns=result.chunk_gaps_ns,
            prompt_tokens=result.prompt_tokens,
            completion_tokens=result.completion_tokens,
            reasoning_tokens=result.reasoning_tokens,
            cached_tokens=result.cached_tokens,
            finish_reason=result.finish_reason,
            retry_after_s=result.retry_after_s,
            request_id=result.request_id,
            stream=request.stream,
            simulated=result.simulated,
        )


def _between(begin_ns: int | None, end_ns: int | None) -> int | None:
    return None if begin_ns is None or end_ns is None else end_ns - begin_ns


def estimate_tokens(request: ChatRequest) -> float:
    """Estimate what a request costs as providers do at arrival: prompt, offered tools and `max_tokens`.

    Without `max_tokens` a reply of 256 tokens is assumed.
    """
    prompt = sum(map(message_tokens, request.messages))
    offered = offered_tokens(request.tools) if request.tools else 0.0
    return prompt + offered + (request.max_tokens if request.max_tokens is not None else 256)
