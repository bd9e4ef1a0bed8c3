"""What a lane's server let in, and when: requests sent, less those it refused."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

_KEPT_NS: Final = 75_000_000_000
"""The longest window that servers count in is a minute."""
_PRUNE_FROM: Final = 1024


class Admissions:
    """The admitted requests of the last minute, by the time they were sent.

    Refusals come back within a round trip, answers after seconds: whatever was not refused counts as admitted,
    or a rate estimated while load grows would be far too low.
    """

    def __init__(self) -> None:
        self._times = array("q")
        self._tokens = array("d")

    def sent(self, now_ns: int, tokens: float) -> None:
        """Take a request as admitted until it is refused."""
        times = self._times
        if len(times) >= _PRUNE_FROM and times[len(times) >> 1] < now_ns - _KEPT_NS:
            old = bisect_left(times, now_ns - _KEPT_NS)
            del times[:old]
            del self._tokens[:old]
        times.append(now_ns)
        self._tokens.append(tokens)

    def refused(self, sent_ns: int) -> None:
        """Take the request that was sent at `sent_ns` out again."""
        index = bisect_left(self._times, sent_ns)
        if index < len(self._times) and self._times[index] == sent_ns:
            self._times.pop(index)
            self._tokens.pop(index)

    def requests(self, since_ns: float, until_ns: float) -> float:
        """Count requests admitted in [since, until)."""
        return bisect_left(self._times, until_ns) - bisect_left(self._times, since_ns)

    def tokens(self, since_ns: float, until_ns: float) -> float:
        """Sum the tokens of requests admitted in [since, until)."""
        return sum(self._tokens[bisect_left(self._times, since_ns) : bisect_left(self._times, until_ns)])

    def first(self, since_ns: float, until_ns: float) -> int | None:
        """Return when the first request admitted in [since, until) was sent."""
        index = bisect_left(self._times, since_ns)
        return self._times[index] if index < len(self._times) and self._times[index] < until_ns else None
