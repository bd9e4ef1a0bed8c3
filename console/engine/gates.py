"""Gates: slots and pacers on scopes. A request passes the gates of all its scopes or waits (law 2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import ceil
from typing import Final

import anyio

from console.vocabulary.lane import Limits, Scope, ScopeKind

NowNs = Callable[[], int]
NS_PER_S: Final = 1_000_000_000
_MOST_TOKENS: Final = 2_000_000.0
"""More than any model takes in one request; a server that claims more does not block a lane for days."""
_RANK: Final[dict[ScopeKind, int]] = {"lane": 0, "deployment": 1, "key": 2, "model": 3, "provider": 4}


class Slots:
    """Slots handed out first come, first served. The limit may change; lowering it never preempts."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.in_use = 0
        self._waiters: deque[anyio.Event] = deque()

    @property
    def limit(self) -> int | None:
        """The limit now; None: unlimited."""
        return self._limit

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiters)

    @property
    def free(self) -> bool:
        """Whether a slot may be taken at once: there is one, and nobody waits for it."""
        return not self._waiters and (self._limit is None or self.in_use < self._limit)

    def take_free(self) -> bool:
        """Take a slot if that needs no waiting; False: it does."""
        if not self.free:
            return False
        self.in_use += 1
        return True

    async def acquire(self, *, ahead: bool = False) -> None:
        """Take a slot, waiting for one if need be; `ahead` waits before all others."""
        if self.take_free():
            return
        event = anyio.Event()
        if ahead:
            self._waiters.appendleft(event)
        else:
            self._waiters.append(event)
        try:
            await event.wait()
        except BaseException:
            if event.is_set():
                self.release()  # the slot was handed over while we were being cancelled
            else:
                self._waiters.remove(event)
            raise

    def release(self) -> None:
        """Give a slot back, to the first who waits if the limit admits one."""
        self.in_use -= 1
        self._grant()

    def overdraw(self) -> None:
        """Take a slot whether or not there is one: for a holder that is cancelled while it has lent its own."""
        self.in_use += 1

    def set_limit(self, limit: int | None) -> None:
        """Change the limit; those who wait are let in at once as far as it now admits."""
        self._limit = limit
        self._grant()

    def _grant(self) -> None:
        while self._waiters and (self._limit is None or self.in_use < self._limit):
            self.in_use += 1
            self._waiters.popleft().set()


class Pacer:
    """Generic cell rate algorithm: in every window w at most rate × w + burst + 1 units pass.

    Virtual scheduling form: `tat` is the theoretical arrival time of the next unit (ITU-T I.371, annex A).
    """

    def __init__(self, per_second: float, burst: float = 0.0) -> None:
        """Pace to `per_second` units; `burst` units may pass at once beyond the schedule."""
        self._interval_ns = NS_PER_S / per_second
        self._slack_ns = burst * self._interval_ns
        self._tat_ns = 0.0

    def ready_ns(self) -> int:
        """Return when the next unit may pass."""
        return ceil(self._tat_ns - self._slack_ns)

    def charge(self, now_ns: int, units: float = 1.0) -> None:
        """Note that `units` passed at `now_ns`, whether or not they were on time."""
        self._tat_ns = max(float(now_ns), self._tat_ns) + units * self._interval_ns

    def correct(self, now_ns: int, units: float) -> None:
        """Charge `units` more, or give some back that were charged before and not used."""
        if units >= 0:
            self.charge(now_ns, units)
        else:
            self._tat_ns += units * self._interval_ns


class Gate:
    """The limits of one scope: slots for requests in flight, and pacers for requests and tokens."""

    def __init__(
        self, scope: Scope, limits: Limits, *, burst: float = 0.0, tokens_by_estimate: bool = True
    ) -> None:
        self.scope = scope
        self.slots = Slots(limits.workers) if limits.workers is not None else None
        self._requests = [
            Pacer(rate, burst)
            for rate in (limits.qps, None if limits.rpm is None else limits.rpm / 60)
            if rate is not None
        ]
        # One second's worth of tokens may pass at once, else a single large request would wait for its own size.
        self._tokens = None if limits.tpm is None else Pacer(limits.tpm / 60, limits.tpm / 60)
        self._tokens_by_estimate = tokens_by_estimate
        self.turnstile = anyio.Lock()

    @property
    def paces(self) -> bool:
        """Whether it limits a rate."""
        return bool(self._requests) or self._tokens is not None

    def ready_ns(self) -> int:
        """Return when the next request may pass."""
        pacers = self._requests if self._tokens is None else [*self._requests, self._tokens]
        return max((pacer.ready_ns() for pacer in pacers), default=0)

    def charge(self, now_ns: int, estimated_tokens: float) -> None:
        """Note that a request passed."""
        for pacer in self._requests:
            pacer.charge(now_ns)
        if self._tokens is not None:
            self._tokens.charge(now_ns, estimated_tokens)

    def settle(self, now_ns: int, estimated_tokens: float, used_tokens: float) -> None:
        """Put what an answered request used in place of its estimate, where tokens are accounted by actual usage."""
        if self._tokens is not None and not self._tokens_by_estimate:
            used_tokens = min(max(0.0, used_tokens), _MOST_TOKENS)
            self._tokens.correct(now_ns, used_tokens - estimated_tokens)


class Passage:
    """The gates that the requests of one lane pass, innermost first.

    Every passage takes its gates in the same order of kinds, and a request passes one gate of a kind at most, so
    waiting cannot form a circle. Only the head of a gate's turnstile looks at its pacers and it charges them at
    the moment of passing: a late wake-up delays those behind it, and never bunches them.
    """

    def __init__(self, gates: Sequence[Gate], now_ns: NowNs) -> None:
        ordered = sorted(gates, key=lambda gate: _RANK[gate.scope.kind])
        self._slots = [gate.slots for gate in ordered if gate.slots is not None]
        self._paced = [gate for gate in ordered if gate.paces]
        self._gates = ordered
        self._now_ns = now_ns

    def enter_at_once(self) -> bool:
        """Pass as `enter` does if nothing is to be waited for and no rate to be kept; else hold nothing."""
        if self._paced:
            return False
        for slots in self._slots:
            if not slots.free:
                return False
        for slots in self._slots:
            slots.take_free()
        return True

    async def enter(self, estimated_tokens: float, still_open: Callable[[], bool]) -> bool:
        """Pass all gates, holding a slot in each; `leave` gives the slots back.

        Returns:
            False, holding nothing, if `still_open` said no when it was our turn.
        """
        held: list[Slots] = []
        turned: list[Gate] = []
        passed = False
        try:
            for slots in self._slots:
                await slots.acquire()
                held.append(slots)
            for gate in self._paced:
                await gate.turnstile.acquire()
                turned.append(gate)
            if self._paced:
                await self._wait_for_pacers()
            passed = still_open()
            if passed and self._paced:
                now_ns = self._now_ns()
                for gate in self._paced:
                    gate.charge(now_ns, estimated_tokens)
        finally:
            for gate in turned:
                gate.turnstile.release()
            if not passed:
                for slots in held:
                    slots.release()
        return passed

    async def _wait_for_pacers(self) -> None:
        while True:
            wait_ns = max(gate.ready_ns() for gate in self._paced) - self._now_ns()
            if wait_ns <= 0:
                return
            await anyio.sleep(wait_ns / NS_PER_S)

    def leave(self, estimated_tokens: float = 0.0, used_tokens: float | None = None) -> None:
        """Give the slots back, and settle the tokens of an answered request; without usage its estimate stands."""
        for slots in self._slots:
            slots.release()
        if used_tokens is not None:
            now_ns = self._now_ns()
            for gate in self._paced:
                gate.settle(now_ns, estimated_tokens, used_tokens)


class Valve:
    """Open or closed, for everything at once: pause, and a disk that takes no rows. Closed while any reason holds."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._opened = anyio.Event()
        self._opened.set()

    @property
    def is_open(self) -> bool:
        """Whether new requests may be sent."""
        return not self._reasons

    def close(self, reason: str) -> None:
        """Close it for `reason`."""
        if not self._reasons:
            self._opened = anyio.Event()
        self._reasons.add(reason)

    def open(self, reason: str) -> None:
        """Take `reason` away; it opens with the last one."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._opened.set()

    async def wait(self) -> None:
        """Wait until it is open."""
        while self._reasons:
            await self._opened.wait()
