"""One lane while it runs: its slots and gates, whether it is open, and its live figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anyio
import msgspec

from console.engine.adaptive_gate import AdaptiveGate
from console.engine.arbiter import Arbiter, Passage
from console.engine.gates import NS_PER_S, Gate, NowNs
from console.engine.lane_limits import LaneLimits
from console.engine.meters import LatencySketch, RateMeter
from console.engine.passing import Beyond, Entry
from console.engine.recent import Recent
from console.engine.retry_budget import RetryBudget
from console.engine.valve import Valve
from console.vocabulary.chat import ChatResult, Endpoint
from console.vocabulary.command import SwitchKind
from console.vocabulary.lane import Lane, LaneSetup, Scope
from console.vocabulary.outcome import TIMEOUTS, Outcome
from console.vocabulary.rows import RequestRow

_TRIP_AFTER: Final = 10
"""Failures in a row, of the server or the line, after which the lane rests."""
_RESTS_S: Final = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Rests before each probe; after the last failed probe the lane is switched off."""
_CANCELLED: Final = Outcome.CANCELLED
"""Members that are asked for at every request, by one look-up: through their class it takes ten times as long."""
_TRIPPING: Final = TIMEOUTS | {
    Outcome.CONNECTION,
    Outcome.SERVER_ERROR,
    Outcome.OVERLOADED,
    Outcome.PROTOCOL,
}


class LaneOff(Exception):  # noqa: N818 - a fact, not a fault of ours
    """The lane takes no requests any more."""


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """One request that was let through."""

    passage: Passage
    estimated_tokens: float
    entered_ns: int
    """When it may be sent: a rate lets it through a little ahead, where the client holds it until then."""
    held_ns: int
    """For how long nothing was let through while it waited: run paused, disk full, lane held or resting."""
    probe: bool
    """Whether it is the one that shows if a resting lane answers again."""


class LaneRuntime:
    """One lane with its gates. A lane is open, throttled for a time, resting between probes, or off."""

    def __init__(
        self,
        setup: LaneSetup,
        endpoint: Endpoint,
        shared_gates: Mapping[Scope, Gate],
        arbiter: Arbiter,
        valve: Valve,
        now_ns: NowNs,
        *,
        rests: bool = True,
        found: AdaptiveGate | None = None,
        beyond: Beyond | None = None,
    ) -> None:
        """Make a lane that is open.

        Args:
            setup: its limits.
            endpoint: where its requests go.
            shared_gates: the gates of its outer scopes.
            arbiter: says who passes the gates next.
            valve: closed while nothing may be sent at all.
            now_ns: the clock.
            rests: rest after failures in a row; a capacity level measures failures instead.
            beyond: what other runs on this machine share of its limits.
            found: the gate with the limits that adaptive mode finds, where it does.
        """
        self._rests_on_failures = rests
        self.setup = setup
        self.lane: Lane = setup.lane
        self.endpoint = endpoint
        self._arbiter = arbiter
        shared = [shared_gates[outer.scope] for outer in setup.outer]
        self.limits = LaneLimits(setup, shared, arbiter, found, beyond)
        self.slots = self.limits.slots
        self.passage = self.limits.passage
        self.found = found
        self.retries = RetryBudget(now_ns())
        self._valve = valve
        self._now_ns = now_ns
        limits = [setup.limits, *(outer.limits for outer in setup.outer)]
        self.counts_tokens = found is not None or any(one.tpm is not None for one in limits)
        self.off = ""
        """Why it is switched off; empty: it is not."""
        self.by_hand: set[SwitchKind] = set()
        """By what somebody switched it off (its key, its deployment, it alone) who may switch that on again: its jobs
        wait for it. It is off as long as any of these is."""
        self._closed_until_ns = 0
        self._failures_in_row = 0
        self._rests = 0
        self._counts_from_ns = 0
        """Failures of requests sent before are old news."""
        self._tripped = False
        self._probing = False
        self._changed = anyio.Event()
        self.held_ns = 0
        """For how long in all it has been held, or is going to be."""
        self.in_flight = 0
        self.waiting = 0
        self.outcomes: dict[Outcome, int] = {}
        self.recent = Recent()
        self.sends = RateMeter()
        self.tokens = RateMeter()
        self.ttft = LatencySketch()

    @property
    def adapts(self) -> bool:
        """Whether its limits are being found."""
        return self.found is not None and not self.found.held

    def adopt(self, found: AdaptiveGate) -> None:
        """Have its limits found from now on."""
        self.found, self.counts_tokens = found, True
        self.limits.adopt(found)

    @property
    def held(self) -> int:
        """Worker slots held by tests."""
        return self.limits.held

    @property
    def workers(self) -> int | None:
        """The worker limit now, summed over the jobs that have a copy of it."""
        return self.limits.workers

    def enter_at_once(self, passage: Passage, estimated_tokens: float, now_ns: int) -> Ticket | None:
        """Let a request through as `enter` does if it has nothing to wait for; None: it is for `enter` to say."""
        due_ns = passage.enter_at_once(estimated_tokens, now_ns) if self._is_open(now_ns) else None
        if due_ns is None:
            return None
        return self._ticket(passage, estimated_tokens, due_ns, 0, self.let_in())

    async def enter(self, passage: Passage, estimated_tokens: float, order: int | None = None) -> Ticket:
        """Wait until a request may be sent.

        Args:
            passage: the gates of the lane, for the job that it belongs to.
            estimated_tokens: what it costs.
            order: its place in the line, by `next_order`, where it has one from an earlier try.

        Raises:
            LaneOff: if the lane is switched off, now or while waiting.
        """
        order = self._arbiter.next_order() if order is None else order
        self.waiting += 1
        held_ns = 0
        try:
            while True:
                asked_ns = self._now_ns()
                await self._until_open()
                held_ns += self._now_ns() - asked_ns
                entry, due_ns = await passage.enter(order, estimated_tokens, self)
                if entry != "no":
                    entered_ns = max(due_ns, self._now_ns())
                    return self._ticket(passage, estimated_tokens, entered_ns, held_ns, entry)
        finally:
            self.waiting -= 1

    def _ticket(
        self, passage: Passage, estimated_tokens: float, entered_ns: int, held_ns: int, entry: Entry
    ) -> Ticket:
        if self.found is not None:
            self.found.sent(entered_ns, estimated_tokens)
        return Ticket(passage, estimated_tokens, entered_ns, held_ns, probe=entry == "probe")

    def next_order(self) -> int:
        """Return a place in the line at the gates, behind all who have asked."""
        return self._arbiter.next_order()

    def is_open(self) -> bool:
        """Whether the lane takes a request now."""
        return self._is_open()

    def let_in(self) -> Entry:
        """Take in a request that has passed all gates."""
        self._probing = self._tripped
        return "probe" if self._tripped else "yes"

    def take_back(self, entry: Entry) -> None:
        """Take note that a request that was let in was cancelled before it could be sent."""
        if entry == "probe":
            self._probing = False
            self._notify()

    @property
    def resume_in_s(self) -> float | None:
        """Seconds until a throttled or resting lane opens, or None."""
        wait_ns = self._closed_until_ns - self._now_ns()
        return wait_ns / NS_PER_S if wait_ns > 0 else None

    @property
    def parked(self) -> str:
        """Why adaptive mode has no use for it any more; empty: it has."""
        return "" if self.found is None else self.found.controller.park

    @property
    def resting(self) -> bool:
        """Whether failures in a row closed it until a probe succeeds."""
        return self._tripped

    def throttle(self, seconds: float) -> None:
        """Send nothing for `seconds`: the server asked for it."""
        self._close_until(self._now_ns() + int(seconds * NS_PER_S))

    def _close_until(self, until_ns: int) -> None:
        closed_until_ns = max(self._now_ns(), self._closed_until_ns)
        if until_ns > closed_until_ns:
            self.held_ns += until_ns - closed_until_ns
            self._closed_until_ns = until_ns

    def switch_off(self, reason: str) -> None:
        """Take no further request."""
        self.off = reason
        self._notify()
        self.limits.send_away()

    def switch_on(self) -> None:
        """Take requests again, as if nothing had ever failed."""
        self.off = ""
        self._tripped = self._probing = False
        self._rests = self._failures_in_row = 0
        self._counts_from_ns = self._now_ns()
        self._closed_until_ns = 0
        if self.found is not None:
            self.found.controller.park = ""
        self._notify()

    def leave(self, ticket: Ticket, result: ChatResult) -> str | None:
        """Take in how a request ended, and return what there is to tell about the lane, if anything."""
        used = (
            None if result.prompt_tokens is None else result.prompt_tokens + (result.completion_tokens or 0)
        )
        ticket.passage.leave(ticket.estimated_tokens, used)
        if self.found is not None:
            self._close_until(self.found.ended(ticket.entered_ns, result))
        if result.outcome in _TRIPPING and self._rests_on_failures:
            return self._failed(ticket, result)
        if result.outcome is _CANCELLED:
            if ticket.probe:
                self._probing = False
                self._notify()
            return None
        self._failures_in_row = 0
        if not self._tripped or self.off:
            return None
        self._tripped = self._probing = False
        self._rests = 0
        self._counts_from_ns = self._now_ns()
        self._notify()
        return "answers again"

    def _failed(self, ticket: Ticket, result: ChatResult) -> str | None:
        """Count a failure, unless it tells of a time before the lane last rested or recovered."""
        if self.off or (self._tripped and not ticket.probe) or ticket.entered_ns < self._counts_from_ns:
            return None
        self._failures_in_row += 1
        if ticket.probe or self._failures_in_row >= _TRIP_AFTER:
            return self._rest(result)
        return None

    def count(self, row: RequestRow) -> None:
        """Count a request whose row is written."""
        outcome = row.outcome
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.recent.ended(row)

    def _rest(self, result: ChatResult) -> str:
        why = f"{result.outcome}: {result.error}" if result.error else str(result.outcome)
        self._tripped, self._probing = True, False
        self._counts_from_ns = self._now_ns()
        if self._rests == len(_RESTS_S):
            self.switch_off(f"{self._failures_in_row} failures in a row, probes included; {why}")
            return f"switched off: {self.off}"
        rest_s = _RESTS_S[self._rests]
        self._rests += 1
        self.throttle(rest_s)
        self._notify()
        return f"{self._failures_in_row} failures in a row: rests {rest_s:.0f} s, then one probe ({why})"

    def _is_open(self, now_ns: int | None = None) -> bool:
        return (
            self._valve.is_open
            and not self.off
            and not (self._tripped and self._probing)
            and self._closed_until_ns <= (self._now_ns() if now_ns is None else now_ns)
        )

    async def _until_open(self) -> None:
        while True:
            await self._valve.wait()
            if self.off:
                raise LaneOff(self.off)
            wait_ns = self._closed_until_ns - self._now_ns()
            if wait_ns > 0:
                with anyio.move_on_after(wait_ns / NS_PER_S):
                    await self._changed.wait()
            elif self._tripped and self._probing:
                await self._changed.wait()
            else:
                return

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
