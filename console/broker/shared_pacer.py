"""A pacer whose state all runs of the machine have in common.

The theoretical arrival time (`tat`, as in `engine/gates.Pacer`) is one word of a mapped file. A unit is charged
under the file's lock, before anything is sent: a process killed in between has sent nothing.

What holds: a unit passes only when `tat` less one's own burst has come, and puts it off by one's own interval. With
equal rates r that is r × w + burst + 1 units in every window w, over all runs. With different ones a unit costs its
sender's interval: each run keeps to its own rate, all together to the highest, and not to the lowest.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Final

from console.broker.place import Place
from console.broker.shared_file import PAYLOAD, SharedFile

_TAT: Final = PAYLOAD
_SENT_TAT: Final = PAYLOAD + 1
"""The same of what was really sent: the law. What passes keeps ahead of it."""
_WORDS: Final = 8
_NS_PER_S: Final = 1_000_000_000
_MOST_AHEAD_NS: Final = 24 * 3600 * _NS_PER_S
"""No debt reaches further than a day; what does is not ours."""
_NEVER_AHEAD_NS: Final = 2 * _MOST_AHEAD_NS
_TRUSTED_NS: Final = _NS_PER_S
"""A longer wait is not believed without the lock, under which a file that was spoilt is put in order."""
_FIRST_RETRY_NS: Final = 1_000_000
_LAST_RETRY_NS: Final = 50_000_000


class SharedPacer:
    """`gates.Pacer` over all runs. `ready_ns` takes no lock and may be stale; charging takes it."""

    def __init__(self, place: Place, name: str, per_second: float, burst: float = 0.0) -> None:
        """Pace to `per_second` units together with all who have opened `name`.

        Raises:
            ShareError: if the file cannot be used.
        """
        self._now_ns = 0
        self._seen_tat_ns = 0
        self._owed: list[tuple[int, int]] = []
        self._unsent = 0
        """Units of this process that passed and were not sent yet."""
        self.set_rate(per_second, burst)
        self.file = SharedFile(place, "pace", name, _WORDS, lambda spoilt: self._begin(unknown=spoilt))

    def set_rate(self, per_second: float, burst: float = 0.0) -> None:
        """Change the rate; what was charged before stays charged."""
        self._interval_ns = _NS_PER_S / per_second
        self._slack_ns = floor(burst * self._interval_ns)

    @property
    def owes(self) -> bool:
        """Whether something was charged here that the others do not see yet."""
        return bool(self._owed)

    def ready_ns(self) -> int:
        """Return when the next unit may pass, as far as can be seen without the lock."""
        if self._owed:
            return self._tat_ns() - self._slack_ns
        return self.file.words[_TAT] - self._slack_ns

    def charge(self, now_ns: int, units: float = 1.0) -> None:
        """Note that `units` passed at `now_ns`, whether or not they were on time.

        Where the lock is not to be had, that is remembered: nothing passes here before it is noted.
        """
        self._owe(now_ns, ceil(units * self._interval_ns))

    def departs_ns(self) -> int:
        """Return when the next unit that passed may be sent; without the lock, as far as can be seen."""
        return self.file.words[_SENT_TAT] - self._slack_ns

    def expect(self) -> None:
        """Note that the unit charged last is going to be sent, and `sent_locked` or `unsent` will tell."""
        self._unsent += 1

    def unsent(self) -> None:
        """Note that a unit which passed is not going to be sent; it stays charged."""
        self._unsent = max(0, self._unsent - 1)

    def correct(self, now_ns: int, units: float) -> None:
        """Charge `units` more, or give some back that were charged before and not used."""
        self._owe(now_ns, ceil(units * self._interval_ns))

    def close(self) -> None:
        """Let go of the file; what was charged stays charged."""
        self.file.close()

    # For a passage, which holds the lock:

    def lock(self, now_ns: int) -> bool:
        """Take the lock, and note what is owed; False: not to be had at once."""
        self._now_ns = now_ns
        if not self.file.lock(now_ns):
            return False
        words = self.file.words
        if not (
            0 <= words[_TAT] <= now_ns + _NEVER_AHEAD_NS and 0 <= words[_SENT_TAT] <= now_ns + _NEVER_AHEAD_NS
        ):
            self._begin(unknown=True)
        if self._owed:
            self.file.words[_TAT] = self._tat_ns()
            self._owed.clear()
        return True

    def charge_locked(self, now_ns: int, units: float) -> None:
        """Note that `units` pass at `now_ns`."""
        words = self.file.words
        tat_ns = words[_TAT]
        if tat_ns < now_ns:
            tat_ns = now_ns
        tat_ns += ceil(units * self._interval_ns)
        words[_TAT] = self._seen_tat_ns = min(tat_ns, now_ns + _MOST_AHEAD_NS)

    def sent_locked(self, sent_ns: int) -> None:
        """Note that a unit which passed is sent at `sent_ns`: those after it keep their distance from there."""
        words = self.file.words
        interval_ns = ceil(self._interval_ns)
        sent_tat_ns = words[_SENT_TAT] = max(words[_SENT_TAT], sent_ns) + interval_ns
        words[_TAT] = self._seen_tat_ns = max(words[_TAT], sent_tat_ns + self._unsent * interval_ns)

    def _owe(self, now_ns: int, cost_ns: int) -> None:
        self._owed.append((now_ns, cost_ns))
        if self.lock(now_ns):
            self.file.unlock()

    def _tat_ns(self) -> int:
        tat_ns = self.file.words[_TAT]
        for now_ns, cost_ns in self._owed:
            if cost_ns >= 0:
                tat_ns = min(max(tat_ns, now_ns) + cost_ns, now_ns + _MOST_AHEAD_NS)
            else:
                tat_ns = max(0, tat_ns + cost_ns)
        return tat_ns

    def _begin(self, *, unknown: bool) -> None:
        """Set a blank file's word: as last seen, and if it had been spoilt, as late as it can have been."""
        tat_ns = self._seen_tat_ns
        if unknown:
            tat_ns = max(tat_ns, self._now_ns + self._slack_ns + ceil(self._interval_ns))
        self.file.words[_TAT] = self.file.words[_SENT_TAT] = tat_ns


class SharedPassage:
    """Several pacers that a request passes all at once or not at all."""

    def __init__(self, pacers: Sequence[SharedPacer]) -> None:
        """Take `pacers`, in the order in which `try_pass` is told their units.

        Raises:
            ValueError: if two of them are the same limit: one request would pass it twice.
        """
        self._pacers = list(pacers)
        # One order for all processes, so that no two wait for each other's lock.
        order = sorted(range(len(pacers)), key=lambda index: pacers[index].file.file_name)
        self._locking = [pacers[index] for index in order]
        if len({pacer.file.file_name for pacer in pacers}) != len(pacers):
            raise ValueError("a passage has each pacer once")
        self._refusals = 0
        self._claimed = False
        """Whether the locks are held for a request that is about to be sent."""

    def ready_ns(self) -> int:
        """Return when a request may pass, as far as can be seen without the locks."""
        ready_ns = 0
        for pacer in self._pacers:
            pacer_ready_ns = pacer.ready_ns()
            if pacer_ready_ns > ready_ns:
                ready_ns = pacer_ready_ns
        return ready_ns

    def sure_wait_ns(self, now_ns: int, ahead_ns: int = 0) -> int:
        """Return after how many nanoseconds to try again, as far as that is believed without the locks; 0: try now."""
        wait_ns = self.ready_ns() - ahead_ns - now_ns
        sure = 0 < wait_ns <= _TRUSTED_NS and not any(pacer.owes for pacer in self._pacers)
        return wait_ns if sure else 0

    def try_pass(self, now_ns: int, units: Sequence[float], ahead_ns: int = 0) -> int:
        """Pass, and charge each pacer its units, if all are ready at `now_ns`, or `ahead_ns` later.

        Nothing passes without all locks: where one is not to be had, the answer is to come again, after 1 ms at
        first, and after 50 ms where somebody holds it who has been stopped.

        Returns:
            0 if it passed; else, after how many nanoseconds to try again.

        Raises:
            ShareError: if a file can no longer be used.
        """
        wait_ns = self.sure_wait_ns(now_ns, ahead_ns)
        if wait_ns:
            return wait_ns
        locked = 0
        try:
            for pacer in self._locking:
                if not pacer.lock(now_ns):
                    return self._refused_ns()
                locked += 1
            self._refusals = 0
            wait_ns = self.ready_ns() - ahead_ns - now_ns
            if wait_ns > 0:
                return wait_ns
            for pacer, count in zip(self._pacers, units, strict=True):
                pacer.charge_locked(now_ns, count)
        finally:
            for pacer in self._locking[:locked]:
                pacer.file.unlock()
        return 0

    def _refused_ns(self) -> int:
        """Return for how long to keep off a lock that was not to be had."""
        self._refusals += 1
        return min(_LAST_RETRY_NS, _FIRST_RETRY_NS << min(self._refusals - 1, 6))


class SharedDepartures(SharedPassage):
    """The pacers of sendings that a request keeps to when it is sent, after it has passed."""

    def departs_ns(self) -> int:
        """Return when a request that passed may be sent, as far as can be seen without the locks."""
        return max((pacer.departs_ns() for pacer in self._pacers), default=0)

    def claim(self, now_ns: int) -> int:
        """Return 0, and hold the locks until `sent` or `release`, if a request may be sent at `now_ns`.

        So whoever of the other runs is next keeps its distance from the time at which this one is really sent, even
        if this process is kept from its CPU in between.

        Returns:
            0; or, holding nothing, after how many nanoseconds to try again.

        Raises:
            ShareError: if a file can no longer be used.
        """
        self.release()
        if not self._lock(now_ns):
            return self._refused_ns()
        self._refusals = 0
        wait_ns = max(0, self.departs_ns() - now_ns)
        if wait_ns:
            self.release()
        return wait_ns

    def sent(self, sent_ns: int, *, again: bool) -> None:
        """Note when a request was sent that passed, and that has claimed it if its client knows how to."""
        if not again:
            self.unsent()
        if not self._claimed and not self._lock(sent_ns):
            return  # sent without asking, while another run holds a lock: the distance is kept from when it passed
        for pacer in self._pacers:
            pacer.sent_locked(sent_ns)
        self.release()

    def unsent(self) -> None:
        """Note that a request which passed is not going to be sent."""
        for pacer in self._pacers:
            pacer.unsent()

    def _lock(self, now_ns: int) -> bool:
        locked: list[SharedPacer] = []
        try:
            for pacer in self._locking:
                if not pacer.lock(now_ns):
                    return False
                locked.append(pacer)
            self._claimed = True
        finally:
            if not self._claimed:
                for pacer in locked:
                    pacer.file.unlock()
        return True

    def release(self) -> None:
        """Give the locks back that `claim` took."""
        if self._claimed:
            self._claimed = False
            for pacer in self._locking:
                pacer.file.unlock()
