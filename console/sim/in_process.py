"""The simulated provider without sockets: the same core behind the client's own method, on any clock."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import anyio

from console.sim.admission import Admission
from console.sim.answers import Piece, Player, join_pieces
from console.sim.config import SimConfig, check_config
from console.sim.provider import NO_KEY, AnswerPlan, Ask, SimulatedProvider
from console.sim.rejection import Headers, Rejection, bad_request
from console.sim.wire import request_id_headers
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Stamps, Timeouts
from console.vocabulary.outcome import Outcome

SCHEME = "sim://"
_COUNTED_AS = {Outcome.OK: "ok", Outcome.CONTENT_FILTER: "ok", Outcome.PROTOCOL: "cut"}
"""How the provider counts an answer; in every other case the client has gone before the end."""


class _Late(Exception):  # noqa: N818 - it is a deadline that has passed, caught in this file
    """A deadline of the client passed before the provider's next step."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class InProcessClient:
    """Speaks to simulated providers in this process; waits by `anyio.sleep`, reads time by `now_ns` only."""

    def __init__(
        self,
        config: SimConfig,
        *,
        now_ns: Callable[[], int],
        timeouts: Timeouts | None = None,
        player: Player | None = None,
    ) -> None:
        """Serve the providers of `config` at `sim://NAME`."""
        check_config(config)
        self.providers = {
            name: SimulatedProvider(behaviour, seed=config.seed, player=player, model_of=config.model_of)
            for name, behaviour in config.providers.items()
        }
        self._now_ns = now_ns
        self._timeouts = timeouts or Timeouts()
        self._requests = 0

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""

    async def warm(self, endpoint: Endpoint) -> None:
        """Do nothing: there is no connection."""

    async def complete(
        self, endpoint: Endpoint, request: ChatRequest, on_sent: Callable[[int], None] | None = None
    ) -> ChatResult:
        """Ask once and return what came of it; only cancellation is raised."""
        self._requests += 1
        exchange = _Exchange(self._now_ns, self._timeouts, request, f"sim-{self._requests:08d}")
        if on_sent is not None and exchange.stamps.sent_ns is not None:
            on_sent(exchange.stamps.sent_ns)
        provider = self.providers.get(unquote(endpoint.base_url.removeprefix(SCHEME)).strip("/"))
        if provider is None or not endpoint.base_url.startswith(SCHEME):
            refused = bad_request(f"{endpoint.base_url} names no simulated provider", status=404)
            return exchange.refused(refused)
        ask = Ask(
            deployment=endpoint.deployment,
            key=endpoint.secret.fingerprint if endpoint.secret is not None else NO_KEY,
            messages=request.messages,
            tools=request.tools,
            max_tokens=request.max_tokens,
            ignore_eos=request.ignore_eos,
        )
        exchange.headers = request_id_headers(provider.behaviour, exchange.request_id)
        await anyio.lowlevel.checkpoint()
        begun = provider.begin(self._now_ns(), ask)
        if isinstance(begun, Rejection):
            return exchange.refused(begun)
        admission, plan = begun
        outcome = "cancelled"
        try:
            result = await exchange.run(provider, admission, plan)
            outcome = _COUNTED_AS.get(result.outcome, "cancelled")
            return result
        finally:
            provider.release(admission, self._now_ns(), outcome, exchange.received)


class _Exchange:
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
        except _Late as late:
            result = self._result(late.outcome, admission.headers)
            result.error = f"no answer in time ({late.outcome})"
            result.status = status
            self._fill(result, plan, plan.pieces[: self.received])
        else:
            cut = self._request.stream and plan.cut_after is not None
            result = self._result(Outcome.PROTOCOL if cut else Outcome.OK, admission.headers)
            result.status = status
            self._fill(result, plan, plan.pieces[: self.received])
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
        raise _Late(outcome)

    async def _receive_whole(
        self, provider: SimulatedProvider, admission: Admission, plan: AnswerPlan
    ) -> None:
        due_ns = self._now_ns() + provider.ttft_ns(admission)
        due_ns += sum(provider.gap_ns(admission) for _ in plan.pieces[1:])
        await self._sleep_until(due_ns, *self._first_deadline())
        now_ns = self._now_ns()
        stamps = self.stamps
        stamps.headers_ns = stamps.first_byte_ns = stamps.last_content_ns = now_ns
        self.received = len(plan.pieces)

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
            raise _Late(late)

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

    def _fill(self, result: ChatResult, plan: AnswerPlan, pieces: list[Piece]) -> None:
        """Say what has been received."""
        if result.status is not None:
            result.response_model = plan.model
        if self._request.keep_content:
            result.content, result.reasoning, result.tool_calls = join_pieces(pieces)
        if self._request.stream:
            result.chunks = len(pieces)
            result.chunk_gaps_ns = tuple(self._gaps_ns)
