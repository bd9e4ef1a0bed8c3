"""A closed loop on a server with K slots, event by event, without engine, sockets or clock: rows as the journal has them.

What a search decides is tried on it for hundreds of levels in a second or two each.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field

import msgspec

from console.capacity.gathered import Gathered
from console.capacity.measure import LevelAsked, measure
from console.capacity.patience import enough
from console.capacity.search import Pace, Search
from console.capacity.steady import NotSteady, Window, steady_window
from console.capacity.steps import Ask, Over
from console.capacity.validity import validate
from console.vocabulary.lane import Lane
from console.vocabulary.level import LevelOutcome
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

LANE = Lane("p", "m", "m", "-")
S = 1_000_000_000


@dataclass
class Server:
    """How long answers take, and what happens to more than `slots` of them."""

    slots: int | None = 100
    """At once; None: any number."""
    rejects: bool = False
    """Whether more are refused (503) in place of waiting."""
    quota: int | None = None
    """More than so many in flight are refused by quota (429)."""
    cliff: int | None = None
    """From so many in flight on every answer takes four times as long."""
    drift_per_s: float = 0.0
    """Answers take so much longer with every second that passes, as a share."""
    ttft_ms: float = 200.0
    ttft_spread: float = 0.2
    itl_ms: float = 10.0
    tokens: float = 60.0
    tokens_cv: float = 0.3
    refusal_ms: float = 20.0
    seed: int = 0
    now_ns: int = 0
    """Goes on from level to level."""
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def service(self, in_flight: int) -> tuple[int, int, int]:
        """Return the time to the first token and from there to the last, in ns, and how many tokens there are."""
        slow = 1.0 + self.drift_per_s * self.now_ns / S
        if self.cliff is not None and in_flight > self.cliff:
            slow *= 4.0
        sigma = math.log1p(self.tokens_cv**2) ** 0.5
        tokens = max(2, round(self.tokens * math.exp(self.rng.gauss(-sigma * sigma / 2, sigma))))
        first = self.ttft_ms * math.exp(self.rng.gauss(0.0, self.ttft_spread)) * slow
        return round(first * 1e6), round((tokens - 1) * self.itl_ms * slow * 1e6), tokens


class Level:
    """One level while it goes on."""

    def __init__(self, server: Server, ask: Ask, number: int, ramp_in_s: float) -> None:
        self.server = server
        self.ask = ask
        self.begun_ns = server.now_ns
        self.gathered = Gathered(self.begun_ns)
        self.asked = LevelAsked(
            number=number,
            purpose=ask.purpose,
            concurrency=ask.concurrency,
            begun_ns=self.begun_ns,
            ended_ns=0,
        )
        self.ended = False
        self.rules = ()
        self._busy = 0
        self._in_flight = 0
        self.sent = 0
        self._queue: deque[tuple[int, int]] = deque()
        self._events: list[tuple[int, int, str, RequestRow | None]] = []
        self._count = 0
        for loop in range(ask.concurrency):
            self._push(self.begun_ns + round(loop * ramp_in_s * S / ask.concurrency), "send", None)

    def _push(self, at_ns: int, what: str, row: RequestRow | None) -> None:
        self._count += 1
        heapq.heappush(self._events, (at_ns, self._count, what, row))

    def run_until(self, until_ns: int | None) -> None:
        """Play until a time, or, once the level has ended, until nothing is in flight."""
        server = self.server
        while self._events and (until_ns is None or self._events[0][0] <= until_ns):
            at_ns, _, what, row = heapq.heappop(self._events)
            server.now_ns = max(server.now_ns, at_ns)
            if what == "send":
                if not self.ended:
                    self._send(at_ns)
                continue
            assert row is not None
            self._in_flight -= 1
            self.gathered.add(row)
            if row.outcome is Outcome.OK:
                self._busy -= 1
                while self._queue:
                    sent_ns, seen = self._queue.popleft()
                    self._serve(sent_ns, at_ns, seen)
                    break
            self._push(at_ns, "send", None)
        if until_ns is not None:
            server.now_ns = max(server.now_ns, until_ns)

    def _send(self, at_ns: int) -> None:
        server = self.server
        self.sent += 1
        self.ended = self.sent == self.ask.count
        self._in_flight += 1
        if server.quota is not None and self._in_flight > server.quota:
            self._refuse(at_ns, Outcome.RATE_LIMITED)
        elif server.slots is None or self._busy < server.slots:
            self._serve(at_ns, at_ns, self._in_flight)
        elif server.rejects:
            self._refuse(at_ns, Outcome.SERVER_ERROR)
        else:
            self._queue.append((at_ns, self._in_flight))

    def _serve(self, sent_ns: int, at_ns: int, in_flight: int) -> None:
        self._busy += 1
        first, rest, tokens = self.server.service(in_flight)
        total = at_ns - sent_ns + first + rest
        row = RequestRow(
            test="level", lane=LANE, outcome=Outcome.OK, at_ns=sent_ns, ttft_ns=at_ns - sent_ns + first,
            latency_ns=total, total_ns=total, chunks=tokens, prompt_tokens=10, completion_tokens=tokens,
        )  # fmt: skip
        self._push(sent_ns + total, "end", row)

    def _refuse(self, at_ns: int, outcome: Outcome) -> None:
        took = round(self.server.refusal_ms * 1e6)
        self._push(
            at_ns + took,
            "end",
            RequestRow(test="level", lane=LANE, outcome=outcome, at_ns=at_ns, total_ns=took),
        )


def play(search: Search, server: Server, pace: Pace | None = None) -> list[LevelOutcome]:
    """Return the levels of a whole search."""
    pace = pace or Pace()
    levels: list[LevelOutcome] = []
    while not isinstance(ask := search.next_step(levels), Over):
        levels.append(play_level(search, server, ask, pace, levels[-1] if levels else None, len(levels) + 1))
    return levels


def play_level(
    search: Search, server: Server, ask: Ask, pace: Pace, before: LevelOutcome | None, number: int
) -> LevelOutcome:
    level = Level(server, ask, number, 0.0 if ask.count is not None else pace.ramp_in_s)
    elapsed_s = 1.0
    while ask.count is None:
        level.run_until(level.begun_ns + round(elapsed_s * S))
        if elapsed_s >= pace.most_s or _enough(search, level, ask, pace, elapsed_s):
            break
        elapsed_s = min(pace.most_s, max(elapsed_s + 0.5, 1.15 * elapsed_s))
    level.ended = ask.count is None
    ceased_ns = server.now_ns
    level.run_until(None)
    counted = Window(level.begun_ns, server.now_ns + 1)
    window = counted if ask.count is not None else _window(level, ceased_ns, pace)
    whole = window.whole if isinstance(window, NotSteady) else window
    outcome = measure(_asked(level, server.now_ns), level.gathered, whole)
    outcome = _replace(outcome, rules=search.judge(outcome, None, None))
    validity, reasons = validate(outcome, window=window, health=None, before=before)
    return _replace(outcome, validity=validity, reasons=reasons)


def _enough(search: Search, level: Level, ask: Ask, pace: Pace, elapsed_s: float) -> bool:
    window = _window(level, level.server.now_ns, pace)
    if isinstance(window, NotSteady):
        return False
    outcome = measure(_asked(level, level.server.now_ns), level.gathered, window)
    rules, before = search.judge(outcome, None, None), level.rules
    level.rules = rules
    return enough(ask, pace, outcome, rules, before, elapsed_s)


def _window(level: Level, until_ns: int, pace: Pace) -> Window | NotSteady:
    return steady_window(
        level.gathered, level.begun_ns, until_ns, concurrency=level.ask.concurrency,
        settled_after_ns=round(pace.ramp_in_s * S),
    )  # fmt: skip


def _asked(level: Level, ended_ns: int) -> LevelAsked:
    return _replace(level.asked, ended_ns=ended_ns)


def _replace(value, **changes):
    return msgspec.structs.replace(value, **changes)
