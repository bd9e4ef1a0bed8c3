"""Rows of levels as a server of known capacity would make them: the truth that measures are held against."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

LANE = Lane("p", "m", "d", "k")
MS = 1_000_000
S = 1_000_000_000


def made_row(
    at_ns: int, *, ttft_ms=100.0, e2e_ms=500.0, tokens=11, outcome=Outcome.OK, **fields
) -> RequestRow:
    ok = outcome is Outcome.OK
    return RequestRow(
        **{
            "test": "level/1/0",
            "lane": LANE,
            "outcome": outcome,
            "at_ns": at_ns,
            "ttft_ns": int(ttft_ms * MS) if ok else None,
            "latency_ns": int(e2e_ms * MS) if ok else None,
            "total_ns": int(e2e_ms * MS),
            "chunks": tokens if ok else 0,
            "prompt_tokens": 20 if ok else None,
            "completion_tokens": tokens if ok else None,
            **fields,
        }
    )


class Server:
    """Slots that are taken in order of arrival: K answers are made at a time, the rest wait and have a longer TTFT."""

    def __init__(
        self, rng: random.Random, slots: int | None = None, *, tokens=50, cv=0.3, ttft_ms=120.0, tpot_ms=10.0
    ):
        self.rng, self.slots, self.tokens, self.cv = rng, slots, tokens, cv
        self.ttft_ms, self.tpot_ms = ttft_ms, tpot_ms
        self.free_at = [0] * (slots or 0)
        self.slower: Callable[[int], float] = lambda at_ns: 1.0
        self.decodes_slower: Callable[[int], float] = lambda at_ns: 1.0
        self.fails = 0.0

    def answer(self, at_ns: int, **fields) -> RequestRow:
        sigma2 = 1.0 + self.cv**2
        tokens = max(2, round(self.tokens / sigma2**0.5 * self.rng.lognormvariate(0, _log(sigma2) ** 0.5)))
        factor = self.slower(at_ns)
        ttft_ms = self.ttft_ms * factor * self.rng.lognormvariate(-0.02, 0.2)
        e2e_ms = ttft_ms + (tokens - 1) * self.tpot_ms * factor * self.decodes_slower(at_ns)
        waited_ms = 0.0
        if self.slots:
            starts = max(at_ns, heapq.heappop(self.free_at))
            waited_ms = (starts - at_ns) / MS
            heapq.heappush(self.free_at, starts + int(e2e_ms * MS))
        outcome = Outcome.SERVER_ERROR if self.rng.random() < self.fails else Outcome.OK
        return made_row(
            at_ns,
            ttft_ms=waited_ms + ttft_ms,
            e2e_ms=waited_ms + e2e_ms,
            tokens=tokens,
            outcome=outcome,
            **fields,
        )


def _log(value: float) -> float:
    import math

    return math.log(value)


def closed_loop(server: Server, loops: int, lasts_s: float, *, ramp_s: float = 0.0) -> list[RequestRow]:
    """Return the rows of a closed loop in the order of their ends, drain included; it sends for `lasts_s`."""
    due = [(int(ramp_s * S * loop / loops), loop) for loop in range(loops)]
    heapq.heapify(due)
    rows: list[RequestRow] = []
    while due:
        at_ns, loop = heapq.heappop(due)
        if at_ns >= lasts_s * S:
            continue
        row = server.answer(at_ns, test=f"level/1/{len(rows)}")
        rows.append(row)
        heapq.heappush(due, (at_ns + (row.total_ns or 1), loop))
    return sorted(rows, key=ended_ns)


def open_loop(
    server: Server, rate: float, lasts_s: float, *, most: int | None = None, even: bool = False
) -> list[RequestRow]:
    """Return the rows of requests due at `rate`; above `most` in flight they are sent as soon as one has ended."""
    rows: list[RequestRow] = []
    flying: list[int] = []
    due_s = 0.0
    while True:
        due_s += 1 / rate if even else server.rng.expovariate(rate)
        if due_s >= lasts_s:
            break
        due_ns = at_ns = int(due_s * S)
        if most is not None and len(flying) >= most:
            at_ns = max(at_ns, heapq.heappop(flying))
        row = server.answer(at_ns, due_ns=due_ns)
        heapq.heappush(flying, ended_ns(row))
        rows.append(row)
    return sorted(rows, key=ended_ns)


def ended_ns(row: RequestRow) -> int:
    return row.at_ns + (row.total_ns or 0)
