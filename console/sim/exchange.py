"""One request on its way to a simulated provider in this process: its stamps, deadlines and what it received."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from console.sim.admission import Admission
from console.sim.answers import Piece, join_pieces
from console.sim.course import Course
from console.sim.provider import AnswerPlan, SimulatedProvider
from console.sim.rejection import Headers, Rejection
from console.vocabulary.chat import ChatRequest, ChatResult, Stamps, Timeouts
from console.vocabulary.outcome import Outcome


class Late(Exception):  # noqa: N818 - it is a deadline that has passed, caught in this file
    """A deadline of the client passed before the provider's next step."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Exchange:
    """One request on its way: its stamps, deadlines and what has been received."""

    def __init__(
        self, now_ns: Callable[[], int], timeouts: Timeouts, request: ChatRequest, request_id: str
    ) -> None:
        self._now_ns = now_ns
        self._timeouts = timeouts
        self._request = request
        self.request_id = request_id
        self.headers: Headers = ()
        self.stamps = Stamps(sent_ns=now_ns())
        self.received = 0
        self._gaps_ns: list[int] = []

    def refused(self, refused: Rejection) -> ChatResult:
        """Return the result of a request that was not let in."""
        now_ns = self._now_ns()
        self.stamps.headers_ns = self.stamps.first_byte_ns = self.stamps.end_ns = now_ns
        result = self._result(refused.outcome, refused.headers)
        result.status = refused.status
        result.error = f"HTTP {refused.status}: {refused.message}"
        result.error_code = refused.code
        result.retry_after_s = refused.retry_after_s
        return result

    async def run(self, provider: SimulatedProvider, admission: Admission, plan: AnswerPlan) -> ChatResult:
        """Wait for the slot, then for each token."""
        status: int | None = None
        try:
            await self._wait_for_slot(admission)
            if self._request.stream:
                status = 200
                self.stamps.headers_ns = self.stamps.first_byte_ns = self._now_ns()
                await self._receive_stream(provider, admission, plan)
            else:
                await self._receive_whole(provider, admission, plan)
                status = 200
        except Late as late:
            result = self._result(late.outcome, admission.headers)
            result.error = f"no answer in time ({late.outcome})"
            result.status = status
            self._fill(result, plan)
        else:
            cut = self._request.stream and plan.cut_after is not None
            result = self._result(Outcome.PROTOCOL if cut else Outcome.OK, admission.headers)
            result.status = status
            self._fill(result, plan)
            if cut:
                result.error = "the stream was cut in the middle of the answer"
            else:
                if plan.finish_reason == "content_filter":
                    result.outcome = Outcome.CONTENT_FILTER
                    result.error = "the answer was cut by the server's content filter"
                result.finish_reason = plan.finish_reason
                result.prompt_tokens = plan.prompt_tokens
                result.completion_tokens = plan.completion_tokens
                result.reasoning_tokens = plan.reasoning_tokens
                result.cached_tokens = 0
        self.stamps.end_ns = self._now_ns()
        return result

    async def _wait_for_slot(self, admission: Admission) -> None:
        if admission.served_ns is not None:
            return
        served = anyio.Event()
        admission.on_served = lambda _now_ns: served.set()
        outcome, deadline_ns = self._first_deadline()
        with anyio.move_on_after(max(0.0, (deadline_ns - self._now_ns()) / 1e9)):
            await served.wait()
            return
        raise Late(outcome)

    async def _receive_whole(
        self, provider: SimulatedProvider, admission: Admission, plan: AnswerPlan
    ) -> None:
        due_ns = self._now_ns() + provider.ttft_ns(admission)
        due_ns += sum(provider.gap_ns(admission) for _ in range(plan.completion_tokens - 1))
        await self._sleep_until(due_ns, *self._first_deadline())
        now_ns = self._now_ns()
        stamps = self.stamps
        stamps.headers_ns = stamps.first_byte_ns = stamps.last_content_ns = now_ns
        self.received = plan.completion_tokens

    async def _receive_stream(
        self, provider: SimulatedProvider, admission: Admission, plan: AnswerPlan
    ) -> None:
        due_ns = self._now_ns() + provider.ttft_ns(admission)
        pieces = plan.pieces if plan.cut_after is None else plan.pieces[: plan.cut_after]
        await self._sleep_until(due_ns, *self._first_deadline())
        for index, piece in enumerate(pieces):
            if index:
                due_ns += provider.gap_ns(admission)
                await self._sleep_until(due_ns, *self._idle_deadline())
            self._note(piece)

    def _note(self, piece: Piece) -> None:
        now_ns = self._now_ns()
        stamps = self.stamps
        if stamps.last_content_ns is not None:
            self._gaps_ns.append(now_ns - stamps.last_content_ns)
        else:
            stamps.first_content_ns = now_ns
        stamps.last_content_ns = now_ns
        if stamps.first_output_ns is None and piece.kind != "reasoning":
            stamps.first_output_ns = now_ns
        self.received += 1

    def _first_deadline(self) -> tuple[Outcome, int]:
        """Return which deadline holds before the first content. Whole answers have but the total one."""
        sent_ns = self.stamps.sent_ns or 0
        total_ns = sent_ns + round(self._timeouts.total * 1e9)
        first_ns = sent_ns + round(self._timeouts.first_token * 1e9)
        if self._request.stream and first_ns < total_ns:
            return Outcome.TIMEOUT_FIRST_TOKEN, first_ns
        return Outcome.TIMEOUT_TOTAL, total_ns

    def _idle_deadline(self) -> tuple[Outcome, int]:
        total_ns = (self.stamps.sent_ns or 0) + round(self._timeouts.total * 1e9)
        idle_ns = (self.stamps.last_content_ns or 0) + round(self._timeouts.idle * 1e9)
        if idle_ns < total_ns:
            return Outcome.TIMEOUT_IDLE, idle_ns
        return Outcome.TIMEOUT_TOTAL, total_ns

    async def _sleep_until(self, due_ns: int, late: Outcome, deadline_ns: int) -> None:
        wake_ns = min(due_ns, deadline_ns)
        delay_ns = wake_ns - self._now_ns()
        if delay_ns > 0:
            await anyio.sleep(delay_ns / 1e9)
        if due_ns > deadline_ns:
            raise Late(late)

    def _result(self, outcome: Outcome, headers: Headers) -> ChatResult:
        rate_headers = {name: value for name, value in headers if name.startswith("x-ratelimit-")}
        return ChatResult(
            outcome=outcome,
            stamps=self.stamps,
            request_id=self.request_id,
            reused_connection=True,
            simulated=True,
            rate_headers=rate_headers,
        )

    def _fill(self, result: ChatResult, plan: AnswerPlan) -> None:
        """Say what has been received."""
        if result.status is not None:
            result.response_model = plan.model
        if self._request.keep_content:
            if self.received == plan.completion_tokens and plan.finish_reason != "length":
                said = plan.answer
                result.content, result.reasoning, result.tool_calls = (
                    said.text,
                    said.reasoning,
                    said.tool_calls,
                )
            else:
                pieces = plan.pieces[: self.received]
                result.content, result.reasoning, result.tool_calls = join_pieces(pieces)
        if self._request.stream:
            result.chunks = self.received
            result.chunk_gaps_ns = tuple(self._gaps_ns)


class CoarseExchange(Exchange):
    """The same with one wake at the end: what happens in between is worked out when it begins."""

    async def _receive_stream(
        self, provider: SimulatedProvider, admission: Admission, plan: AnswerPlan
    ) -> None:
        tokens = plan.completion_tokens if plan.cut_after is None else plan.cut_after
        first_ns = self._now_ns() + provider.ttft_ns(admission)
        late, deadline_ns = self._first_deadline()
        if first_ns > deadline_ns or tokens == 0:
            await self._sleep_until(first_ns, late, deadline_ns)
            return
        total_ns = (self.stamps.sent_ns or 0) + round(self._timeouts.total * 1e9)
        course = Course(first_ns, tokens, round(self._timeouts.idle * 1e9), total_ns)
        if provider.behaviour.itl_spread:
            course.run(provider.gap_ns(admission) for _ in range(tokens - 1))
        elif tokens > 1:
            course.run_evenly(provider.gap_ns(admission))
        try:
            await self._sleep_until(course.due_ns, course.late, course.deadline_ns)
        except Late:
            self._note_all(course, plan)
            raise
        self._note_all(course, plan)

    def _note_all(self, course: Course, plan: AnswerPlan) -> None:
        """Stamp what came, which is less than all where the client gave up."""
        stamps = self.stamps
        stamps.first_content_ns = course.first_ns
        if course.received > plan.reasoning_tokens:
            stamps.first_output_ns = course.time_of(plan.reasoning_tokens)
        stamps.last_content_ns = course.last_ns
        self.received = course.received
