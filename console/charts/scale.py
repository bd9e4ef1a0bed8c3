"""From values to places on paper, and the round values at which an axis has its ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_HEADROOM: Final = 0.04
"""Share of a linear axis that is kept free above the highest value, so that no mark sits on the edge."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis from one place to another."""

    low: float
    high: float
    start: float
    """Where `low` is, in units of the picture."""
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value; what is beyond an end is at that end."""
        low, high, value = self.low, self.high, min(self.high, max(self.low, value))
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        share = 0.5 if high == low else (value - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round values within, `most` at most: powers of ten with 2 and 5 between them, or even steps."""
        return _log_ticks(self.low, self.high, most) if self.log else _even_ticks(self.low, self.high, most)


def linear(values: Iterable[float], start: float, end: float, *, from_zero: bool = True) -> Scale:
    """Return a linear axis that holds all values and ends at round ones."""
    known = [value for value in values if math.isfinite(value)]
    low = 0.0 if from_zero else min(known, default=0.0)
    high = max(known, default=1.0)
    high += _HEADROOM * max(0.0, high - low)
    if high <= low:
        high = low + 1.0
    step = _round_step((high - low) / 6)
    return Scale(math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step, start, end)


def logarithmic(values: Iterable[float], start: float, end: float, *, room: float = 1.15) -> Scale:
    """Return a logarithmic axis that holds all values that have a place on it, with some room at both ends."""
    known = [value for value in values if value > 0 and math.isfinite(value)]
    low, high = min(known, default=1.0), max(known, default=10.0)
    if high < 2 * low:
        low, high = low / 1.4, high * 1.4
    return Scale(low / room, high * room, start, end, log=True)


def tick_text(value: float) -> str:
    """Return a value of an axis for people: `0.5`, `20`, `1,000`, `2.5M`."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M"
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _round_step(rough: float) -> float:
    """Return the smallest of 1, 2, 2.5 or 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    step = _round_step((high - low) / max(1, most - 1)) if high > low else 1.0
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        within = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(within) <= most:
            return within if len(within) > 1 else _even_ticks(low, high, most)
    every = math.ceil(len(powers) / most)
    return [10.0**power for power in powers if power % every == 0 and low <= 10.0**power <= high]
