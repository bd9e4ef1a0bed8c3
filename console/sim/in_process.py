"""The simulated provider without sockets: the same core behind the client's own method, on any clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

import anyio

from console.sim.answers import Player
from console.sim.config import SimConfig, check_config
from console.sim.exchange import CoarseExchange, Exchange
from console.sim.provider import NO_KEY, Ask, SimulatedProvider
from console.sim.rejection import Rejection, bad_request
from console.sim.wire import request_id_headers
from console.vocabulary.chat import ChatRequest, ChatResult, Departure, Endpoint, Timeouts
from console.vocabulary.outcome import Outcome

SCHEME = "sim://"
_COUNTED_AS = {Outcome.OK: "ok", Outcome.CONTENT_FILTER: "ok", Outcome.PROTOCOL: "cut"}
"""How the provider counts an answer; in every other case the client has gone before the end."""


class InProcessClient:
    """Speaks to simulated providers in this process; waits by `anyio.sleep`, reads time by `now_ns` only."""

    def __init__(
        self,
        config: SimConfig,
        *,
        now_ns: Callable[[], int],
        timeouts: Timeouts | None = None,
        player: Player | None = None,
        players: Mapping[str, Player] | None = None,
        coarse: bool = False,
    ) -> None:
        """Serve the providers of `config` at `sim://NAME`.

        Args:
            config: the providers.
            now_ns: the clock.
            timeouts: deadlines of a request.
            player: answers the conversations it understands.
            players: the same by provider, for those that have one of their own.
            coarse: wake once an answer, not once a token: the same outcomes and the same times, but for gaps
                between tokens, which are not told, and for `load_factor`, which holds over a whole answer as
                it was when the answer began.
        """
        check_config(config)
        own = players or {}
        self.providers = {
            name: SimulatedProvider(
                behaviour,
                seed=config.seed,
                player=own.get(name, player),
                model_of=config.model_of,
                delays_by_request=True,
            )
            for name, behaviour in config.providers.items()
        }
        self._exchange = CoarseExchange if coarse else Exchange
        self._now_ns = now_ns
        self._timeouts = timeouts or Timeouts()
        self._requests = 0

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""

    async def warm(self, endpoint: Endpoint) -> None:
        """Do nothing: there is no connection."""

    async def complete(
        self, endpoint: Endpoint, request: ChatRequest, departure: Departure | None = None
    ) -> ChatResult:
        """Ask once and return what came of it; only cancellation is raised."""
        self._requests += 1
        exchange = self._exchange(self._now_ns, self._timeouts, request, f"sim-{self._requests:08d}")
        if departure is not None and exchange.stamps.sent_ns is not None:
            departure.sent(exchange.stamps.sent_ns)
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
