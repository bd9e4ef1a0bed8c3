"""A key serves one model or job at a time, over all runs of the machine.

Who wants the key files a ticket and asks again about every second; the head of the queue takes what is free. Who
has it renews: a lease that was not renewed for 30 s is void, a dead process's is void at once. A holder believes in
its lease for two seconds less than the others do, so one that was stopped and goes on sends nothing on a lost one.
"""

from __future__ import annotations

import os
import secrets
from typing import Final

import msgspec

from console.broker.claimant import Claimant, lives
from console.broker.lease_table import (
    TTL_NS,
    LeaseFile,
    LeaseTable,
    Ticket,
    ahead,
    may_have,
    short,
    with_ticket,
    without_ticket,
    without_void,
)
from console.broker.place import Place

RENEW_NS: Final = 10_000_000_000
_MARGIN_NS: Final = 2_000_000_000
_STAMP_NS: Final = 1_000_000_000


class KeyLease:
    """One ticket for a key: asked for, granted, renewed, released; then it may be asked for again."""

    def __init__(
        self, place: Place, name: str, claimant: Claimant, *, run: str, holder: str, job: str, most: int = 1
    ) -> None:
        """Prepare to ask for the key `name`.

        Args:
            place: the folder.
            name: which key.
            claimant: this process.
            run: id of the run.
            holder: what the key is to serve, such as a model: tickets of one run and holder share the key. A
                job that shares with none has a holder of its own.
            job: for people.
            most: how many holders may have the key at once.
        """
        self._place = place
        self._claimant = claimant
        self._file = LeaseFile(place, name)
        self._run, self._holder, self._job = short(run), short(holder), short(job)
        self._most = most
        self._ticket_id = 0
        self._renewed_ns = 0
        self.token: int | None = None
        """Number of our grant while we have the key; every grant has a higher one than those before."""
        self.before_us: int | None = None
        """How many others wait before us, as of the last `poll`."""

    def request(self, now_ns: int) -> bool:
        """Ask for the key, at the end of the queue, and return whether we have it at once.

        Raises:
            ShareError: if the files cannot be used.
        """
        if self._ticket_id:
            raise RuntimeError("the key is asked for already")
        self._ticket_id = 1 + secrets.randbits(62)
        return self.poll(now_ns)

    def poll(self, now_ns: int) -> bool:
        """Ask again, about every second, and return whether we have the key.

        Raises:
            ShareError: if the files can no longer be used.
        """
        if not self._ticket_id:
            return False
        if self.token is not None:
            return self.renew(now_ns)
        self._claimant.keep(now_ns)
        with self._file.locked(now_ns) as locked:
            if not locked:
                return False
            found = self._file.read(now_ns)
            table = without_void(found, now_ns, self._lives)
            mine = table.find(self._ticket_id) or self._new_ticket(now_ns)
            if now_ns - mine.asked_ns >= _STAMP_NS:
                mine = msgspec.structs.replace(mine, asked_ns=now_ns)
            table = with_ticket(table, mine)
            self.before_us = ahead(table, mine, now_ns)
            granted = may_have(table, mine, self._most, now_ns)
            if granted:
                table = _grant(table, mine, now_ns)
            written = table == found or self._file.write(table)
            if granted and written:
                self.token = found.next_token
                self._renewed_ns = now_ns
        return granted and written

    def renew(self, now_ns: int) -> bool:
        """Say that we still use the key; call it every second or so. It writes only every 10 s.

        Returns:
            Whether the key is still ours. False: stop sending; it may be asked for anew by `request`.

        Raises:
            ShareError: if the files can no longer be used.
        """
        if self.token is None:
            return False
        if now_ns - self._renewed_ns < RENEW_NS:
            return True
        self._claimant.keep(now_ns)
        with self._file.locked(now_ns) as locked:
            if not locked:
                return self.is_ours(now_ns)
            table = self._file.read(now_ns)
            mine = table.find(self._ticket_id)
            if mine is None or mine.token != self.token:
                self._forget()
                return False
            if self._file.write(with_ticket(table, msgspec.structs.replace(mine, asked_ns=now_ns))):
                self._renewed_ns = now_ns
        return self.is_ours(now_ns)

    def is_ours(self, now_ns: int) -> bool:
        """Whether the key may be used right now; looks at no file, so it can be asked before every request."""
        return self.token is not None and now_ns < self._renewed_ns + TTL_NS - _MARGIN_NS

    def release(self, now_ns: int) -> bool:
        """Give the key back, or leave the queue.

        Returns:
            False if that could not be written down; others then wait until the ticket is void by itself.

        Raises:
            ShareError: if the files can no longer be used.
        """
        if not self._ticket_id:
            return True
        with self._file.locked(now_ns) as locked:
            if locked:
                table = self._file.read(now_ns)
                if table.find(self._ticket_id) is not None:
                    self._file.write(without_ticket(table, self._ticket_id))
        self._forget()
        return locked

    def holders(self, now_ns: int) -> list[Ticket]:
        """Return who has the key, for people to see."""
        return self._valid(now_ns).granted()

    def waiting(self, now_ns: int) -> list[Ticket]:
        """Return who waits for the key, first come first."""
        return [ticket for ticket in self._valid(now_ns).tickets if ticket.token is None]

    def close(self) -> None:
        """Let go of the files; a ticket that was not released is void with its time, or our process."""
        self._file.close()

    def _valid(self, now_ns: int) -> LeaseTable:
        return without_void(self._file.read(now_ns), now_ns, self._lives)

    def _lives(self, claimant: int) -> bool:
        return claimant == self._claimant.id or lives(self._place, claimant)

    def _forget(self) -> None:
        self._ticket_id = 0
        self.token = None
        self.before_us = None

    def _new_ticket(self, now_ns: int) -> Ticket:
        return Ticket(
            id=self._ticket_id,
            claimant=self._claimant.id,
            pid=os.getpid(),
            run=self._run,
            holder=self._holder,
            job=self._job,
            since_ns=now_ns,
            asked_ns=now_ns,
        )


def _grant(table: LeaseTable, mine: Ticket, now_ns: int) -> LeaseTable:
    token = table.next_token
    changed = msgspec.structs.replace(mine, token=token, since_ns=now_ns, asked_ns=now_ns)
    return msgspec.structs.replace(with_ticket(table, changed), next_token=token + 1)
