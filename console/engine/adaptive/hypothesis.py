"""Whether refusals that do not say why are for too many requests at once: a cap refuses at one height only."""

from __future__ import annotations

from collections import deque
from typing import Final

from console.engine.gates import NS_PER_S

_KEPT_NS: Final = 60 * NS_PER_S
_FEW: Final = 3
"""In flight; so few are counted exactly."""
_SWITCHES_AT: Final = 3
_MOST: Final = 5
_LEAST: Final = -4


class Hypothesis:
    """Rate at first; a cap after three refusals in a row, or nearly so, with the most in flight that ever were.

    Under a rate limit a refusal falls on the peak of a whole minute by chance only, once in tens of them; so one
    refusal with fewer in flight takes two of the others back.
    """

    def __init__(self) -> None:
        self.capped = False
        """Whether refusals without a type are taken for a cap."""
        self._score = 0
        self._peaks: deque[tuple[int, int]] = deque()
        """Second, and most in flight in it; from most to least."""

    def admitted(self, now_ns: int, in_flight: int) -> None:
        """Note how many were in flight when an answer came."""
        peaks = self._peaks
        while peaks and peaks[-1][1] <= in_flight:
            peaks.pop()
        peaks.append((now_ns, in_flight))
        while peaks[0][0] < now_ns - _KEPT_NS:
            peaks.popleft()

    def refused(self, in_flight: int, *, waits_for_window: bool) -> bool:
        """Take in a refusal without a type, while `in_flight` others were.

        Args:
            in_flight: requests, without the one refused.
            waits_for_window: the server said for how long, so it counts in time.

        Returns:
            Whether that changed the hypothesis.
        """
        most = self._peaks[0][1] if self._peaks else 0
        slack = max(1.0, 0.03 * most) if most > _FEW else 0.0
        at_peak = most > 0 and in_flight >= most - slack and not waits_for_window
        self._score = min(_MOST, self._score + 1) if at_peak else max(_LEAST, self._score - 2)
        was, self.capped = self.capped, self._score >= (1 if self.capped else _SWITCHES_AT)
        return was != self.capped
