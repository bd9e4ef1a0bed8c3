"""A rate that finds a hidden limit: CUBIC on the send rate, anchored to the windows that servers count in."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Final

from console.engine.adaptive.admissions import Admissions
from console.engine.gates import NS_PER_S

BETA: Final = 0.95
"""A cut goes to this part of the estimate: a quota refuses cheaply and at once, unlike a network that drops."""
DOUBLES_IN_S: Final = 2.0
"""Slow start."""
SHORTEST_K_S: Final = 15.0
LONGEST_K_S: Final = 300.0
CYCLE_REQUESTS: Final = 200.0
"""Requests between two probes of the limit, at least: a probe costs about one refusal."""
LEAST: Final = 0.01
"""A rate of 0 would never find out that the limit is gone."""
_KNOWN: Final = 1.03
"""Beyond this part of the estimate nothing has ever been refused: the limit has changed, so growth is exponential."""
_GROWS: Final = 0.45
"""Exponent of that growth per K."""
_WINDOWS_S: Final = (10.0, 60.0)
"""What servers count in, besides one second."""
_OUTAGE_S: Final = 90.0
"""A longer closure is an outage, or a pause of ours: no server counts in such a window and does not say so."""
_LEAST_AT_FIRST: Final = 0.25
"""Slow start from less takes minutes to see that it is used up; that it does not hammer is for pauses to see to."""
_CLOSED_S: Final = 3.0
"""A cap on requests in flight, too, admits nothing until one of them ends; a shorter time shows no window."""
_LONGEST_PROBE_S: Final = 8.0

Counted = Callable[[float, float], float]
"""Units admitted in [since, until)."""


class CubicRate:
    """Units per second, of requests or of tokens.

    Grows to its estimate concavely, beyond it convexly (Ha, Rhee, Xu: CUBIC, 2008). One cut an episode: refusals of
    requests that were sent before the last cut are old news.
    """

    def __init__(self, value: float, ceiling: float | None, *, estimate: float | None = None) -> None:
        """Start at `value`, in slow start unless there is an estimate to start from."""
        self.ceiling = ceiling
        self.slow_start = estimate is None
        self.estimate = estimate if estimate is not None else value
        self.k_s = SHORTEST_K_S
        self.paused_until_ns = 0
        self._window_s = 1.0
        """What the server counts in, as far as it showed."""
        self._clock_s = 0.0
        self._cut_point_ns = 0
        self._last_cut_ns: int | None = None
        self._last_cut_steady = False
        """Whether the last cut was not that which ended slow start."""
        self._refused_ns: int | None = None
        """Since when an exhausted window of unknown length refuses; None: none does."""
        self._last_refused_ns = 0
        self._probes = 0
        self.value = LEAST
        self._set(value)

    def is_news(self, sent_ns: int) -> bool:
        """Whether a refusal of a request sent then tells of the time after the last cut."""
        return sent_ns >= self._cut_point_ns

    def limit_to(self, ceiling: float | None) -> None:
        """Never pass `ceiling`, from this moment on."""
        self.ceiling = ceiling
        self._set(self.value)

    def restart(self) -> None:
        """Go on in slow start: what was taken for this limit was another one."""
        self.slow_start = True
        self._refused_ns = None

    def grow(self, seconds: float) -> None:
        """Grow for `seconds` in which this rate was what held requests back."""
        if self._refused_ns is not None or (self.ceiling is not None and self.value >= self.ceiling):
            return
        if self.slow_start:
            self._set(self.value * 2.0 ** (seconds / DOUBLES_IN_S))
            return
        self._clock_s += seconds
        cubic = self.estimate * (1.0 + (1.0 - BETA) * (self._clock_s / self.k_s - 1.0) ** 3)
        if self.value < self.estimate * _KNOWN:
            self._set(max(self.value, min(cubic, self.estimate * _KNOWN)))
        else:
            self._set(self.value * exp(_GROWS * seconds / self.k_s))

    def refused(
        self, now_ns: int, sent_ns: int, hint_s: float | None, counted: Counted, requests_per_s: float
    ) -> str:
        """Take in a refusal.

        Returns:
            Why the rate was cut; empty: it was not.
        """
        if sent_ns < self._cut_point_ns:
            return ""
        if self._last_cut_ns is not None and (
            now_ns - self._last_cut_ns < max(1.0, hint_s or 0.0) * NS_PER_S
            or (self._refused_ns is not None and not counted(self._cut_point_ns, sent_ns))
        ):
            self._same_window(now_ns, sent_ns, hint_s)
            return ""
        return self._cut(now_ns, sent_ns, hint_s, counted, requests_per_s)

    def settle(self, now_ns: int, admissions: Admissions, counted: Counted, round_trip_s: float) -> str:
        """Look whether a window of unknown length admits again, and estimate from how long it did not.

        Returns:
            Why the estimate changed; empty: it did not.
        """
        if self._refused_ns is None:
            return ""
        sure_ns = now_ns - int((2 * round_trip_s + 0.1) * NS_PER_S)
        first_ns = admissions.first(self._cut_point_ns, sure_ns)
        if first_ns is None:
            return ""
        closed_s = (first_ns - self._refused_ns) / NS_PER_S
        opened_ns = (first_ns + self._last_refused_ns) / 2
        self._refused_ns, self._probes = None, 0
        if not _CLOSED_S <= closed_s <= _OUTAGE_S:
            return ""
        admitted, window_s = self._anchor(opened_ns, closed_s, counted)
        if admitted >= self.estimate:
            return ""
        self.estimate = max(LEAST, admitted, 0.5 * self.estimate if self._last_cut_steady else 0.0)
        self._window_s = window_s
        self.k_s = min(LONGEST_K_S, max(self.k_s, 3 * window_s))
        self._clock_s = 0.0
        self._set(BETA * self.estimate)
        return f"closed for {closed_s:.1f} s, as a window of {window_s:.0f} s"

    def _same_window(self, now_ns: int, sent_ns: int, hint_s: float | None) -> None:
        """The window that the last cut was for is still exhausted: wait, as told or longer each time."""
        self._last_refused_ns = sent_ns
        if hint_s is None:
            hint_s = min(_LONGEST_PROBE_S, 0.25 * 2.0**self._probes)
            self._probes += 1
        self.paused_until_ns = now_ns + int(hint_s * NS_PER_S)
        self._cut_point_ns = max(now_ns, self.paused_until_ns)

    def _cut(
        self, now_ns: int, sent_ns: int, hint_s: float | None, counted: Counted, requests_per_s: float
    ) -> str:
        rate, was_slow_start = self.value, self.slow_start
        window_s = 1.0
        if hint_s is not None and hint_s > 1.0:
            # Whole seconds are rounded up: the window opens half a second before, on average.
            opens_ns = now_ns + (hint_s - 0.5) * NS_PER_S
            admitted, window_s = self._anchor(opens_ns, hint_s, counted)
            near = min(max(admitted, 0.90 * rate), 0.99 * rate)
            self.estimate = near if admitted >= 0.8 * rate else max(admitted, 0.5 * rate)
        else:
            admitted = counted(now_ns - NS_PER_S, now_ns)
            soon = self._last_cut_ns is not None and self._clock_s < self.k_s / 4
            self.estimate = (0.90 if soon else 0.99) * rate
        if was_slow_start and counted(now_ns - 60 * NS_PER_S, now_ns) < self._few(requests_per_s):
            return self._try_again(now_ns, hint_s)
        if was_slow_start:
            self.estimate = min(rate, max(admitted, LEAST if window_s > 1.0 else rate / 4))
        self.estimate = max(LEAST, self.estimate)
        self.slow_start = False
        self._last_cut_steady = not was_slow_start
        self._clock_s = 0.0
        self._window_s = max(window_s, 0.0 if hint_s is not None and hint_s > 2.0 else self._window_s)
        cycle_s = CYCLE_REQUESTS / max(LEAST, requests_per_s * self.estimate / rate)
        self.k_s = min(LONGEST_K_S, max(SHORTEST_K_S, cycle_s, 3 * self._window_s))
        self._cut_point_ns = self._last_cut_ns = now_ns
        self._probes = 0
        self._refused_ns = sent_ns if hint_s is None else None
        self._last_refused_ns = sent_ns
        if hint_s is not None and (hint_s >= 2.0 or was_slow_start):
            self.paused_until_ns = now_ns + int(hint_s * NS_PER_S)
        self._set(BETA * self.estimate)
        return f"admitted {admitted:.3g}/s in a window of {window_s:.0f} s"

    def _few(self, requests_per_s: float) -> float:
        """Return the units of three requests."""
        return 3.0 * self.value / requests_per_s

    def _try_again(self, now_ns: int, hint_s: float | None) -> str:
        """Refused before anything to speak of was admitted: somebody else had used the limit up. Begin again."""
        self._probes += 1
        wait_s = hint_s if hint_s is not None else min(_LONGEST_PROBE_S, 0.5 * 2.0**self._probes)
        self.paused_until_ns = now_ns + int(wait_s * NS_PER_S)
        self._cut_point_ns = now_ns
        self._set(max(self.value / 2, min(self.value, _LEAST_AT_FIRST)))
        return "refused almost from the start"

    @staticmethod
    def _anchor(opens_ns: float, closed_s: float, counted: Counted) -> tuple[float, float]:
        """Return units per second and length of the window that opens at `opens_ns` after `closed_s` seconds.

        It admitted all it could, so its length is the one over which most was admitted.
        """
        windows = [length for length in _WINDOWS_S if length >= closed_s] or [closed_s]
        return max((counted(opens_ns - length * NS_PER_S, opens_ns) / length, length) for length in windows)

    def _set(self, value: float) -> None:
        value = max(LEAST, value)
        self.value = value if self.ceiling is None else min(value, self.ceiling)
