"""The door to what runs share: one object a process, from which its pacers, slots and leases come."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.broker.claimant import Claimant
from console.broker.key_lease import KeyLease
from console.broker.place import Place, clean
from console.broker.shared_pacer import SharedPacer
from console.broker.shared_slots import SharedSlots


class Share:
    """What this process shares with the other runs of its user on this machine."""

    def __init__(self, place: Place | None = None, now_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        """Open the folder, and remove from it what nobody has used for a day.

        Args:
            place: the folder; by default, the one where all runs of this user meet.
            now_ns: the clock that all processes have in common.

        Raises:
            ShareError: if it cannot be used: limits then hold for each run by itself only.
        """
        self.place = Place() if place is None else place
        self._now_ns = now_ns
        self.place.prepare()
        clean(self.place, time.time())
        self._claimant = Claimant(self.place)
        self._made: list[SharedPacer | SharedSlots | KeyLease] = []

    def pacer(self, name: str, per_second: float, burst: float = 0.0) -> SharedPacer:
        """Return a pacer on the limit `name` (`naming.shared_name`).

        Raises:
            ShareError: if its file cannot be used.
        """
        made = SharedPacer(self.place, name, per_second, burst)
        self._made.append(made)
        return made

    def slots(self, name: str, limit: int | None) -> SharedSlots:
        """Return slots on the limit `name`.

        Raises:
            ShareError: if its file cannot be used.
        """
        made = SharedSlots(self.place, name, limit, self._claimant, self._now_ns)
        self._made.append(made)
        return made

    def lease(self, name: str, *, run: str, holder: str, job: str, most: int = 1) -> KeyLease:
        """Return a ticket, not yet asked for, for the key `name`.

        Raises:
            ShareError: if its file cannot be used.
        """
        made = KeyLease(self.place, name, self._claimant, run=run, holder=holder, job=job, most=most)
        self._made.append(made)
        return made

    def close(self) -> None:
        """Give up all claims and close all files; what was charged stays charged."""
        for made in self._made:
            made.close()
        self._claimant.close()
