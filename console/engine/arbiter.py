"""Who passes next: requests pass all gates of their scopes at one instant, or wait and hold nothing.

Requests of one passage wait in the order they asked. Whenever a gate may have got room (a request left, a rate came
due, a limit was changed), the first ones of all passages through it are looked at, the longest waiting first, and each
that every gate of its passage admits passes: first come, first served among those that all *other* gates admit. So
no place is kept for somebody who waits elsewhere (work is conserved), and as nobody waits while holding something,
there is no deadlock.

Where the client holds requests until the moment at which they may be sent (`departure.py`), a rate lets them pass a
little ahead of their time: what a wake-up, a change of tasks and the making of a request take is then no time lost,
and a timer need not be exact.

What crosswise scopes allow is that a request is overtaken at one gate while it waits for another, and the other way
round, for ever. One that was overtaken often at every gate that stops it claims its gates: others do not
pass them until it has.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

import anyio
import anyio.lowlevel

from console.engine.gates import NS_PER_S, Gate, NowNs, believable_tokens
from console.engine.passing import Beyond, Door, Entry, Waiter

CLAIM_AFTER: Final = 16
"""Times that others passed a gate ahead of a request that had asked before them, after which it claims the gate."""
_TIMER_NS: Final = 1_000_000


class Passage:
    """The gates that requests of one kind pass: those of a lane's scopes, for one job or for all."""

    def __init__(
        self, arbiter: Arbiter, gates: Sequence[Gate], now_ns: NowNs, beyond: Beyond | None = None
    ) -> None:
        self._arbiter = arbiter
        self._now_ns = now_ns
        self._beyond = beyond
        self.gates = tuple(gates)
        self.in_flight = 0
        """Requests that passed and did not leave yet."""
        self.waiting: list[Waiter] = []
        """In the order they asked."""

    @property
    def head(self) -> Waiter:
        """The one that waits longest."""
        return self.waiting[0]

    @property
    def paces(self) -> bool:
        """Whether any of its gates keeps a rate now."""
        # Asked for every request: a generator would cost more than the answer.
        for gate in self.gates:  # noqa: SIM110
            if gate.paces:
                return True
        return False

    def enter_at_once(self, estimated_tokens: float, now_ns: int) -> int | None:
        """Pass if nobody waits at any of the gates and all let it through now; else hold nothing.

        Returns:
            When it is due: now, or where rates let it pass ahead of its time, then; None: it did not pass.
        """
        if self.waiting or self._arbiter.claimed_against(self):
            return None
        due_ns = now_ns
        ahead_ns = self._arbiter.ahead_ns
        for gate in self.gates:
            if gate.waiting or not gate.has_room:
                return None
            if gate.paces:
                ready_ns = gate.ready_ns()
                if ready_ns - ahead_ns > now_ns:
                    return None
                due_ns = max(due_ns, ready_ns)
        if self._beyond is not None and self._beyond.try_pass(now_ns, estimated_tokens, ahead_ns):
            return None
        for gate in self.gates:
            gate.enter(due_ns, estimated_tokens)
        self.in_flight += 1
        return due_ns

    async def enter(self, order: int, estimated_tokens: float, door: Door) -> tuple[Entry, int]:
        """Wait until all gates are passed; `leave` gives the places back.

        Args:
            order: when it first asked, by `Arbiter.next_order`: who asked before goes first.
            estimated_tokens: what it costs.
            door: what is behind the gates.

        Returns:
            "no", holding nothing, if the door was closed when it was our turn; and when it is due.
        """
        waiter = Waiter(order, estimated_tokens, door)
        self._arbiter.join(self, waiter)
        try:
            if waiter.entry is None:
                await waiter.woken.wait()
        except BaseException:
            if waiter.entry is None:
                self._arbiter.forget(self, waiter)
            elif waiter.entry != "no":
                self.leave(estimated_tokens)  # it passed while it was being cancelled
                door.take_back(waiter.entry)
            raise
        assert waiter.entry is not None
        return waiter.entry, waiter.due_ns

    def leave(self, estimated_tokens: float = 0.0, used_tokens: float | None = None) -> None:
        """Give the places back, and settle the tokens of an answered request; without usage its estimate stands."""
        now_ns = self._now_ns()
        self.in_flight -= 1
        awaited = False
        for gate in self.gates:
            gate.leave()
            if used_tokens is not None:
                gate.settle(now_ns, estimated_tokens, used_tokens)
            awaited = awaited or gate.waiting > 0
        if self._beyond is not None:
            believed = None if used_tokens is None else believable_tokens(used_tokens)
            self._beyond.leave(now_ns, estimated_tokens, believed)
        if awaited:
            self._arbiter.look_at(self.gates)

    def wait_ns(self, now_ns: int) -> int:
        """Return for how long a request that passed has to wait still before it is sent."""
        wait_ns = self._departs_in_ns(now_ns)
        if self._beyond is not None and wait_ns == 0:
            return self._beyond.wait_ns(now_ns)
        return wait_ns

    def claim(self, now_ns: int) -> int:
        """Return 0 if a request that passed is to be sent at once, which `sent` will tell; else, how long it waits."""
        wait_ns = self._departs_in_ns(now_ns)
        if self._beyond is not None and wait_ns == 0:
            return self._beyond.claim(now_ns)
        return wait_ns

    def _departs_in_ns(self, now_ns: int) -> int:
        return max(0, max((gate.departs_ns() for gate in self.gates if gate.paces), default=0) - now_ns)

    def send_away(self) -> None:
        """Let nobody wait any more: what is behind the gates is closed for good."""
        self._arbiter.send_away(self)

    def sent(self, sent_ns: int, *, again: bool) -> None:
        """Take note of when a request that had passed was really sent: rates count from there."""
        for gate in self.gates:
            gate.sent(sent_ns, again=again)
        if self._beyond is not None:
            self._beyond.sent(sent_ns, again=again)

    def unsent(self) -> None:
        """Take note that a request which had passed is not going to be sent."""
        for gate in self.gates:
            gate.unsent()
        if self._beyond is not None:
            self._beyond.unsent()

    def stops(self, now_ns: int) -> tuple[list[int], int]:
        """Return the gates that stop the next request, and when the last rate comes due (if it is only rates)."""
        stopping: list[int] = []
        due_ns = 0
        ahead_ns = self._arbiter.ahead_ns
        for index, gate in enumerate(self.gates):
            ready_ns = gate.ready_ns() - ahead_ns if gate.paces else 0
            if not gate.has_room or ready_ns > now_ns:
                stopping.append(index)
                due_ns = max(due_ns, ready_ns)
        return stopping, due_ns

    def due_ns(self, now_ns: int) -> int:
        """Return when a request that passes now may be sent."""
        return max(now_ns, max((gate.ready_ns() for gate in self.gates if gate.paces), default=0))

    def pass_beyond(self, now_ns: int) -> int:
        """Pass what other runs share, if anything, or return when to try again."""
        if self._beyond is None:
            return 0
        return self._beyond.try_pass(now_ns, self.head.estimated_tokens, self._arbiter.ahead_ns)


class Arbiter:
    """Lets requests through the gates of an engine. `run` has to run for those that wait for a rate."""

    def __init__(self, now_ns: NowNs, ahead_ns: int = 0) -> None:
        """Let requests pass rates by the clock `now_ns`, up to `ahead_ns` before they may be sent."""
        self._now_ns = now_ns
        self.ahead_ns = ahead_ns
        self._through: dict[Gate, list[Passage]] = {}
        self._orders = 0
        self._due_ns: dict[Passage, int] = {}
        """Passages that wait for nothing but the time."""
        self._claimant: Passage | None = None
        self._claimed: frozenset[Gate] = frozenset()
        self._freed: frozenset[Gate] = frozenset()
        """Gates that were claimed until a moment ago."""
        self._sooner = anyio.Event()
        self._wakes_ns: int | None = None

    def passage(self, gates: Sequence[Gate], beyond: Beyond | None = None) -> Passage:
        """Return the way through `gates`; those without a limit now may get one later."""
        made = Passage(self, gates, self._now_ns, beyond)
        for gate in gates:
            self._through.setdefault(gate, []).append(made)
        return made

    def widen(self, passage: Passage, gate: Gate) -> None:
        """Let requests of a passage pass one more gate; those in flight count there, and those that wait, wait there."""
        if gate in passage.gates:
            return
        gate.in_flight += passage.in_flight
        gate.waiting += len(passage.waiting)
        passage.gates = (*passage.gates, gate)
        self._through.setdefault(gate, []).append(passage)

    def next_order(self) -> int:
        """Return a number greater than all before: the place in the line of who asks now."""
        self._orders += 1
        return self._orders

    def claimed_against(self, passage: Passage) -> bool:
        """Whether a passage has to keep off its gates because somebody else claims one of them."""
        if self._claimant is None or self._claimant is passage:
            return False
        return any(gate in self._claimed for gate in passage.gates)

    def join(self, passage: Passage, waiter: Waiter) -> None:
        """Let a request wait in its passage, and all who may pass now pass."""
        insort(passage.waiting, waiter)
        for gate in passage.gates:
            gate.waiting += 1
        if passage.gates:
            self.look_at(passage.gates)
        else:
            self._let_pass([passage])

    def forget(self, passage: Passage, waiter: Waiter) -> None:
        """Take out a request that waits no more."""
        self._take_out(passage, waiter)
        if not passage.waiting:
            self._due_ns.pop(passage, None)
        self._look_at_freed()

    def send_away(self, passage: Passage) -> None:
        """Send away all who wait for a passage."""
        for waiter in tuple(passage.waiting):
            waiter.entry = "no"
            self._take_out(passage, waiter)
            waiter.woken.set()
        self._due_ns.pop(passage, None)
        self._look_at_freed()

    def look_at(self, gates: Iterable[Gate]) -> None:
        """Let through who may pass now: one of these gates may have got room."""
        self._let_pass(self._waiting_at(gates))

    async def run(self) -> None:
        """Let through those for whom a rate comes due, until cancelled."""
        while True:
            self._sooner = anyio.Event()
            self._wakes_ns = min(self._due_ns.values(), default=None)
            if self._wakes_ns is None:
                await self._sooner.wait()
                continue
            wait_ns = self._wakes_ns - self._now_ns()
            if wait_ns > 0:
                with anyio.move_on_after(self._patience_s(wait_ns)):
                    await self._sooner.wait()
            else:
                await anyio.lowlevel.checkpoint()
            now_ns = self._now_ns()
            due = [passage for passage, due_ns in self._due_ns.items() if due_ns <= now_ns]
            # Some have no gates, only what other runs share.
            self._let_pass(
                {**dict.fromkeys(due), **self._waiting_at(g for passage in due for g in passage.gates)}
            )

    # Inside

    def _waiting_at(self, gates: Iterable[Gate]) -> dict[Passage, None]:
        return {passage: None for gate in gates for passage in self._through.get(gate, ()) if passage.waiting}

    def _patience_s(self, wait_ns: int) -> float:
        """Return how long to wait for what comes due in `wait_ns`.

        Where requests pass ahead of their time, that is a little less than whole milliseconds: clock and timers of
        uvloop count those, and a deadline in between would be looked at over and over until it has come.
        """
        if self.ahead_ns < 2 * _TIMER_NS:
            return wait_ns / NS_PER_S
        return (max(1, wait_ns // _TIMER_NS) * _TIMER_NS - _TIMER_NS // 1000) / NS_PER_S

    def _let_pass(self, passages: Iterable[Passage]) -> None:
        """Let through heads of lines in the order they asked, until every one of these passages is stopped."""
        now_ns = self._now_ns()
        line = [(passage.head.order, id(passage), passage) for passage in passages]
        heapify(line)
        while line:
            passage = heappop(line)[2]
            if self._pass_head(passage, now_ns) and passage.waiting:
                heappush(line, (passage.head.order, id(passage), passage))
        due_ns = min(self._due_ns.values(), default=None)
        if due_ns is not None and (self._wakes_ns is None or due_ns < self._wakes_ns):
            self._sooner.set()
        self._look_at_freed()

    def _pass_head(self, passage: Passage, now_ns: int) -> bool:
        """Let the first one of a passage through, or send it away; False: it has to wait."""
        waiter = passage.head
        stopping, due_ns = passage.stops(now_ns)
        self._due_ns.pop(passage, None)
        if stopping or self.claimed_against(passage):
            if stopping and all(passage.gates[index].has_room for index in stopping):
                self._due_ns[passage] = due_ns
            self._claim(passage, waiter, stopping)
            return False
        if not waiter.door.is_open():
            waiter.entry = "no"
        else:
            again_ns = passage.pass_beyond(now_ns)
            if again_ns:
                self._due_ns[passage] = max(again_ns, now_ns + 1)
                waiter.overtaken.clear()  # it is not our gates that stop it: others need not keep off them
                self._unclaim(passage)
                return False
            waiter.entry = waiter.door.let_in()
            waiter.due_ns = passage.due_ns(now_ns)
            for gate in passage.gates:
                gate.enter(waiter.due_ns, waiter.estimated_tokens)
            passage.in_flight += 1
            self._note_overtaking(passage, waiter)
        self._take_out(passage, waiter)
        waiter.woken.set()
        return True

    def _take_out(self, passage: Passage, waiter: Waiter) -> None:
        passage.waiting.remove(waiter)
        for gate in passage.gates:
            gate.waiting -= 1
        self._unclaim(passage)

    def _unclaim(self, passage: Passage) -> None:
        if self._claimant is passage:
            self._freed = self._claimed
            self._claimant, self._claimed = None, frozenset()

    def _look_at_freed(self) -> None:
        while self._freed:
            freed, self._freed = self._freed, frozenset[Gate]()
            self.look_at(freed)

    def _note_overtaking(self, passage: Passage, passed: Waiter) -> None:
        for gate in passage.gates:
            if gate.unlimited:
                continue
            for other in self._through[gate]:
                if other is not passage and other.waiting and other.head.order < passed.order:
                    index = other.gates.index(gate)
                    overtaken = other.head.overtaken
                    overtaken[index] = overtaken.get(index, 0) + 1

    def _claim(self, passage: Passage, waiter: Waiter, stopping: Sequence[int]) -> None:
        if self._claimant is not None or not stopping:
            return
        if all(waiter.overtaken.get(index, 0) >= CLAIM_AFTER for index in stopping):
            self._claimant = passage
            self._claimed = frozenset(gate for gate in passage.gates if not gate.unlimited)
