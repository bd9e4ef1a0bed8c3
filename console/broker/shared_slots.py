"""Slots that all runs of the machine have in common: requests in flight on one scope.

The file is a table with a row for each who asks. Only its owner changes a row, and a change is one word, so slots
are given back without the lock; they are taken under it, since that needs the sum. Rows of the dead are removed by
whoever is refused because of them.

Who is refused writes down that it wants slots. A slot goes first to who has least in flight, then to who has waited
longest: others leave it free for as long as the asker comes again within 300 ms. So a busy run, which gives and
takes in one breath, does not shut out a run that begins later. Limits may differ: each asker keeps to its own, and
to that of who is before it, else a run with a low limit would never see the sum below it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from typing import Final

from console.broker.claimant import Claimant, lives
from console.broker.place import Place
from console.broker.shared_file import PAYLOAD, SharedFile

_ROWS: Final = 255
_ROW: Final = 8
_CLAIMANT, _SERIAL, _HELD, _WANT, _SINCE, _ASKED, _PID, _LIMIT = range(8)
_FIRST: Final = PAYLOAD + _ROW
_USED: Final = PAYLOAD
"""The word that says how many rows have ever been in use: no more are looked at."""
_FRESH_NS: Final = 300_000_000
_SWEEP_NS: Final = 100_000_000
_serials: Final = count(1)


class SharedSlots:
    """Takes and gives slots of a limit; each asker's own profile says how many there are in all."""

    def __init__(
        self, place: Place, name: str, limit: int | None, claimant: Claimant, now_ns: Callable[[], int]
    ) -> None:
        """Share slots with all who have opened `name`.

        Raises:
            ShareError: if the file cannot be used.
        """
        self.limit = limit
        """Slots in all, or None: others count ours, and we never wait."""
        self.mine = 0
        """How many of them are ours."""
        self._place = place
        self._claimant = claimant
        self._serial = next(_serials)
        self._now_ns = now_ns
        self._row = 0
        self._sweep_at_ns = 0
        self._file = SharedFile(place, "slots", name, _ROW * (_ROWS + 1), lambda _spoilt: None)

    def take(self, n: int = 1) -> bool:
        """Take `n` slots if they are free and nobody is before us; else ask again within 300 ms, or `withdraw`.

        Raises:
            ShareError: if the file can no longer be used.
        """
        now_ns = self._now_ns()
        self._claimant.keep(now_ns)
        if self._take(n, now_ns):
            return True
        if now_ns < self._sweep_at_ns:
            return False
        self._sweep_at_ns = now_ns + _SWEEP_NS
        return self._sweep(now_ns) and self._take(n, now_ns)

    def give(self, n: int = 1) -> None:
        """Give `n` slots back. This always succeeds at once.

        Raises:
            ValueError: if fewer are ours.
        """
        if n > self.mine:
            raise ValueError(f"{n} slots given back, {self.mine} are held")
        self.mine -= n
        if self._own_row():
            self._file.words[self._row + _HELD] = self.mine

    def withdraw(self) -> None:
        """Ask for no more slots: others need not leave any for us."""
        if self._own_row():
            self._file.words[self._row + _WANT] = 0

    def set_limit(self, limit: int | None) -> None:
        """Change our limit; lowering it preempts nobody."""
        self.limit = limit

    def in_use(self) -> int:
        """Return how many are in use over all runs, as far as can be seen without the lock."""
        words = self._file.words
        return sum(max(0, words[row + _HELD]) for row in self._rows() if words[row + _CLAIMANT])

    def holders(self) -> dict[int, int]:
        """Return how many slots each process holds, by process id."""
        words = self._file.words
        held: dict[int, int] = {}
        for row in self._rows():
            if words[row + _CLAIMANT] and words[row + _HELD] > 0:
                held[words[row + _PID]] = held.get(words[row + _PID], 0) + words[row + _HELD]
        return held

    def close(self) -> None:
        """Give everything back and let go of the file."""
        if self._own_row():
            self._file.words[self._row + _CLAIMANT] = 0
        self._row = self.mine = 0
        self._file.close()

    def _take(self, n: int, now_ns: int) -> bool:
        if not self._file.lock(now_ns):
            return False
        try:
            if not self._own_row() and not self._enter():
                return False
            words, row = self._file.words, self._row
            if self._admits(n, now_ns):
                self.mine += n
                words[row + _HELD] = self.mine
                words[row + _WANT] = 0
                return True
            if not words[row + _WANT] or now_ns - words[row + _ASKED] > _FRESH_NS:
                words[row + _SINCE] = now_ns
            words[row + _ASKED] = now_ns
            words[row + _LIMIT] = self.limit or 0
            words[row + _WANT] = n
            return False
        finally:
            self._file.unlock()

    def _admits(self, n: int, now_ns: int) -> bool:
        """Whether `n` more are within the limit, with what those before us want left free."""
        limit = self.limit
        if limit is None:
            return True
        words, own = self._file.words, self._row
        waits = words[own + _WANT] and now_ns - words[own + _ASKED] <= _FRESH_NS
        our_turn = (self.mine, words[own + _SINCE] if waits else now_ns)
        taken = self.mine
        for row in self._rows():
            if row == own or not words[row + _CLAIMANT]:
                continue
            held = max(0, words[row + _HELD])
            taken += held
            wanted = words[row + _WANT]
            fresh = wanted > 0 and now_ns - words[row + _ASKED] <= _FRESH_NS
            if fresh and (held, words[row + _SINCE]) < our_turn:
                taken += wanted
                limit = min(limit, words[row + _LIMIT])
        return taken + n <= limit

    def _rows(self) -> range:
        used = min(max(self._file.words[_USED], 0), _ROWS)
        return range(_FIRST, _FIRST + used * _ROW, _ROW)

    def _own_row(self) -> bool:
        words, row = self._file.words, self._row
        return (
            row > 0 and words[row + _CLAIMANT] == self._claimant.id and words[row + _SERIAL] == self._serial
        )

    def _enter(self) -> bool:
        """Find us a row, with what is ours in it; also after the file was lost. False: the table is full."""
        words = self._file.words
        used = self._rows()
        row = next((row for row in used if not words[row + _CLAIMANT]), used.stop)
        if row >= _FIRST + _ROWS * _ROW:
            return False
        for word, value in ((_SERIAL, self._serial), (_HELD, self.mine), (_WANT, 0), (_PID, os.getpid())):
            words[row + word] = value
        words[row + _CLAIMANT] = self._claimant.id
        if row == used.stop:
            words[_USED] = len(used) + 1
        self._row = row
        return True

    def _sweep(self, now_ns: int) -> bool:
        """Remove the rows of the dead; whether there were any. Who is dead is found out without the lock."""
        words = self._file.words
        found = {words[row + _CLAIMANT] for row in self._rows()} - {0, self._claimant.id}
        dead = {claimant for claimant in found if not lives(self._place, claimant)}
        if not dead or not self._file.lock(now_ns):
            return False
        try:
            words = self._file.words
            for row in self._rows():
                if words[row + _CLAIMANT] in dead:
                    words[row + _CLAIMANT] = 0
        finally:
            self._file.unlock()
        return True
