"""Who has a key and who waits for it: the values of a lease, its rules, and the file they are in.

The rules are pure functions of a table and a time. The file is replaced as a whole, under a lock file beside it, so
it is the old one or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import msgspec

from console.broker.place import Place
from console.broker.shared_file import PAYLOAD, SharedFile
from console.broker.unusable import ShareError

TTL_NS: Final = 30_000_000_000
PASSED_OVER_NS: Final = 5_000_000_000
"""Who waits and has not asked for so long keeps its place, but the key does not wait for it."""
_MOST_BYTES: Final = 1_000_000
_MOST_TEXT: Final = 200


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a key. Without a token it waits."""

    id: int
    claimant: int
    pid: int
    run: str
    holder: str
    """What the key serves, such as a model. Tickets of one run and holder share the key."""
    job: str
    since_ns: int
    """When it was asked for; from the grant on, when it was granted."""
    asked_ns: int
    """When its owner last came: asked, or renewed."""
    token: int | None = None
    """Number of the grant: a later grant of the same key has a higher one."""

    @property
    def expires_ns(self) -> int:
        """When it is void unless its owner comes again."""
        return self.asked_ns + TTL_NS

    @property
    def party(self) -> tuple[str, str]:
        """Who it is for: one party is served as one."""
        return self.run, self.holder


class LeaseTable(msgspec.Struct, frozen=True, kw_only=True):
    """All tickets of a key, in the order in which they were asked for."""

    boot: str
    next_token: int
    closed_until_ns: int = 0
    """No grants before: an earlier table was spoilt, and its leases may be in use until then."""
    tickets: tuple[Ticket, ...] = ()

    def granted(self) -> list[Ticket]:
        """Return the tickets that have the key."""
        return [ticket for ticket in self.tickets if ticket.token is not None]

    def find(self, ticket_id: int) -> Ticket | None:
        """Return a ticket by its id."""
        return next((ticket for ticket in self.tickets if ticket.id == ticket_id), None)


def without_void(table: LeaseTable, now_ns: int, alive: Callable[[int], bool]) -> LeaseTable:
    """Drop tickets whose time is over or whose claimant is dead."""
    kept = tuple(ticket for ticket in table.tickets if ticket.expires_ns > now_ns and alive(ticket.claimant))
    return table if len(kept) == len(table.tickets) else msgspec.structs.replace(table, tickets=kept)


def ahead(table: LeaseTable, mine: Ticket, now_ns: int) -> int:
    """Return how many other parties wait before this ticket and still come to ask."""
    before: set[tuple[str, str]] = set()
    for ticket in table.tickets:
        if ticket.id == mine.id:
            break
        fresh = now_ns - ticket.asked_ns <= PASSED_OVER_NS
        if ticket.token is None and ticket.party != mine.party and fresh:
            before.add(ticket.party)
    return len(before)


def may_have(table: LeaseTable, mine: Ticket, most: int, now_ns: int) -> bool:
    """Whether it is this ticket's turn: first come, first served, by party; one that holds the key may join itself.

    Also who may join waits behind those who came before it, else a model with ever new jobs would keep the key.
    """
    if now_ns < table.closed_until_ns:
        return False
    parties = {ticket.party for ticket in table.granted()}
    waiting = ahead(table, mine, now_ns)
    if mine.party in parties:
        return waiting == 0
    return len(parties) + waiting < most


def with_ticket(table: LeaseTable, changed: Ticket) -> LeaseTable:
    """Put a changed ticket in its old place, or a new one at the end."""
    if table.find(changed.id) is None:
        return msgspec.structs.replace(table, tickets=(*table.tickets, changed))
    tickets = tuple(changed if ticket.id == changed.id else ticket for ticket in table.tickets)
    return msgspec.structs.replace(table, tickets=tickets)


def without_ticket(table: LeaseTable, ticket_id: int) -> LeaseTable:
    """Take a ticket out."""
    tickets = tuple(ticket for ticket in table.tickets if ticket.id != ticket_id)
    return msgspec.structs.replace(table, tickets=tickets)


def short(text: str) -> str:
    """Return as much of a text as goes into a ticket."""
    return text[:_MOST_TEXT]


class LeaseFile:
    """The table of one key on disk."""

    def __init__(self, place: Place, name: str) -> None:
        """Open its lock.

        Raises:
            ShareError: if the file cannot be used.
        """
        self._place = place
        self._lock = SharedFile(place, "lease", name, 8, lambda _spoilt: None)
        self._path = place.folder / place.file_name("queue", name)

    @contextmanager
    def locked(self, now_ns: int) -> Generator[bool]:
        """Hold the lock; False: it was not to be had at once.

        Raises:
            ShareError: if the file can no longer be used.
        """
        held = self._lock.lock(now_ns)
        try:
            yield held
        finally:
            if held:
                self._lock.unlock()

    def read(self, now_ns: int) -> LeaseTable:
        """Return the table. One that is spoilt or lost counts as empty, and closed until all its leases are over.

        Raises:
            ShareError: if it cannot be read.
        """
        data = self._data()
        begun = self._lock.words[PAYLOAD] != 0
        if data is not None:
            try:
                table = msgspec.json.decode(data, type=LeaseTable)
            except (msgspec.DecodeError, UnicodeDecodeError):
                begun = True
            else:
                if table.boot == self._place.boot:
                    return table
                begun = False
        # Tokens are counted from the clock: higher than any before, as no grant takes less than a nanosecond.
        closed_until_ns = now_ns + TTL_NS if begun else 0
        return LeaseTable(boot=self._place.boot, next_token=now_ns, closed_until_ns=closed_until_ns)

    def write(self, table: LeaseTable) -> None:
        """Replace the table; to be called under the lock.

        Raises:
            ShareError: if it cannot be written; the old one is still there.
        """
        made = self._path.with_suffix(".new")
        try:
            made.unlink(missing_ok=True)
            fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, msgspec.json.encode(table))
            finally:
                os.close(fd)
            os.replace(made, self._path)
        except OSError as error:
            raise ShareError(f"cannot be written: {error.strerror}", where=str(self._path)) from None
        self._lock.words[PAYLOAD] = 1

    def close(self) -> None:
        """Let go of the lock file."""
        self._lock.close()

    def _data(self) -> bytes | None:
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ShareError(f"cannot be read: {error.strerror}", where=str(self._path)) from None
        try:
            if os.fstat(fd).st_uid != os.geteuid():
                raise ShareError("is not yours", where=str(self._path), hint="remove it")
            return os.read(fd, _MOST_BYTES)
        except OSError as error:
            raise ShareError(f"cannot be read: {error.strerror}", where=str(self._path)) from None
        finally:
            os.close(fd)
