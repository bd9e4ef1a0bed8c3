"""Gates: what the limits of one scope let through now. Who passes next is the arbiter's to say (law 2)."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Final

from console.vocabulary.lane import Limits, Scope

NowNs = Callable[[], int]
NS_PER_S: Final = 1_000_000_000
_MOST_TOKENS: Final = 2_000_000.0
"""More than any model takes in one request; a server that claims more does not block a lane for days."""


class Pacer:
    """Generic cell rate algorithm: in every window w at most rate × w + burst + 1 units pass.

    Virtual scheduling form: `tat` is the theoretical arrival time of the next unit (ITU-T I.371, annex A).
    """

    def __init__(self, per_second: float, burst: float = 0.0) -> None:
        """Pace to `per_second` units; `burst` units may pass at once beyond the schedule."""
        self._interval_ns = NS_PER_S / per_second
        self._burst = burst
        self._slack_ns = burst * self._interval_ns
        self._tat_ns = 0.0
        self._sent_tat_ns = 0.0
        """The same of what was really sent: the law. `_tat_ns`, by which units pass, keeps ahead of it."""
        self._unsent = 0
        """Units that passed and were not sent yet."""

    @property
    def per_second(self) -> float:
        """The rate now."""
        return NS_PER_S / self._interval_ns

    def ready_ns(self) -> int:
        """Return when the next unit may pass."""
        return ceil(self._tat_ns - self._slack_ns)

    def charge(self, now_ns: int, units: float = 1.0) -> None:
        """Note that `units` passed at `now_ns`, whether or not they were on time."""
        self._tat_ns = max(float(now_ns), self._tat_ns) + units * self._interval_ns

    def expect(self) -> None:
        """Note that the unit charged last is going to be sent, and `sent` or `unsent` will tell."""
        self._unsent += 1

    def departs_ns(self) -> int:
        """Return when the next unit that passed may be sent."""
        return ceil(self._sent_tat_ns - self._slack_ns)

    def sent(self, sent_ns: int, *, again: bool = False) -> None:
        """Note when a unit that passed was really sent: those after it keep their distance from there.

        Args:
            sent_ns: when.
            again: the same unit had been sent before, and to no effect.
        """
        if not again:
            self.unsent()
        self._sent_tat_ns = max(self._sent_tat_ns, float(sent_ns)) + self._interval_ns
        self._tat_ns = max(self._tat_ns, self._sent_tat_ns + self._unsent * self._interval_ns)

    def unsent(self) -> None:
        """Note that a unit which passed is not going to be sent; it stays charged."""
        self._unsent = max(0, self._unsent - 1)  # some passed before there was this limit

    def correct(self, now_ns: int, units: float) -> None:
        """Charge `units` more, or give some back that were charged before and not used."""
        if units >= 0:
            self.charge(now_ns, units)
        else:
            self._tat_ns += units * self._interval_ns

    def set_rate(self, now_ns: int, per_second: float, burst: float | None = None) -> None:
        """Change the rate at once: what is still owed at `now_ns` is paid off at the new one."""
        interval_ns = NS_PER_S / per_second
        owed_ns = max(0.0, self._tat_ns - now_ns)
        self._tat_ns = min(self._tat_ns, float(now_ns)) + owed_ns * interval_ns / self._interval_ns
        owed_ns = max(0.0, self._sent_tat_ns - now_ns)
        self._sent_tat_ns = min(self._sent_tat_ns, float(now_ns)) + owed_ns * interval_ns / self._interval_ns
        self._interval_ns = interval_ns
        self._burst = self._burst if burst is None else burst
        self._slack_ns = self._burst * interval_ns


class Gate:
    """The limits of one scope: room for requests in flight, and pacers for requests and tokens.

    It only counts: an arbiter looks at all gates of a request at one instant and passes them together, so that
    nobody holds a place at one while it waits for another.
    """

    def __init__(
        self, scope: Scope, limits: Limits, *, burst: float = 0.0, tokens_by_estimate: bool = True
    ) -> None:
        self.scope = scope
        self.plan = self.limits = limits
        """What it had at first, and what it has now."""
        self.most = limits.workers
        """Requests that may be in flight; None: unlimited."""
        self.in_flight = 0
        self.waiting = 0
        """Requests that wait to pass it, here or at another gate of theirs."""
        self._burst = burst
        self._queries = None if limits.qps is None else Pacer(limits.qps, burst)
        self._per_minute = None if limits.rpm is None else Pacer(limits.rpm / 60, burst)
        # One second's worth of tokens may pass at once, else a single large request would wait for its own size.
        self._tokens = None if limits.tpm is None else Pacer(limits.tpm / 60, limits.tpm / 60)
        self._tokens_by_estimate = tokens_by_estimate
        self._note_pacers()

    @property
    def paces(self) -> bool:
        """Whether it limits a rate."""
        return bool(self._pacers)

    @property
    def requests_per_s(self) -> float | None:
        """The requests per second that it lets through, by the strictest of its rates; None: unlimited."""
        qps, rpm = self.limits.qps, self.limits.rpm
        if rpm is None:
            return qps
        return rpm / 60 if qps is None else min(qps, rpm / 60)

    @property
    def unlimited(self) -> bool:
        """Whether it lets everything through."""
        return self.most is None and not self._pacers

    @property
    def has_room(self) -> bool:
        """Whether one more may be in flight."""
        return self.most is None or self.in_flight < self.most

    def ready_ns(self) -> int:
        """Return when its rates let the next request pass."""
        ready_ns = 0
        for pacer in self._pacers:
            ready_ns = max(ready_ns, pacer.ready_ns())
        return ready_ns

    def enter(self, now_ns: int, estimated_tokens: float) -> None:
        """Note that a request passed; it is in flight until `leave`."""
        self.in_flight += 1
        for pacer in self._sendings:
            pacer.charge(now_ns)
            pacer.expect()
        if self._tokens is not None:
            self._tokens.charge(now_ns, estimated_tokens)

    def departs_ns(self) -> int:
        """Return when a request that passed may be sent; tokens may pass a second's worth early anyhow."""
        departs_ns = 0
        for pacer in self._sendings:
            departs_ns = max(departs_ns, pacer.departs_ns())
        return departs_ns

    def sent(self, sent_ns: int, *, again: bool) -> None:
        """Note when a request that passed was really sent."""
        for pacer in self._sendings:
            pacer.sent(sent_ns, again=again)

    def unsent(self) -> None:
        """Note that a request which passed is not going to be sent."""
        for pacer in self._sendings:
            pacer.unsent()

    def leave(self) -> None:
        """Note that a request is not in flight any more."""
        self.in_flight -= 1

    def settle(self, now_ns: int, estimated_tokens: float, used_tokens: float) -> None:
        """Put what an answered request used in place of its estimate, where tokens are accounted by actual usage."""
        if self._tokens is not None and not self._tokens_by_estimate:
            self._tokens.correct(now_ns, believable_tokens(used_tokens) - estimated_tokens)

    def retune(
        self, now_ns: int, *, most: int | None, per_second: float | None, tokens_per_second: float | None
    ) -> None:
        """Change its limits while requests wait; lowering them preempts nobody. None: unlimited."""
        self._tokens = _retuned(self._tokens, now_ns, tokens_per_second, tokens_per_second or 0.0)
        tpm = None if tokens_per_second is None else 60 * tokens_per_second
        self.limits = Limits(rpm=self.limits.rpm, tpm=tpm)
        self.set_limits(now_ns, most=most, per_second=per_second)

    def set_limits(self, now_ns: int, *, most: int | None, per_second: float | None) -> None:
        """Change what it lets be in flight and what it lets through per second, in the same way."""
        self.limits = Limits(workers=most, qps=per_second, rpm=self.limits.rpm, tpm=self.limits.tpm)
        self.most = most
        self._queries = _retuned(self._queries, now_ns, per_second, self._burst)
        self._note_pacers()

    def _note_pacers(self) -> None:
        self._sendings = tuple(pacer for pacer in (self._queries, self._per_minute) if pacer is not None)
        self._pacers = self._sendings if self._tokens is None else (*self._sendings, self._tokens)


def believable_tokens(claimed: float) -> float:
    """Return how many tokens a request can have used of which a server claims so many."""
    return min(max(0.0, claimed), _MOST_TOKENS)


def _retuned(pacer: Pacer | None, now_ns: int, per_second: float | None, burst: float) -> Pacer | None:
    if per_second is None:
        return None
    if pacer is None:
        return Pacer(per_second, burst)
    pacer.set_rate(now_ns, per_second, burst)
    return pacer
