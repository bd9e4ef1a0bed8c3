"""Servers with hidden limits, as models: they are told when a request arrives, and say when and how it is answered.

All count on their own clock: windows begin at an offset that the client cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from math import ceil
from random import Random
from typing import Literal, Protocol

Dialect = Literal["retry-after", "openai", "azure", "none", "gateway"]
Steps = tuple[tuple[float, float], ...]


class Limiter(Protocol):
    """One hidden limit."""

    def wait_s(self, at_s: float, tokens: float, in_flight: int) -> float | None:
        """Return for how long a request that arrives now would have to wait; None: it is admitted."""
        ...

    def take(self, at_s: float, tokens: float) -> None:
        """Count an admitted request."""
        ...

    def headers(self) -> dict[str, str]:
        """Return what OpenAI's headers would say."""
        ...


@dataclass
class FixedWindow:
    """So many units in each period of the server's clock; what `steps` say from when on."""

    limit: float
    period_s: float
    offset_s: float = 0.37
    counts: Literal["requests", "tokens"] = "requests"
    counts_refused: bool = False
    steps: Steps = ()
    used: float = 0.0
    ends_in_s: float = 0.0
    window: int = -1

    def wait_s(self, at_s: float, tokens: float, in_flight: int) -> float | None:
        while self.steps and at_s >= self.steps[0][0]:
            self.limit, self.steps = self.steps[0][1], self.steps[1:]
        window = int((at_s + self.offset_s) // self.period_s)
        self.ends_in_s = (window + 1) * self.period_s - at_s - self.offset_s
        if window != self.window:
            self.window, self.used = window, 0.0
        units = tokens if self.counts == "tokens" else 1.0
        if self.used + units <= self.limit:
            return None
        if self.counts_refused:
            self.used += units
        return self.ends_in_s

    def take(self, at_s: float, tokens: float) -> None:
        self.used += tokens if self.counts == "tokens" else 1.0

    def headers(self) -> dict[str, str]:
        return {
            f"x-ratelimit-limit-{self.counts}": f"{self.limit * 60 / self.period_s:.0f}",
            f"x-ratelimit-remaining-{self.counts}": f"{max(0.0, self.limit - self.used):.0f}",
            f"x-ratelimit-reset-{self.counts}": f"{self.ends_in_s:.3f}s",
        }


@dataclass
class SlidingWindow:
    """So many requests in any second; a refused one counts as well, as some gateways have it."""

    limit: int
    period_s: float = 1.0
    arrivals: list[float] = field(default_factory=list[float])

    def wait_s(self, at_s: float, tokens: float, in_flight: int) -> float | None:
        since = at_s - self.period_s
        while self.arrivals and self.arrivals[0] <= since:
            self.arrivals.pop(0)
        if len(self.arrivals) < self.limit:
            return None
        self.arrivals.append(at_s)
        return self.arrivals[-self.limit] + self.period_s - at_s

    def take(self, at_s: float, tokens: float) -> None:
        self.arrivals.append(at_s)

    def headers(self) -> dict[str, str]:
        return {}


@dataclass
class Bucket:
    """A token bucket."""

    rate: float
    burst: float
    level: float = 0.0
    """At first: empty, as somebody else has just used it up."""
    at_s: float = 0.0

    def wait_s(self, at_s: float, tokens: float, in_flight: int) -> float | None:
        self.level = min(self.burst, self.level + self.rate * (at_s - self.at_s))
        self.at_s = at_s
        return None if self.level >= 1.0 else (1.0 - self.level) / self.rate

    def take(self, at_s: float, tokens: float) -> None:
        self.level -= 1.0

    def headers(self) -> dict[str, str]:
        return {
            "x-ratelimit-limit-requests": f"{60 * self.rate:.0f}",
            "x-ratelimit-remaining-requests": f"{self.level:.0f}",
            "x-ratelimit-reset-requests": f"{(self.burst - self.level) / self.rate:.3f}s",
        }


@dataclass
class Cap:
    """So many in flight; nobody knows for how long."""

    most: int

    def wait_s(self, at_s: float, tokens: float, in_flight: int) -> float | None:
        return None if in_flight < self.most else 1.0

    def take(self, at_s: float, tokens: float) -> None:
        pass

    def headers(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a request that arrived."""

    at_s: float
    """When the last byte leaves the server."""
    status: int = 200
    first_s: float = 0.0
    retry_after_s: float | None = None
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Server:
    """Limits in front, then faults, then service: at once, or by so many slots first come, first served."""

    def __init__(
        self,
        rng: Random,
        limiters: list[Limiter],
        *,
        dialect: Dialect = "retry-after",
        slots: int | None = None,
        faults: float = 0.0,
        streams: bool = False,
        slower_from_s: float | None = None,
        mean_s: float = 3.0,
    ) -> None:
        self._rng = rng
        self._limiters = limiters
        self._dialect: Dialect = dialect
        self._free_at = [0.0] * slots if slots is not None else []
        heapify(self._free_at)
        self._ends: list[float] = []
        self._faults = faults
        self._streams = streams
        self._slower_from_s = slower_from_s
        self._mean_s = mean_s
        self._caps = any(isinstance(limiter, Cap) for limiter in limiters)
        self.served_s = 0.0
        """Service time of requests begun."""

    def arrive(self, at_s: float, tokens: float) -> Answer:
        """Decide on a request; arrivals come in the order of time."""
        while self._ends and self._ends[0] <= at_s:
            heappop(self._ends)
        for limiter in self._limiters:
            wait_s = limiter.wait_s(at_s, tokens, len(self._ends))
            if wait_s is not None:
                return self._refusal(at_s, limiter, wait_s)
        for limiter in self._limiters:
            limiter.take(at_s, tokens)
        if self._faults and self._rng.random() < self._faults:
            return Answer(at_s + 0.02, status=self._rng.choice((500, 502, 503)), text="HTTP 500: oops")
        # Lognormal with mean `mean_s` and sigma 0.6.
        service_s = self._mean_s * self._rng.lognormvariate(-0.18, 0.6)
        if self._slower_from_s is not None and at_s >= self._slower_from_s:
            service_s *= 2.0
        begin_s = at_s
        if self._free_at:
            begin_s = max(at_s, self._free_at[0])
            heapreplace(self._free_at, begin_s + service_s)
        self.served_s += service_s
        end_s = begin_s + service_s
        if self._caps:
            heappush(self._ends, end_s)
        headers = self._limiters[0].headers() if self._dialect == "openai" else {}
        return Answer(end_s, 200, begin_s + (0.15 if self._streams else 1.0) * service_s, None, "", headers)

    def _refusal(self, at_s: float, limiter: Limiter, wait_s: float) -> Answer:
        tokens = isinstance(limiter, FixedWindow) and limiter.counts == "tokens"
        hint_s = float(max(1, ceil(wait_s)))
        if self._dialect == "none" or isinstance(limiter, Cap):
            return Answer(at_s, 429, text="HTTP 429: Too Many Requests")
        if self._dialect == "gateway":
            return Answer(at_s, 400, text="HTTP 400: MPE-429: 当前请求被限流，请稍后重试")
        if self._dialect == "azure":
            kind = "token" if tokens else "call"
            text = f"HTTP 429: Requests to the operation have exceeded {kind} rate limit of your current pricing tier."
            return Answer(at_s, 429, retry_after_s=hint_s, text=text)
        if self._dialect == "openai":
            text = f"HTTP 429: Rate limit reached on {'tokens per min (TPM)' if tokens else 'requests per min (RPM)'}"
            return Answer(at_s, 429, retry_after_s=hint_s, text=text, headers=limiter.headers())
        return Answer(at_s, 429, retry_after_s=hint_s, text="HTTP 429: Rate limit exceeded")
