"""How long prompts and answers of a level are: one length, or a spread about it."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import msgspec

from console.work.prompt_source import drawn

_NORMAL: Final = NormalDist()
_LONGEST: Final = 20.0
"""Times the mean: where a spread without an end is cut, so that one answer does not outlast a level."""

_ROUNDING: Final = 1e-9
"""So that 90 × (1 - 0.3) is 63 and not 62.99999."""


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """A mean length and how single ones lie about it."""

    mean: int
    range_ratio: float = 0.0
    """Evenly from mean × (1 - this) to mean × (1 + this), both in it, as `vllm bench serve` draws."""
    cv: float | None = None
    """Log-normal with this coefficient of variation, in place of a range: the shape of answers of real models."""

    def at(self, seed: int, index: int, what: int) -> int:
        """Return the length of prompt `index`, at least 1."""
        if self.cv:
            sigma = math.sqrt(math.log1p(self.cv * self.cv))
            z = _NORMAL.inv_cdf(drawn(seed, index, what))
            return max(
                1,
                min(round(self.mean * math.exp(sigma * z - sigma * sigma / 2)), round(self.mean * _LONGEST)),
            )
        if not self.range_ratio:
            return self.mean
        low = max(1, math.floor(self.mean * (1 - self.range_ratio) + _ROUNDING))
        return low + int(drawn(seed, index, what) * (self.longest - low + 1))

    @property
    def longest(self) -> int:
        """The longest that can be drawn."""
        return math.ceil(self.mean * (_LONGEST if self.cv else 1 + self.range_ratio) - _ROUNDING)
