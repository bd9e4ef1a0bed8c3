"""Whether every key reaches every deployment of a profile: one small chat request a lane, within the profile's limits.

A list of models proves little: Azure lists what could be deployed, and gateways show it without looking at the key.
Only an answer shows that this key may use this deployment, so that is what is asked for.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final

import anyio

from console.broker.run_share import RunShare
from console.engine.arbiter import Arbiter
from console.engine.asking import estimate_tokens
from console.engine.backoff import lane_off_reason
from console.engine.departure import Departure
from console.engine.lane_runtime import LaneRuntime
from console.engine.shared_gates import shared_gates
from console.engine.valve import Valve
from console.host import Hosting, simulated
from console.llm.client import LlmClient
from console.profile.effective import lane_setups, timeouts
from console.profile.form import Key
from console.profile.load import LoadedProfile
from console.profile.secrets import resolve_endpoints, source_of
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Stamps, Timeouts
from console.vocabulary.errors import Problems
from console.vocabulary.lane import Lane, LaneSetup
from console.vocabulary.outcome import TIMEOUTS, Outcome
from console.vocabulary.probed import Probed, ProbeState
from console.vocabulary.safe_text import safe_line

AT_ONCE: Final = 16
"""Requests in flight, whatever the profile allows beyond that."""
OUTPUT_TOKENS: Final = 16
"""Some servers take no less; those that reason first spend them on that, which is an answer as well."""
PROMPT: Final = "Answer with one word: ok"
_LONGEST_TEXT: Final = 200
_NO_DEPLOYMENT = re.compile(
    r"DeploymentNotFound|model_not_found|no such (?:model|deployment)"
    r"|(?:model|deployment)\b.{0,80}(?:not found|not exist|unknown|not supported)",
    re.IGNORECASE | re.DOTALL,
)
_TOO_SHORT = re.compile(r"(?:max_tokens|output limit)\b.{0,40}\breached", re.IGNORECASE | re.DOTALL)
"""An o-model that had no room for its answer."""


def probe_request() -> ChatRequest:
    """Return what every lane is asked."""
    return ChatRequest(messages=({"role": "user", "content": PROMPT},), max_tokens=OUTPUT_TOKENS)


def lanes_to_probe(loaded: LoadedProfile, models: Sequence[str] = ()) -> tuple[LaneSetup, ...]:
    """Return the lanes that are on, of `models` only if there are any.

    Raises:
        ConsoleError: if the profile has no such model, or no limits for its rate mode.
    """
    return lane_setups(loaded.profile, models=models or None)


def prompt_tokens() -> int:
    """Return about how many tokens a request is."""
    return round(estimate_tokens(probe_request()) - OUTPUT_TOKENS)


def cost_text(lanes: int) -> str:
    """Say what asking costs, before it is done."""
    requests = "1 request" if lanes == 1 else f"{lanes} requests"
    return f"sends {requests}, one a lane, of about {prompt_tokens()} tokens and at most {OUTPUT_TOKENS} in answer"


async def probe(
    loaded: LoadedProfile,
    lanes: Sequence[LaneSetup],
    timeout_s: float,
    told: Callable[[Probed], None] | None = None,
) -> list[Probed]:
    """Ask every lane once, and return what came of it, in the order of the lanes.

    Args:
        loaded: the profile.
        lanes: what to ask.
        timeout_s: for all of them together.
        told: called for each lane as soon as something is known of it.
    """
    probed: dict[str, Probed] = {}

    def found(one: Probed) -> None:
        probed[one.lane.id] = one
        if told is not None:
            told(one)

    what = Hosting(title="check", loaded=loaded, lanes=tuple(lanes), seed=0, plan=None)
    async with simulated(what) as sim_urls:
        endpoints, nowhere = _endpoints(loaded, lanes, sim_urls)
        for setup in lanes:
            if setup.lane.id in nowhere:
                state, text = nowhere[setup.lane.id]
                source = _key_source(loaded, setup.lane)
                found(Probed(lane=setup.lane, state=state, text=text, key_source=source))

        def answered(lane: Lane, result: ChatResult) -> None:
            found(_read(lane, result, timeout_s, _key_source(loaded, lane)))

        reached = [setup for setup in lanes if setup.lane.id in endpoints]
        own = frozenset(setup.lane.id for setup in reached if setup.lane.provider in sim_urls)
        await _Prober(loaded, reached, endpoints, own, answered).ask_all(timeout_s)
    for setup in lanes:
        if setup.lane.id not in probed:
            found(_read(setup.lane, None, timeout_s, _key_source(loaded, setup.lane)))
    return [probed[setup.lane.id] for setup in lanes]


def _endpoints(
    loaded: LoadedProfile, lanes: Sequence[LaneSetup], sim_urls: dict[str, str]
) -> tuple[dict[str, Endpoint], dict[str, tuple[ProbeState, str]]]:
    """Return where lanes go, and of those whose key or URL is not there why; each key is looked for once."""
    groups: dict[tuple[str, str], list[LaneSetup]] = {}
    for setup in lanes:
        groups.setdefault((setup.lane.provider, setup.lane.key), []).append(setup)
    endpoints: dict[str, Endpoint] = {}
    nowhere: dict[str, tuple[ProbeState, str]] = {}
    for group in groups.values():
        try:
            endpoints |= resolve_endpoints(loaded, group, sim_urls)
        except Problems as problems:
            text = "; ".join(
                f"{one.message} ({one.hint})" if one.hint else one.message for one in problems.problems
            )
            state = "no_url" if any("base_url" in one.path for one in problems.problems) else "no_key"
            nowhere |= {setup.lane.id: (state, safe_line(text, _LONGEST_TEXT)) for setup in group}
    return endpoints, nowhere


def _key_source(loaded: LoadedProfile, lane: Lane) -> str:
    secret = loaded.profile.providers[lane.provider].keys.get(lane.key, Key()).secret
    return "" if secret is None else source_of(secret)


class _Prober:
    """Sends one request a lane through the gates that a run would pass, those of other runs included."""

    def __init__(
        self,
        loaded: LoadedProfile,
        lanes: Sequence[LaneSetup],
        endpoints: dict[str, Endpoint],
        own_lanes: frozenset[str],
        answered: Callable[[Lane, ChatResult], None],
    ) -> None:
        self._timeouts = timeouts(loaded.profile)
        self._lanes = lanes
        self._endpoints = endpoints
        self._own_lanes = own_lanes
        self._now_ns = time.perf_counter_ns
        self._answered = answered

    async def ask_all(self, timeout_s: float) -> None:
        """Tell what came of every lane whose turn came."""
        arbiter, at_once = Arbiter(self._now_ns), anyio.CapacityLimiter(AT_ONCE)
        gates = shared_gates(self._lanes)
        shared = RunShare(
            self._lanes,
            self._endpoints,
            run_id="profile-check",
            now_ns=self._now_ns,
            own_lanes=self._own_lanes,
        )
        own = self._timeouts
        limits = Timeouts(
            *(min(each, timeout_s) for each in (own.connect, own.first_token, own.idle, own.total))
        )
        with closing(shared):
            async with LlmClient(timeouts=limits, now_ns=self._now_ns) as client:
                with anyio.move_on_after(timeout_s):
                    async with anyio.create_task_group() as background:
                        background.start_soon(arbiter.run)
                        async with anyio.create_task_group() as asking:
                            for setup in _by_turns(self._lanes):
                                lane = LaneRuntime(
                                    setup,
                                    self._endpoints[setup.lane.id],
                                    gates,
                                    arbiter,
                                    Valve(),
                                    self._now_ns,
                                    beyond=shared.beyond(setup.lane.id),
                                )
                                asking.start_soon(self._ask, client, lane, at_once)
                        background.cancel_scope.cancel()

    async def _ask(self, client: LlmClient, lane: LaneRuntime, at_once: anyio.CapacityLimiter) -> None:
        request = probe_request()
        async with at_once:
            passage = lane.passage("")
            if passage.paces:
                await client.warm(lane.endpoint)
            ticket = await lane.enter(passage, estimate_tokens(request))
            result = ChatResult(outcome=Outcome.CANCELLED, stamps=Stamps(sent_ns=self._now_ns()))
            departure = Departure(passage, ticket.entered_ns) if passage.paces else None
            try:
                result = await client.complete(lane.endpoint, request, departure)
            finally:
                self._answered(lane.lane, result)
                if departure is not None:
                    departure.over()
                lane.leave(ticket, result)


def _by_turns(lanes: Sequence[LaneSetup]) -> list[LaneSetup]:
    """Return the first lane of every key, then the second: one with a slow limit keeps no other key waiting."""
    seen: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[int, int, LaneSetup]] = []
    for place, setup in enumerate(lanes):
        key = (setup.lane.provider, setup.lane.key)
        turns.append((seen[key], place, setup))
        seen[key] += 1
    return [setup for _, _, setup in sorted(turns, key=lambda turn: turn[:2])]


def _read(lane: Lane, result: ChatResult | None, timeout_s: float, source: str) -> Probed:
    """Say what a result shows of a lane."""
    if result is None:
        return Probed(
            lane=lane, state="not_reached", text=f"not asked within {timeout_s:g} s", key_source=source
        )
    state = _state(result)
    text = safe_line(result.error, _LONGEST_TEXT)
    if result.outcome is Outcome.CANCELLED:
        text = f"no answer within the {timeout_s:g} s for all"
    stamps = result.stamps
    ttft_ms = None
    if stamps.sent_ns is not None and stamps.first_content_ns is not None:
        ttft_ms = round((stamps.first_content_ns - stamps.sent_ns) / 1e6, 1)
    return Probed(
        lane=lane,
        state=state,
        text=text,
        status=result.status,
        ttft_ms=ttft_ms,
        key_source=source,
        simulated=result.simulated,
    )


def _state(result: ChatResult) -> ProbeState:
    outcome, said = result.outcome, f"{result.error_code or ''} {result.error}"
    if outcome in (Outcome.OK, Outcome.CONTENT_FILTER):
        return "answers"
    if outcome is Outcome.AUTH:
        return "key_refused"
    if outcome is Outcome.RATE_LIMITED:
        return "rate_limited" if lane_off_reason(result) is None else "quota_used_up"
    if outcome is Outcome.OVERLOADED and result.status == 429:
        return "rate_limited"
    if outcome in TIMEOUTS or outcome is Outcome.CANCELLED:
        return "timeout"
    if outcome is Outcome.CONNECTION:
        return "no_server"
    if outcome is Outcome.BAD_REQUEST:
        if _TOO_SHORT.search(said):
            return "answers"
        if result.status == 404 or _NO_DEPLOYMENT.search(said):
            return "no_deployment"
    return "failed"
