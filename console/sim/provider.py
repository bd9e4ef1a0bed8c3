"""The core of the simulated provider: what it lets in, what it says and how fast. No socket, no clock."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from console.sim import rejection as reject
from console.sim.admission import Admission, Deployment, Key
from console.sim.answers import (
    Answer,
    Piece,
    Player,
    answer_digest,
    count_pieces,
    count_tokens,
    plain_answer,
    split_answer,
)
from console.sim.delays import RequestDelays
from console.sim.faults import Faults
from console.sim.quotas import MINUTE_NS, Window, go_duration, tightest
from console.sim.rejection import Headers, Rejection
from console.vocabulary.chat import Message
from console.vocabulary.simulated import SimBehaviour
from console.vocabulary.tokens import offered_tokens

NO_KEY = "-"
MILLISECOND_NS = 1_000_000


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One chat request as the provider understands it, whatever dialect it came in."""

    deployment: str
    key: str = NO_KEY
    """`key_label` of the credential."""
    messages: Sequence[Message]
    tools: Sequence[dict[str, Any]] = ()
    max_tokens: int | None = None
    ignore_eos: bool = False


class AnswerPlan(msgspec.Struct, kw_only=True):
    """What is going to be said, decided before the first token."""

    answer: Answer
    """As the model wants to say it; `completion_tokens` may end it sooner."""
    completion_tokens: int
    """Tokens of the answer, reasoning included."""
    finish_reason: str
    model: str
    prompt_tokens: int
    reasoning_tokens: int
    cut_after: int | None = None
    """A stream ends without an end after so many pieces."""
    made_pieces: list[Piece] | None = None
    """The tokens, once somebody asked for them."""

    @property
    def pieces(self) -> list[Piece]:
        """The tokens one by one, cut when first asked for: who only counts them need not pay for them."""
        if self.made_pieces is None:
            self.made_pieces = split_answer(self.answer)[: self.completion_tokens]
        return self.made_pieces


@lru_cache(maxsize=4096)
def key_label(credential: str | None) -> str:
    """Return what stands for a credential in all counts: the fingerprint of `Secret`, never the key."""
    return hashlib.sha256(credential.encode()).hexdigest()[:8] if credential else NO_KEY


class SimulatedProvider:
    """One simulated provider. Its owner passes the time and says when an answer has ended."""

    def __init__(
        self,
        behaviour: SimBehaviour,
        *,
        seed: int,
        player: Player | None = None,
        model_of: Mapping[str, str] | None = None,
        delays_by_request: bool = False,
    ) -> None:
        """Behave as `behaviour` says; answers are drawn from `seed`, by `player` where it can.

        Args:
            behaviour: speed, capacity, quotas and faults.
            seed: what all draws come from.
            player: answers the conversations it understands.
            model_of: deployment → model; absent: its own name.
            delays_by_request: draw the delays of each request from what it asks and not from the order of
                arrival, so that they are the same however requests overtake one another.
        """
        self.behaviour = behaviour
        self.keys: dict[str, Key] = {}
        self.deployments: dict[str, Deployment] = {}
        self.in_flight = 0
        self.peak = 0
        self.outcomes: Counter[str] = Counter()
        """Rejections by outcome, and answers by `ok`, `cut` and `cancelled`."""
        self.tokens_sent = 0
        self._seed = seed
        self._player = player
        self._model_of = model_of or {}
        self._faults = Faults(behaviour)
        self._delays = RequestDelays(seed) if delays_by_request else None
        self._accepted = frozenset(key_label(key) for key in behaviour.keys)

    def begin(self, now_ns: int, ask: Ask) -> tuple[Admission, AnswerPlan] | Rejection:
        """Let a request in and decide its answer, or refuse it.

        What is let in must be given to `release` exactly once, however it ends.
        """
        prompt_tokens = count_tokens(ask.messages)
        if ask.tools:  # they are part of the prompt, and mostly the larger one
            prompt_tokens += round(offered_tokens(ask.tools))
        expected = ask.max_tokens if ask.max_tokens is not None else self.behaviour.output_tokens
        admission = self.admit(now_ns, ask.deployment, ask.key, prompt_tokens + expected)
        if isinstance(admission, Rejection):
            return admission
        try:
            digest = answer_digest(self._seed, self._model(ask.deployment), ask.messages)
            if self._delays is not None:
                admission.delays = self._delays.of(ask.deployment, digest)
            plan = self._plan(ask, prompt_tokens, digest)
        except BaseException:
            self.release(admission, now_ns, "failed")
            raise
        if plan is None:
            refused = reject.server_fault(self.behaviour, admission.headers)
            self.release(admission, now_ns, refused.outcome)
            return refused
        return admission, plan

    def admit(
        self, now_ns: int, deployment_name: str, key_name: str, estimated_tokens: int
    ) -> Admission | Rejection:
        """Check credential, quotas and queue in this order, and take a place if all agree."""
        answer = self._admit(now_ns, deployment_name, key_name, estimated_tokens)
        if isinstance(answer, Rejection):
            self.outcomes[answer.outcome] += 1
        return answer

    def authenticate(self, key_name: str) -> Rejection | None:
        """Refuse a key that is not among the accepted ones, if the provider asks for keys at all."""
        if self._accepted and key_name not in self._accepted:
            return reject.unknown_key(self.behaviour)
        return None

    def release(self, admission: Admission, now_ns: int, outcome: str, tokens_sent: int = 0) -> None:
        """End a request: free its slot, let the next one in, count how it ended. A second call is nothing."""
        if admission.released:
            return
        admission.released = True
        self.outcomes[outcome] += 1
        self.tokens_sent += tokens_sent
        self.in_flight -= 1
        admission.key.in_flight -= 1
        admission.deployment.leave(admission, now_ns)

    def ttft_ns(self, admission: Admission) -> int:
        """Draw the time from slot to first token under the load of now."""
        return self._draw(admission, self.behaviour.ttft_ms, self.behaviour.ttft_spread)

    def gap_ns(self, admission: Admission) -> int:
        """Draw the time to the next token under the load of now."""
        return self._draw(admission, self.behaviour.itl_ms, self.behaviour.itl_spread)

    def served_models(self) -> tuple[str, ...]:
        """Return what `/v1/models` lists."""
        return self.behaviour.models or tuple(self._model_of) or ("simulated",)

    def _draw(self, admission: Admission, median_ms: float, spread: float) -> int:
        """Draw from the lognormal distribution with this median, longer as slots are busy."""
        factor = 1.0 + self.behaviour.load_factor * admission.deployment.busy_share
        if spread:
            factor *= math.exp(admission.delays.gauss(0.0, spread))
        return round(median_ms * MILLISECOND_NS * factor)

    def _admit(
        self, now_ns: int, deployment_name: str, key_name: str, estimated_tokens: int
    ) -> Admission | Rejection:
        behaviour = self.behaviour
        refused = self.authenticate(key_name)
        if refused is not None:
            return refused
        if behaviour.models and deployment_name not in behaviour.models:
            return reject.unknown_deployment(behaviour)
        key = self.keys.get(key_name)
        if key is None:
            key = self.keys[key_name] = Key(behaviour)
        deployment = self.deployments.get(deployment_name)
        if deployment is None:
            deployment = Deployment(deployment_name, behaviour, self._seed)
            self.deployments[deployment_name] = deployment
        refused = self._over_quota(now_ns, key, deployment, estimated_tokens)
        if refused is not None:
            return refused
        request_windows = key.request_windows + deployment.request_windows
        for window in request_windows:
            window.take(now_ns, 1)
        for window in deployment.token_windows:
            window.take(now_ns, estimated_tokens)
        admission = Admission(deployment, key, self._rate_headers(now_ns, key, deployment))
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        key.requests += 1
        key.in_flight += 1
        key.peak = max(key.peak, key.in_flight)
        deployment.enter(admission, now_ns)
        return admission

    def _over_quota(
        self, now_ns: int, key: Key, deployment: Deployment, estimated_tokens: int
    ) -> Rejection | None:
        """Return the refusal of the first quota that has no room, without using any of them."""
        behaviour = self.behaviour
        quota: reject.Quota
        if key.concurrency is not None and key.in_flight >= key.concurrency:
            return reject.over_quota(behaviour, "concurrency", "key", reject.SECOND_NS, ())
        if deployment.concurrency is not None and deployment.in_flight >= deployment.concurrency:
            return reject.over_quota(behaviour, "concurrency", "deployment", reject.SECOND_NS, ())
        checks = [(window, "key", 1) for window in key.request_windows]
        checks += [(window, "deployment", 1) for window in deployment.request_windows]
        checks += [(window, "deployment", estimated_tokens) for window in deployment.token_windows]
        for window, subject, cost in checks:
            if not window.fits(now_ns, cost):
                headers = self._rate_headers(now_ns, key, deployment)
                if window in deployment.token_windows:
                    quota = "tokens per minute"
                elif window.unit_ns == reject.SECOND_NS:
                    quota = "requests per second"
                else:
                    quota = "requests per minute"
                return reject.over_quota(behaviour, quota, subject, window.resets_in_ns(now_ns), headers)
        full = behaviour.queue is not None and len(deployment.waiting) >= behaviour.queue
        if deployment.all_busy and full:
            return reject.queue_full(behaviour, self._rate_headers(now_ns, key, deployment))
        return None

    def _rate_headers(self, now_ns: int, key: Key, deployment: Deployment) -> Headers:
        """Return `x-ratelimit-*` of the tightest request quota and of the token quota, where there are any.

        These headers speak of minutes, in both dialects: quotas per second are not stated, and stay hidden.
        """
        headers: list[tuple[str, str]] = []
        requests = key.request_windows + deployment.request_windows
        windows = (
            ("requests", tightest([window for window in requests if window.unit_ns == MINUTE_NS], now_ns)),
            ("tokens", tightest(deployment.token_windows, now_ns)),
        )
        for unit, window in windows:
            if window is not None:
                headers += self._window_headers(now_ns, unit, window)
        return tuple(headers)

    def _window_headers(self, now_ns: int, unit: str, window: Window) -> Headers:
        limit = (f"x-ratelimit-limit-{unit}", str(window.capacity))
        remaining = (f"x-ratelimit-remaining-{unit}", str(window.remaining(now_ns)))
        if self.behaviour.dialect == "azure":
            return limit, remaining
        return limit, remaining, (f"x-ratelimit-reset-{unit}", go_duration(window.resets_in_ns(now_ns)))

    def _model(self, deployment: str) -> str:
        return self._model_of.get(deployment, deployment)

    def _plan(self, ask: Ask, prompt_tokens: int, digest: bytes) -> AnswerPlan | None:
        """Decide the answer from seed, model and messages; None where this sending is to fail."""
        model = self._model(ask.deployment)
        fault = self._faults.draw(digest)
        if fault.error:
            return None
        answer = None
        if self._player is not None and not (ask.ignore_eos and ask.max_tokens is not None):
            answer = self._player.answer(
                seed=self._seed,
                model=model,
                messages=ask.messages,
                tools=ask.tools,
                max_tokens=ask.max_tokens,
                skill=self.behaviour.skills.get(model, self.behaviour.skill),
            )
        if answer is None:
            answer = plain_answer(
                digest,
                mean_tokens=self.behaviour.output_tokens,
                max_tokens=ask.max_tokens,
                ignore_eos=ask.ignore_eos,
            )
        reasoning_tokens, tokens = count_pieces(answer)
        finish_reason = answer.finish_reason
        if ask.max_tokens is not None and tokens > ask.max_tokens:
            tokens = ask.max_tokens
            finish_reason = "length"
        cut_after = None
        if fault.cut_at is not None:
            cut_after = min(tokens, 1 + int(fault.cut_at * (tokens - 1)))
        return AnswerPlan(
            answer=answer,
            completion_tokens=tokens,
            finish_reason=finish_reason,
            model=model,
            prompt_tokens=prompt_tokens,
            reasoning_tokens=min(reasoning_tokens, tokens),
            cut_after=cut_after,
        )
