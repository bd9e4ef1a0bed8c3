"""The controller of one lane in adaptive mode: it finds hidden limits, and stays just below them."""

from __future__ import annotations

from math import inf
from typing import Final

from console.engine.adaptive.admissions import Admissions
from console.engine.adaptive.change import Change, What
from console.engine.adaptive.hypothesis import Hypothesis
from console.engine.adaptive.latency import latency_s
from console.engine.adaptive.learnt import FRESH_FOR_S
from console.engine.adaptive.rate import BETA, CubicRate
from console.engine.adaptive.signals import REFUSALS, Reading, Says, read
from console.engine.adaptive.stated import StatedLimits
from console.engine.adaptive.troubles import Troubles
from console.engine.adaptive.usage import Usage
from console.engine.adaptive.window import Window
from console.engine.gates import NS_PER_S
from console.vocabulary.chat import ChatResult
from console.vocabulary.lane import Limits
from console.vocabulary.learnt import Learnt
from console.vocabulary.outcome import Outcome

START_RATE: Final = 2.0
START_WINDOW: Final = 20
_STATED_SHARE: Final = 0.98
"""Of a limit that the server states: its clock and its count are not ours."""
_BINDS: Final = 0.85
"""Part of a rate that has to be used for it to be what holds requests back."""
_BINDS_BESIDE_CAP: Final = 0.4
"""Under a cap each answer is followed by a request at once, so the pacer needs room above the mean."""
_LONGEST_TURN_S: Final = 5.0
_LONGEST_ALONE_S: Final = 8.0
_TOLD_FROM: Final = 1.25
"""Growth since it was last told, for it to be told again."""


class LaneController:
    """Paced CUBIC rate with a guarded window, for one lane. It reads no clock and sends nothing.

    The engine enforces `rate` and `token_rate` (pacers without burst), `window` and `paused_until_ns`, tells of
    every request sent and ended, and calls `tick` once a second. The ceilings are never passed.
    """

    def __init__(
        self,
        ceiling: Limits,
        *,
        now_ns: int,
        learnt: Learnt | None = None,
        learnt_age_s: float = inf,
        start_rate: float = START_RATE,
        start_window: int = START_WINDOW,
    ) -> None:
        """Start where an earlier run left off if that is less than 15 minutes ago, else in slow start.

        Args:
            ceiling: the profile's limits of this lane.
            now_ns: the time of the clock that all later times are of.
            learnt: what an earlier run learnt.
            learnt_age_s: how long ago.
            start_rate: requests per second at first.
            start_window: requests in flight at first.
        """
        self.park = ""
        """Why the lane has to be switched off and the user told; empty: it has not."""
        self._ceiling = ceiling
        self._stated = StatedLimits()
        known = learnt if learnt is not None and learnt_age_s < FRESH_FOR_S else None
        self._requests = self._first_rate(known, learnt, start_rate)
        self._tokens: CubicRate | None = None
        if known is not None and known.tokens_per_s is not None:
            self._tokens = self._token_rate(BETA * known.tokens_per_s, known.tokens_per_s)
        self._window = Window(
            start_window if known is None or known.window is None else known.window,
            ceiling.workers,
            slow_start=known is None or known.window is None,
            capped=known is not None and known.capped,
        )
        self._admissions = Admissions()
        self._hypothesis = Hypothesis()
        self._troubles = Troubles()
        self._request_use = Usage()
        self._token_use = Usage()
        self.in_flight = 0
        """Requests sent and not ended."""
        self._mean_tokens = 0.0
        self._duration_s = 3.0
        self._wait_share = 1.0
        """Part of it until the first content: what `latency_s` times."""
        self._refused_in_s = 0.1
        """How long a refusal takes to come back."""
        self._ticked_ns = now_ns
        self._alone = 0
        """Refusals in a row for too many at once with nothing in flight."""
        self._held_until_ns = 0
        self._changes: list[Change] = []
        self._told: dict[What, float | None] = {
            "rate": self.rate,
            "tokens": self.token_rate,
            "window": float(self.window),
        }
        self._ceilings_changed(now_ns, "")

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self._requests.value

    @property
    def token_rate(self) -> float | None:
        """Tokens per second, by estimate; None: no limit of tokens has been met or stated."""
        return None if self._tokens is None else self._tokens.value

    @property
    def window(self) -> int:
        """Requests in flight, at most."""
        return self._window.value

    @property
    def paused_until_ns(self) -> int:
        """Until when nothing may be sent."""
        until_ns = max(self._held_until_ns, self._requests.paused_until_ns)
        return until_ns if self._tokens is None else max(until_ns, self._tokens.paused_until_ns)

    def set_ceiling(self, ceiling: Limits, now_ns: int) -> None:
        """Put other limits of the profile in force, at once."""
        self._ceiling = ceiling
        self._window.limit_to(ceiling.workers)
        self._ceilings_changed(now_ns, "limits set by hand")

    def sent(self, now_ns: int, estimated_tokens: float) -> None:
        """Note that a request was let through."""
        self.in_flight += 1
        self._admissions.sent(now_ns, estimated_tokens)
        self._window.occupied(self.in_flight)
        self._window.cohorts.sent(now_ns)
        self._request_use.add(1.0)
        self._token_use.add(estimated_tokens)
        self._mean_tokens += 0.05 * (estimated_tokens - self._mean_tokens)

    def ended(self, now_ns: int, sent_ns: int, result: ChatResult) -> None:
        """Take in how the request ended that `sent` told of at `sent_ns`; a cancelled one too."""
        reading = read(result)
        says = reading.says
        in_flight = self.in_flight
        self.in_flight = max(0, in_flight - 1)
        refused = says in REFUSALS
        if not refused:
            self._alone = 0
            self._hypothesis.admitted(now_ns, in_flight)
        self._troubles.add(now_ns, says)
        self._timed(now_ns, sent_ns, result, says)
        if result.rate_headers or refused:
            self._take_stated(now_ns, result)
        if refused:
            self._admissions.refused(sent_ns)
            self._refused_in_s += 0.2 * ((now_ns - sent_ns) / NS_PER_S - self._refused_in_s)
            self._refused(now_ns, sent_ns, reading)
        elif says is not Says.NOTHING:
            self._trouble(now_ns, reading)

    def left(self, now_ns: int, sent_ns: int) -> None:
        """Note that a request is not in flight any more, and learn nothing from how it ended."""
        self.in_flight = max(0, self.in_flight - 1)
        self._window.cohorts.ended(now_ns, sent_ns, None)

    def go_on(self, now_ns: int) -> None:
        """Grow from now on again: what was used in between, while nothing was learnt, is not counted."""
        self._ticked_ns = now_ns
        self._request_use.turn(self.rate, 0.0)
        self._token_use.turn(self.rate, 0.0)

    def tick(self, now_ns: int) -> None:
        """Grow what was used up and not refused. Once a second, or as often as it is convenient."""
        seconds = min(_LONGEST_TURN_S, (now_ns - self._ticked_ns) / NS_PER_S)
        if seconds <= 0.0:
            return
        paused_s = (self.paused_until_ns - self._ticked_ns) / NS_PER_S
        open_s = seconds - max(0.0, min(seconds, paused_s))
        self._ticked_ns = now_ns
        self._troubles.forget(now_ns)
        frozen = self._troubles.freezes or now_ns < self.paused_until_ns
        self._tick_rate(now_ns, open_s, frozen=frozen)
        if self._tokens is not None:
            self._tick_tokens(now_ns, self._tokens, open_s, frozen=frozen)
        if not frozen:
            why = self._window.tick(now_ns, self._duration_s)
            self._tell(now_ns, "window", float(self.window), why)

    def drain_changes(self) -> list[Change]:
        """Return the changes since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def learnt(self, wall_s: float) -> Learnt:
        """Return what the next run may start from; `wall_s` is the Unix time now."""
        tokens = self._tokens
        return Learnt(
            at_s=wall_s,
            requests_per_s=None if self._requests.slow_start else self._requests.estimate,
            tokens_per_s=None if tokens is None else tokens.estimate,
            window=None if self._window.slow_start else self.window,
            capped=self._window.capped,
            k_s=None if self._requests.slow_start else self._requests.k_s,
        )

    def _first_rate(self, known: Learnt | None, learnt: Learnt | None, start_rate: float) -> CubicRate:
        ceiling = self._request_ceiling()
        if known is not None and known.requests_per_s is not None:
            rate = CubicRate(BETA * known.requests_per_s, ceiling, estimate=known.requests_per_s)
            rate.k_s = rate.k_s if known.k_s is None else max(rate.k_s, known.k_s)
            return rate
        if learnt is not None and learnt.requests_per_s is not None:
            start_rate = max(start_rate, learnt.requests_per_s / 4)
        return CubicRate(start_rate, ceiling)

    def _token_rate(self, value: float, estimate: float | None) -> CubicRate:
        return CubicRate(value, self._token_ceiling(), estimate=estimate)

    def _request_ceiling(self) -> float | None:
        stated = self._stated.limit.requests_per_s
        return _least(
            self._ceiling.qps,
            None if self._ceiling.rpm is None else self._ceiling.rpm / 60,
            None if stated is None else _STATED_SHARE * stated,
        )

    def _token_ceiling(self) -> float | None:
        stated = self._stated.limit.tokens_per_s
        return _least(
            None if self._ceiling.tpm is None else self._ceiling.tpm / 60,
            None if stated is None else _STATED_SHARE * stated,
        )

    def _ceilings_changed(self, now_ns: int, why: str) -> None:
        self._requests.limit_to(self._request_ceiling())
        self._tell(now_ns, "rate", self.rate, why)
        tokens = self._token_ceiling()
        if self._tokens is not None:
            self._tokens.limit_to(tokens)
        elif tokens is not None:
            self._tokens = self._token_rate(tokens, tokens)
        self._tell(now_ns, "tokens", self.token_rate, why)
        self._tell(now_ns, "window", float(self.window), why)

    def _take_stated(self, now_ns: int, result: ChatResult) -> None:
        if self._stated.take(result):
            self._ceilings_changed(now_ns, self._adjustment())

    def _adjustment(self) -> str:
        """Say that the server allows less than the profile, which Azure does for hours at a time."""
        ours = _least(self._ceiling.qps, None if self._ceiling.rpm is None else self._ceiling.rpm / 60)
        stated = self._stated.limit
        if ours is not None and stated.requests_per_s is not None and stated.requests_per_s < ours:
            return f"the server states {60 * stated.requests_per_s:.0f} RPM, less than the profile: temporary adjustment?"
        tpm = self._ceiling.tpm
        if tpm is not None and stated.tokens_per_s is not None and 60 * stated.tokens_per_s < tpm:
            return f"the server states {60 * stated.tokens_per_s:.0f} TPM, less than the profile: temporary adjustment?"
        return "the server states its limits"

    def _timed(self, now_ns: int, sent_ns: int, result: ChatResult, says: Says) -> None:
        value_s = None
        if result.outcome is Outcome.OK:
            value_s = latency_s(result)
            stamps = result.stamps
            if stamps.sent_ns is not None and stamps.first_content_ns is not None and now_ns > stamps.sent_ns:
                part = min(1.0, (stamps.first_content_ns - stamps.sent_ns) / (now_ns - stamps.sent_ns))
                self._wait_share += 0.05 * (part - self._wait_share)
            self._duration_s += 0.05 * ((now_ns - sent_ns) / NS_PER_S - self._duration_s)
        if self._window.cohorts.ended(now_ns, sent_ns, value_s, late=says is Says.TIMEOUT):
            why = self._window.cohort(now_ns, self._wait_share, frozen=self._troubles.freezes)
            self._tell(now_ns, "window", float(self.window), why)

    def _refused(self, now_ns: int, sent_ns: int, reading: Reading) -> None:
        says, hint_s = reading.says, reading.hint_s
        if says is Says.UNTYPED:
            says = self._suppose(sent_ns, hint_s)
        if says is Says.CONCURRENCY:
            self._wait_alone(now_ns)
            why = self._window.refused(now_ns, sent_ns, self.in_flight, self._duration_s)
            self._tell(now_ns, "window", float(self.window), why)
            return
        paused_ns = self.paused_until_ns
        if says is Says.TOKENS:
            self._refused_tokens(now_ns, sent_ns, hint_s)
        else:
            why = self._requests.refused(now_ns, sent_ns, hint_s, self._admissions.requests, self.rate)
            self._tell(now_ns, "rate", self.rate, why and f"refused ({reading.says}): {why}")
        self._tell_pause(now_ns, paused_ns, f"refused ({reading.says})")

    def _wait_alone(self, now_ns: int) -> None:
        """Come back later, and later each time, where nothing is admitted though nothing of ours is in flight."""
        if self.in_flight:
            return
        paused_ns = self.paused_until_ns
        wait_s = min(_LONGEST_ALONE_S, 0.25 * 2.0 ** min(self._alone, 10))
        self._alone += 1
        self._held_until_ns = max(self._held_until_ns, now_ns + int(wait_s * NS_PER_S))
        self._tell_pause(now_ns, paused_ns, "refused with nothing in flight")

    def _refused_tokens(self, now_ns: int, sent_ns: int, hint_s: float | None) -> None:
        counted = self._admissions.tokens
        if self._tokens is None:
            recent = counted(now_ns - NS_PER_S, now_ns + 1)
            self._tokens = self._token_rate(max(1.0, recent, self.rate * self._mean_tokens), None)
        rate = self._tokens
        why = rate.refused(now_ns, sent_ns, hint_s, counted, self._token_requests(rate))
        self._tell(now_ns, "tokens", rate.value, why and f"refused (tokens): {why}")

    def _suppose(self, sent_ns: int, hint_s: float | None) -> Says:
        """Take a refusal without a type for one or the other, by what the ones before it had in common."""
        capped = self._hypothesis.capped
        news = self._window.is_news(sent_ns) if capped else self._requests.is_news(sent_ns)
        if (news and not self._requests.slow_start) or (capped and news):
            waits = hint_s is not None and hint_s >= 2.0
            if self._hypothesis.refused(self.in_flight, waits_for_window=waits):
                capped = self._hypothesis.capped
                if capped:
                    self._requests.restart()
                else:
                    self._window.uncap()
        return Says.CONCURRENCY if capped else Says.RATE

    def _trouble(self, now_ns: int, reading: Reading) -> None:
        says, troubles = reading.says, self._troubles
        spacing_s = max(10.0, self._duration_s)
        share, count = (0.0, 0) if says is Says.PARK else (troubles.share(says), troubles.count(says))
        if says is Says.PARK:
            if not self.park:
                self.park = reading.reason
                self._changes.append(Change(now_ns, "park", None, None, reading.reason))
        elif says is Says.OVERLOADED:
            paused_ns = self.paused_until_ns
            if reading.hint_s is not None:
                self._held_until_ns = max(self._held_until_ns, now_ns + int(reading.hint_s * NS_PER_S))
                self._tell_pause(now_ns, paused_ns, "overloaded")
            if count >= 2:
                self._shrink(now_ns, min(0.97, max(0.7, 1 - 3 * share)), spacing_s, f"{share:.0%} overloaded")
        elif says is Says.TIMEOUT:
            if count >= 2 and share >= 0.05:
                self._shrink(now_ns, 0.7, spacing_s, f"{share:.0%} timed out")
        elif count >= 10 and share >= 0.25:
            self._shrink(now_ns, 0.7, spacing_s, f"{share:.0%} failed")

    def _shrink(self, now_ns: int, factor: float, spacing_s: float, why: str) -> None:
        if self._window.shrink(now_ns, factor, spacing_s):
            self._tell(now_ns, "window", float(self.window), why)

    def _tick_rate(self, now_ns: int, open_s: float, *, frozen: bool) -> None:
        rate = self._requests
        used = self._request_use.turn(rate.value, open_s)
        why = rate.settle(now_ns, self._admissions, self._admissions.requests, self._refused_in_s)
        binds = _BINDS_BESIDE_CAP if self._window.capped else _BINDS
        if used >= binds and not frozen:
            rate.grow(open_s)
        self._tell(now_ns, "rate", rate.value, why or "used up and not refused", always=bool(why))

    def _tick_tokens(self, now_ns: int, rate: CubicRate, open_s: float, *, frozen: bool) -> None:
        used = self._token_use.turn(rate.value, open_s, max(1.0, self._mean_tokens))
        why = rate.settle(now_ns, self._admissions, self._admissions.tokens, self._refused_in_s)
        if used >= _BINDS and not frozen:
            rate.grow(open_s)
        self._tell(now_ns, "tokens", rate.value, why or "used up and not refused", always=bool(why))

    def _token_requests(self, rate: CubicRate) -> float:
        return rate.value / max(1.0, self._mean_tokens)

    def _tell(self, now_ns: int, what: What, after: float | None, why: str, *, always: bool = True) -> None:
        """Keep a change for the records: every cut, and growth by steps that a reader would care about."""
        before = self._told[what]
        if not why or after == before:
            return
        if not always and before is not None and after is not None and before <= after:
            ceiling = self._request_ceiling() if what == "rate" else self._token_ceiling()
            if after < _TOLD_FROM * before and after != ceiling:
                return
        self._told[what] = after
        self._changes.append(Change(now_ns, what, before, after, why))

    def _tell_pause(self, now_ns: int, before_ns: int, why: str) -> None:
        wait_s = (self.paused_until_ns - now_ns) / NS_PER_S
        if wait_s >= 1.0 and before_ns <= now_ns:
            self._changes.append(Change(now_ns, "pause", None, wait_s, why))


def _least(*limits: float | None) -> float | None:
    return min((limit for limit in limits if limit is not None), default=None)
