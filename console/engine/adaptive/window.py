"""How many requests may be in flight: a guard that grows with demand, and shrinks where more only wait longer."""

from __future__ import annotations

from typing import Final

from console.engine.adaptive.latency import Cohorts
from console.engine.gates import NS_PER_S

INFLATED: Final = 1.6
"""Latency over its base from which on the window shrinks."""
_ROOMY: Final = 1.35
"""Below it may grow."""
_EMPTY: Final = 1.15
"""Below nothing queues at all."""
_USED: Final = 0.9
"""Part of the window that has to have been in flight for it to grow."""
_TARGET: Final = 1.2
"""What a shrink aims at."""
_BASE_STALE_NS: Final = 420 * NS_PER_S
"""A base older than this is measured again with less in flight, or a queue of our own would become the base."""
_UNSURE_NS: Final = 60 * NS_PER_S
"""So old is a base that keeps the window from growing when it is measured again, first; twice as old each time."""
_DRAINED: Final = 0.6
_FUTILE: Final = 2
"""Shrinks in a row after which latency must have fallen, or it was not ours to mend."""
_SHORTEST_HOLD_S: Final = 15.0
_LONGEST_HOLD_S: Final = 300.0
_CYCLE_REQUESTS: Final = 200.0


class Window:
    """Requests in flight, at most.

    Three things move it: latency (a server that queues), refusals for too many at once (a cap, held and probed
    from time to time), and signs of overload.
    """

    def __init__(
        self, start: float, ceiling: int | None, *, slow_start: bool = True, capped: bool = False
    ) -> None:
        self._ceiling = ceiling
        self._slow_start = slow_start
        self._size = 1.0
        self._peak = 0
        """Most in flight since the last cohort became whole."""
        self._probe_peak = 0
        """Most in flight since the cap was last probed."""
        self._cap = start if capped else None
        self._hold_s = 0.0
        self._probe_ns = 0
        self._probed_ns: int | None = None
        self._step = 0.0
        self._failed = 0
        self._cut_point_ns = 0
        self._guarded_ns = 0
        self._doubtful = False
        """Whether a cohort in slow start was slow, and the next has to confirm it."""
        self._queued_at: float | None = None
        """In use when latency was last inflated."""
        self._drained_from: float | None = None
        """Size to go back to after a look at an empty server."""
        self._unsure_ns = _UNSURE_NS
        self._shrinks = 0
        self._before = (1.0, 1.0, 0.0)
        """Size, what was in use of it, and latency before shrinks in a row."""
        self.cohorts = Cohorts()
        self._set(start)

    @property
    def value(self) -> int:
        """Requests in flight, at most."""
        return int(self._size)

    @property
    def slow_start(self) -> bool:
        """Whether it still doubles."""
        return self._slow_start

    @property
    def capped(self) -> bool:
        """Whether the server has refused more at once."""
        return self._cap is not None

    def is_news(self, sent_ns: int) -> bool:
        """Whether a refusal of a request sent then tells of the time after the last cut."""
        return sent_ns >= self._cut_point_ns

    def limit_to(self, ceiling: int | None) -> None:
        """Never pass `ceiling`, from this moment on. What is in flight already is not preempted."""
        self._ceiling = ceiling
        self._set(self._size)

    def occupied(self, in_flight: int) -> None:
        """Note how many are in flight."""
        if in_flight > self._peak:
            self._peak = in_flight
        if in_flight > self._probe_peak:
            self._probe_peak = in_flight

    def refused(self, now_ns: int, sent_ns: int, admitted: int, latency_s: float) -> str:
        """Take in a refusal for too many at once while `admitted` others were in flight."""
        if sent_ns < self._cut_point_ns:
            return ""
        size = max(1.0, min(float(admitted), self._size), 0.7 * self._size if admitted else 1.0)
        if self._cap is not None and self._probed_ns is not None:
            size = min(self._cap, self._size)  # the probe failed, and what was proven before still is
        same = self._cap is not None and abs(size - self._cap) <= max(1.0, 0.03 * size)
        self._failed = self._failed + 1 if same else 0
        self._cap, self._slow_start, self._step, self._probed_ns = size, False, 0.0, None
        if not admitted:
            self._failed = (
                0  # refused all alone: no cap of ours, but somebody else's use of it, which may end
            )
        cycle_s = _CYCLE_REQUESTS * latency_s / size * 1.5 ** min(self._failed, 3) if admitted else 0.0
        self._hold_s = min(_LONGEST_HOLD_S, max(_SHORTEST_HOLD_S, cycle_s))
        self._probe_ns = now_ns + int(self._hold_s * NS_PER_S)
        self._cut_point_ns = now_ns
        self._set(size)
        return f"{admitted} in flight and no more admitted"

    def uncap(self) -> None:
        """Forget the cap: what was taken for one was something else."""
        self._cap = None

    def shrink(self, now_ns: int, factor: float, spacing_s: float) -> bool:
        """Shrink what is in use by `factor`, at most once in `spacing_s`; whether it did."""
        if now_ns < self._guarded_ns:
            return False
        self._guarded_ns = now_ns + int(spacing_s * NS_PER_S)
        self._slow_start = False
        self._set(min(self._size, max(1.0, float(self._peak))) * factor)
        return True

    def tick(self, now_ns: int, latency_s: float) -> str:
        """Probe a cap that has been held for long enough."""
        if self._cap is None or now_ns < self._probe_ns:
            return ""
        if self._probe_ns == 0:  # a cap that an earlier run learnt
            self._probe_ns = now_ns + int(_SHORTEST_HOLD_S * NS_PER_S)
            return ""
        return self._probe(now_ns, latency_s)

    def cohort(self, now_ns: int, wait_share: float, *, frozen: bool) -> str:
        """Take in a cohort that has become whole; `wait_share` is the part of a request's time that it timed."""
        latest_s, base_s = self.cohorts.latest_s, self.cohorts.base_s
        if not latest_s or not base_s:
            return ""
        ratio = latest_s / base_s
        peak, self._peak = self._peak, 0
        used = peak >= _USED * self.value
        if self._drained_from is not None:
            return self._drained(now_ns, self._drained_from, latest_s, base_s)
        self.cohorts.aim(max(self.cohorts.precise, self.value))
        self.cohorts.patient = not self._slow_start
        if ratio > INFLATED:
            if self._slow_start and not self._doubtful:
                self._doubtful = True  # small cohorts err: the next, a large one, decides
                return ""
            return self._inflated(ratio, latest_s, peak, wait_share)
        self._doubtful = False
        unsure_ns = self._unsure_ns if ratio >= _ROOMY else _BASE_STALE_NS
        if used and now_ns - self.cohorts.base_ns > unsure_ns and not (self._slow_start or self._cap):
            self._drained_from = self._size
            self._set(_DRAINED * self._size)
            self.cohorts.aim(self.cohorts.precise)
            return "looks how quick an empty server is"
        if ratio >= _ROOMY:
            return ""
        self._shrinks = 0
        if not used or frozen or self._cap is not None:
            return ""
        if self._slow_start:
            self._set(self._size * 2)
            self.cohorts.aim(self.value)
        else:
            self._set((1.25 if ratio < _EMPTY and self._unexplored else 1.05) * self._size + 1)
        return f"latency {latest_s:.2f} s, at best {base_s:.2f} s"

    def _drained(self, now_ns: int, size: float, latest_s: float, base_s: float) -> str:
        """Go back to `size`, with the latency of the nearly empty server as the base."""
        self._drained_from = None
        if latest_s <= _TARGET * base_s:
            self._unsure_ns = min(2 * self._unsure_ns, _BASE_STALE_NS)
            self.cohorts.confirm_base(now_ns, base_s)
        else:  # less in flight is no quicker: the base was too low
            self._unsure_ns = _UNSURE_NS
            self.cohorts.forget_base()
        self._shrinks = 0
        self._set(size)
        return "as before the look at an empty server"

    @property
    def _unexplored(self) -> bool:
        """Whether nothing is known to queue anywhere near."""
        return self._queued_at is None or not 0.7 * self._queued_at < self._size < 1.1 * self._queued_at

    def _inflated(self, ratio: float, latest_s: float, peak: int, wait_share: float) -> str:
        in_use = min(self._size, max(1.0, float(peak)))
        size, used, slow_s = self._before
        if self._shrinks == 0:
            self._before = (self._size, in_use, latest_s)
        elif self._shrinks >= _FUTILE and latest_s > slow_s * (in_use / used) ** 0.5:
            # A queue of ours is as long as what is in flight; this latency went not even half as far.
            self._shrinks = 0
            self.cohorts.forget_base()
            self._set(size)
            return f"{_FUTILE} smaller windows were no faster: the server has become slower by itself"
        self._shrinks += 1
        self._slow_start = False
        self._queued_at = in_use
        # Little's law: what is in flight too much is the part of its time that a request waits too long.
        self._set(in_use * max(0.7, 1.0 - wait_share * (ratio - _TARGET) / ratio))
        return f"latency {ratio:.1f} times its best"

    def _probe(self, now_ns: int, latency_s: float) -> str:
        round_ns = int(max(2.0, 2 * latency_s) * NS_PER_S)
        if self._probed_ns is None:
            self._step = max(1.0, 0.01 * self._size)
        elif now_ns < self._probed_ns + round_ns or self._probe_peak < self.value:
            return ""
        else:
            self._cap, self._failed = self._size, 0
            self._step *= 2
        self._probed_ns, self._probe_peak = now_ns, 0
        self._set(self._size + self._step)
        return "looks whether more are admitted at once"

    def _set(self, size: float) -> None:
        size = max(1.0, size)
        self._size = size if self._ceiling is None else min(size, float(max(1, self._ceiling)))
