"""Who passes next: requests pass all gates of their scopes at one instant, or wait and hold nothing.

Requests of one passage wait in the order they asked. Whenever a gate may have got room (a request left, a rate came
due, a limit was changed), the first ones of all passages through it are looked at, the longest waiting first, and each
that every gate of its passage admits passes: first come, first served among those that all *other* gates admit. So
no place is kept for somebody who waits elsewhere (work is conserved), and as nobody waits while holding something,
there is no deadlock.

What crosswise scopes allow is that a request is overtaken at one gate while it waits for another, and the other way
round, for ever. One that was overtaken often at every gate that stops it claims its gates: others do not
pass them until it has.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Final, Literal, Protocol

import anyio
import anyio.lowlevel

from console.engine.gates import NS_PER_S, Gate, NowNs

CLAIM_AFTER: Final = 16
"""Times that others passed a gate ahead of a request that had asked before them, after which it claims the gate."""
Entry = Literal["no", "yes", "probe"]
"""Whether a request was let in, and whether it is the one that tests if a lane answers again."""


class Door(Protocol):
    """What is behind the gates: a lane, open or closed."""

    def is_open(self) -> bool:
        """Whether it takes a request now. If not, who stands at its open gates is sent away."""
        ...

    def let_in(self) -> Entry:
        """Take in a request that has passed all gates; only asked while it is open."""
        ...

    def take_back(self, entry: Entry) -> None:
        """Take note that a request that was let in was cancelled before it could be sent."""
        ...


class Beyond(Protocol):
    """What other runs on this machine share of the gates of a passage."""

    def try_pass(self, now_ns: int, estimated_tokens: float) -> int:
        """Pass, all at once, and return 0; or hold nothing and return when to try again, on the clock of `now_ns`."""
        ...

    def sent(self, sent_ns: int) -> None:
        """Note when a request that passed was really sent."""
        ...

    def leave(self, now_ns: int, estimated_tokens: float, used_tokens: float | None) -> None:
        """Note that a request that passed is not in flight any more."""
        ...


class _Waiter:
    """One request that waits."""

    __slots__ = ("door", "entry", "estimated_tokens", "order", "overtaken", "woken")

    def __init__(self, order: int, estimated_tokens: float, door: Door) -> None:
        self.order = order
        self.estimated_tokens = estimated_tokens
        self.door = door
        self.entry: Entry | None = None
        self.overtaken: dict[int, int] = {}
        """By the index of the gate in its passage."""
        self.woken = anyio.Event()

    def __lt__(self, other: _Waiter) -> bool:
        return self.order < other.order


class Passage:
    """The gates that requests of one kind pass: those of a lane's scopes, for one job or for all."""

    def __init__(
        self, arbiter: Arbiter, gates: Sequence[Gate], now_ns: NowNs, beyond: Beyond | None = None
    ) -> None:
        self._arbiter = arbiter
        self._now_ns = now_ns
        self._beyond = beyond
        self.gates = tuple(gates)
        self.waiting: list[_Waiter] = []
        """In the order they asked."""

    @property
    def head(self) -> _Waiter:
        """The one that waits longest."""
        return self.waiting[0]

    @property
    def paces(self) -> bool:
        """Whether any of its gates keeps a rate now."""
        return any(gate.paces for gate in self.gates)

    def enter_at_once(self, estimated_tokens: float, now_ns: int) -> bool:
        """Pass if nobody waits at any of the gates and all let it through now; else hold nothing."""
        if self.waiting or self._arbiter.claimed_against(self):
            return False
        for gate in self.gates:
            if gate.waiting or not gate.has_room or (gate.paces and gate.ready_ns() > now_ns):
                return False
        if self._beyond is not None and self._beyond.try_pass(now_ns, estimated_tokens):
            return False
        for gate in self.gates:
            gate.enter(now_ns, estimated_tokens)
        return True

    async def enter(self, order: int, estimated_tokens: float, door: Door) -> Entry:
        """Wait until all gates are passed; `leave` gives the places back.

        Args:
            order: when it first asked, by `Arbiter.next_order`: who asked before goes first.
            estimated_tokens: what it costs.
            door: what is behind the gates.

        Returns:
            "no", holding nothing, if the door was closed when it was our turn.
        """
        waiter = _Waiter(order, estimated_tokens, door)
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
        return waiter.entry

    def leave(self, estimated_tokens: float = 0.0, used_tokens: float | None = None) -> None:
        """Give the places back, and settle the tokens of an answered request; without usage its estimate stands."""
        now_ns = self._now_ns()
        awaited = False
        for gate in self.gates:
            gate.leave()
            if used_tokens is not None:
                gate.settle(now_ns, estimated_tokens, used_tokens)
            awaited = awaited or gate.waiting > 0
        if self._beyond is not None:
            self._beyond.leave(now_ns, estimated_tokens, used_tokens)
        if awaited:
            self._arbiter.look_at(self.gates)

    def sent(self, sent_ns: int) -> None:
        """Take note of when a request that had passed was really sent: rates count from there."""
        for gate in self.gates:
            gate.sent(sent_ns)
        if self._beyond is not None:
            self._beyond.sent(sent_ns)

    def stops(self, now_ns: int) -> tuple[list[int], int]:
        """Return the gates that stop the next request, and when the last rate comes due (if it is only rates)."""
        stopping: list[int] = []
        due_ns = 0
        for index, gate in enumerate(self.gates):
            ready_ns = gate.ready_ns() if gate.paces else 0
            if not gate.has_room or ready_ns > now_ns:
                stopping.append(index)
                due_ns = max(due_ns, ready_ns)
        return stopping, due_ns

    def pass_beyond(self, now_ns: int) -> int:
        """Pass what other runs share, if anything, or return when to try again."""
        return 0 if self._beyond is None else self._beyond.try_pass(now_ns, self.head.estimated_tokens)


class Arbiter:
    """Lets requests through the gates of an engine. `run` has to run for those that wait for a rate."""

    def __init__(self, now_ns: NowNs) -> None:
        self._now_ns = now_ns
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

    def next_order(self) -> int:
        """Return a number greater than all before: the place in the line of who asks now."""
        self._orders += 1
        return self._orders

    def claimed_against(self, passage: Passage) -> bool:
        """Whether a passage has to keep off its gates because somebody else claims one of them."""
        if self._claimant is None or self._claimant is passage:
            return False
        return any(gate in self._claimed for gate in passage.gates)

    def join(self, passage: Passage, waiter: _Waiter) -> None:
        """Let a request wait in its passage, and all who may pass now pass."""
        insort(passage.waiting, waiter)
        for gate in passage.gates:
            gate.waiting += 1
        if passage.gates:
            self.look_at(passage.gates)
        else:
            self._let_pass([passage])

    def forget(self, passage: Passage, waiter: _Waiter) -> None:
        """Take out a request that waits no more."""
        self._take_out(passage, waiter)
        if not passage.waiting:
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
                with anyio.move_on_after(wait_ns / NS_PER_S):
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
                return False
            waiter.entry = waiter.door.let_in()
            for gate in passage.gates:
                gate.enter(now_ns, waiter.estimated_tokens)
            self._note_overtaking(passage, waiter)
        self._take_out(passage, waiter)
        waiter.woken.set()
        return True

    def _take_out(self, passage: Passage, waiter: _Waiter) -> None:
        passage.waiting.remove(waiter)
        for gate in passage.gates:
            gate.waiting -= 1
        if self._claimant is passage:
            self._freed = self._claimed
            self._claimant, self._claimed = None, frozenset()

    def _look_at_freed(self) -> None:
        while self._freed:
            freed, self._freed = self._freed, frozenset[Gate]()
            self.look_at(freed)

    def _note_overtaking(self, passage: Passage, passed: _Waiter) -> None:
        for gate in passage.gates:
            if gate.unlimited:
                continue
            for other in self._through[gate]:
                if other is not passage and other.waiting and other.head.order < passed.order:
                    index = other.gates.index(gate)
                    overtaken = other.head.overtaken
                    overtaken[index] = overtaken.get(index, 0) + 1

    def _claim(self, passage: Passage, waiter: _Waiter, stopping: Sequence[int]) -> None:
        if self._claimant is not None or not stopping:
            return
        if all(waiter.overtaken.get(index, 0) >= CLAIM_AFTER for index in stopping):
            self._claimant = passage
            self._claimed = frozenset(gate for gate in passage.gates if not gate.unlimited)
