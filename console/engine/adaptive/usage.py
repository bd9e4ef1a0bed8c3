"""Whether a pacer is what holds requests back: how much of what it allowed was used."""

from __future__ import annotations

from math import exp


class Usage:
    """Units used of units allowed, over the last seconds or the last five units, whichever is longer.

    A rate that is not used says nothing about the limit, and must not grow (RFC 7661 for TCP's window).
    """

    def __init__(self) -> None:
        self._used = 0.0
        self._allowed = 0.0
        self._fresh = 0.0

    def add(self, units: float) -> None:
        """Note units that passed."""
        self._fresh += units

    def turn(self, rate: float, open_s: float, per_request: float = 1.0) -> float:
        """Take in a turn in which the pacer was open for `open_s`, and return the part used.

        Args:
            rate: units per second in that turn.
            open_s: seconds in which nothing else was shut.
            per_request: units that a request takes.
        """
        if open_s <= 0.0:
            self._fresh = 0.0
            return 0.0
        keep = exp(-open_s / max(1.0, 5.0 * per_request / rate))
        self._allowed = keep * self._allowed + rate * open_s
        self._used = keep * self._used + self._fresh
        self._fresh = 0.0
        return self._used / self._allowed
