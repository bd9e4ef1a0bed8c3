"""A discrete-event simulation of lanes under their controllers, on virtual time: hours of load in seconds.

Endless demand from many workers passes the real controller and the real pacers; a refused request keeps its worker
for the server's hint, stretched by up to a quarter, or for a jittered second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from benchmarks.adaptive_servers import Answer, Server
from console.engine.adaptive.change import Change
from console.engine.adaptive.controller import LaneController
from console.engine.gates import NS_PER_S, Pacer
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.lane import Limits
from console.vocabulary.outcome import Outcome

ONE_WAY_NS = (25_000_000, 35_000_000)
"""Bounds of one way: 60 ms there and back, with jitter that bunches what was paced. Nothing overtakes."""
BIN_S = 5
_OUTCOMES = {
    200: Outcome.OK,
    429: Outcome.RATE_LIMITED,
    400: Outcome.RATE_LIMITED,
    503: Outcome.OVERLOADED,
}
_NEVER = 1 << 62


@dataclass
class Bin:
    """What happened in five seconds."""

    sends: int = 0
    refused: int = 0
    units: float = 0.0


@dataclass
class LaneLoad:
    """One lane: its controller, its pacers, and workers that always want to send."""

    controller: LaneController
    ceiling: Limits
    free: int
    mean_tokens: float = 1000.0
    begins_ns: int = 0
    admitted: int = 0
    changes: list[Change] = field(default_factory=list[Change])
    next_tokens: float = 1000.0
    rate: float = 0.0
    token_rate: float | None = None
    pacer: Pacer = field(default_factory=lambda: Pacer(1e9))
    token_pacer: Pacer = field(default_factory=lambda: Pacer(1e9))

    def next_send_ns(self, now_ns: int) -> int:
        """Return when the next request may be sent, as things are."""
        controller = self.controller
        if self.free <= 0 or controller.in_flight >= controller.window:
            return _NEVER
        if controller.rate != self.rate:
            self.rate = controller.rate
            self.pacer.set_rate(now_ns, self.rate)
        ready_ns = max(now_ns, self.begins_ns, controller.paused_until_ns, self.pacer.ready_ns())
        token_rate = controller.token_rate
        if token_rate is None:
            return ready_ns
        if token_rate != self.token_rate:
            self.token_rate = token_rate
            self.token_pacer.set_rate(now_ns, token_rate, token_rate)
        return max(ready_ns, self.token_pacer.ready_ns())

    def charge(self, now_ns: int) -> None:
        """Note a send, and hold it against the ceilings."""
        controller, ceiling = self.controller, self.ceiling
        self.free -= 1
        self.pacer.charge(now_ns)
        if self.token_rate is not None:
            self.token_pacer.charge(now_ns, self.next_tokens)
        controller.sent(now_ns, self.next_tokens)
        if ceiling.qps is not None and controller.rate > ceiling.qps:
            raise AssertionError(f"rate {controller.rate} over {ceiling.qps}")
        if ceiling.workers is not None and controller.in_flight > ceiling.workers:
            raise AssertionError(f"{controller.in_flight} in flight over {ceiling.workers}")
        if ceiling.tpm is not None and (self.token_rate is None or self.token_rate > ceiling.tpm / 60):
            raise AssertionError(f"token rate {self.token_rate} over {ceiling.tpm / 60}")


class Simulation:
    """Lanes before one server."""

    def __init__(self, server: Server, lanes: list[LaneLoad], rng: Random, *, units: str, until_s: float):
        self.server = server
        self.lanes = lanes
        self._rng = rng
        self._units = units
        self._until_ns = int(until_s * NS_PER_S)
        self.bins = [Bin() for _ in range(int(until_s) // BIN_S + 1)]
        self.latencies: list[tuple[int, float]] = []
        """When sent, seconds until answered."""
        self._events: list[tuple[int, int, LaneLoad | None, int, Answer | None]] = []
        self._number = 0
        self._arrived_ns = 0

    def run(self) -> None:
        """Play it through."""
        now_ns = 0
        self._push(NS_PER_S, None, 0, None)
        lanes, events = self.lanes, self._events
        while True:
            lane = min(lanes, key=lambda lane: lane.next_send_ns(now_ns)) if len(lanes) > 1 else lanes[0]
            send_ns = lane.next_send_ns(now_ns)
            if send_ns <= events[0][0]:
                now_ns = send_ns
                if now_ns >= self._until_ns:
                    return
                self._send(lane, now_ns)
                continue
            now_ns, _, told, sent_ns, answer = heappop(events)
            if now_ns >= self._until_ns:
                return
            if told is None:
                self._tick(now_ns)
            elif answer is None:
                told.free += 1
            else:
                self._ended(told, now_ns, sent_ns, answer)

    def _push(self, at_ns: int, lane: LaneLoad | None, sent_ns: int, answer: Answer | None) -> None:
        self._number += 1
        heappush(self._events, (at_ns, self._number, lane, sent_ns, answer))

    def _send(self, lane: LaneLoad, now_ns: int) -> None:
        lane.charge(now_ns)
        tokens = lane.next_tokens
        lane.next_tokens = lane.mean_tokens * self._rng.uniform(0.4, 1.6)
        served_s = self.server.served_s
        arrives_ns = max(self._arrived_ns, now_ns + self._rng.randint(*ONE_WAY_NS))
        self._arrived_ns = arrives_ns
        answer = self.server.arrive(arrives_ns / NS_PER_S, tokens)
        now_bin = self.bins[now_ns // (BIN_S * NS_PER_S)]
        now_bin.sends += 1
        if answer.status in (429, 400):
            now_bin.refused += 1
        else:
            lane.admitted += 1
            if self._units == "tokens":
                now_bin.units += tokens
            else:
                now_bin.units += self.server.served_s - served_s if self._units == "slots" else 1.0
        self._push(int(answer.at_s * NS_PER_S) + self._rng.randint(*ONE_WAY_NS), lane, now_ns, answer)

    def _ended(self, lane: LaneLoad, now_ns: int, sent_ns: int, answer: Answer) -> None:
        first_ns = None
        if answer.status == 200:  # a whole answer has its first content with its last
            whole = answer.first_s >= answer.at_s
            first_ns = now_ns if whole else int(answer.first_s * NS_PER_S) + ONE_WAY_NS[0]
        stamps = Stamps(
            sent_ns=sent_ns,
            first_content_ns=first_ns,
            last_content_ns=None if first_ns is None else now_ns,
            end_ns=now_ns,
        )
        result = ChatResult(
            outcome=_OUTCOMES.get(answer.status, Outcome.SERVER_ERROR),
            stamps=stamps,
            status=answer.status,
            error=answer.text,
            retry_after_s=answer.retry_after_s,
            rate_headers=answer.headers,
        )
        lane.controller.ended(now_ns, sent_ns, result)
        if answer.status == 200:
            lane.free += 1
            self.latencies.append((sent_ns, (now_ns - sent_ns) / NS_PER_S))
            return
        hint_s = answer.retry_after_s
        rest_s = self._rng.uniform(0.0, 1.0) if hint_s is None else hint_s * self._rng.uniform(1.0, 1.25)
        self._push(now_ns + int(rest_s * NS_PER_S), lane, 0, None)

    def _tick(self, now_ns: int) -> None:
        for lane in self.lanes:
            lane.controller.tick(now_ns)
            lane.changes += lane.controller.drain_changes()
        self._push(now_ns + NS_PER_S, None, 0, None)
