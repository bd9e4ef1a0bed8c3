"""Quotas as providers count them: fixed windows of the clock, by arrival, never refunded."""

from __future__ import annotations

from fractions import Fraction

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


class Window:
    """At most `rate` units per period, counted from one edge of the clock to the next.

    A rate that is no whole number gets the shortest run of periods that holds one (2.5 per second: 5 in two
    seconds), so that a client that paces exactly is not refused.
    """

    __slots__ = ("_number", "capacity", "period_ns", "unit_ns", "used")

    def __init__(self, rate: float, unit_ns: int) -> None:
        """Count against `rate` per `unit_ns`."""
        share = Fraction(rate).limit_denominator(60) if rate >= 1 / 60 else Fraction(1, round(1 / rate))
        self.capacity = share.numerator
        self.unit_ns = unit_ns
        self.period_ns = unit_ns * share.denominator
        self.used = 0
        self._number = -1

    def remaining(self, now_ns: int) -> int:
        """Return the units left in the window of `now_ns`."""
        self._turn(now_ns)
        return max(0, self.capacity - self.used)

    def fits(self, now_ns: int, cost: int) -> bool:
        """Return whether `cost` more units may pass now."""
        self._turn(now_ns)
        return self.used + cost <= self.capacity

    def take(self, now_ns: int, cost: int) -> None:
        """Count `cost` units now."""
        self._turn(now_ns)
        self.used += cost

    def resets_in_ns(self, now_ns: int) -> int:
        """Return the time to the next window, in which all units are there again."""
        return self.period_ns - now_ns % self.period_ns

    def _turn(self, now_ns: int) -> None:
        number = now_ns // self.period_ns
        if number != self._number:
            self._number = number
            self.used = 0


def tightest(windows: list[Window], now_ns: int) -> Window | None:
    """Return the window with the fewest units left: the one that a client must know of."""
    return min(windows, key=lambda window: window.remaining(now_ns), default=None)


def go_duration(duration_ns: int) -> str:
    """Write a duration as OpenAI's `x-ratelimit-reset-*` does: `20ms`, `1.5s`, `6m0s`."""
    if duration_ns < SECOND_NS:
        return f"{-(-duration_ns // 1_000_000)}ms"
    seconds = duration_ns / SECOND_NS
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(minutes)}m{text}" if minutes else text
