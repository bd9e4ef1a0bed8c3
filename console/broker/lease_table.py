"""Who has a key and who waits for it: the values of a lease, its rules, and the file they are in.

The rules are pure functions of a table and a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import msgspec

from console.broker.place import Place
from console.broker.shared_file import PAYLOAD, SharedFile

TTL_NS: Final = 30_000_000_000
PASSED_OVER_NS: Final = 5_000_000_000
"""Who waits and has not asked for so long keeps its place, but the key does not wait for it."""
_POINTER: Final = PAYLOAD
_CLOSED_UNTIL: Final = PAYLOAD + 1
_FIRST_ROOM: Final = PAYLOAD + 8
_ROOM_WORDS: Final = 8192
"""64 KiB: some 200 tickets."""
_TRIES: Final = 3
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
    """The table of one key, in a mapped file with room for two: the new one is written beside the old one.

    One word says which of them counts, how long it is, and what its CRC-32 is. It is the last thing to be written,
    so a process killed at any moment leaves the old table or the new one.
    """

    def __init__(self, place: Place, name: str) -> None:
        """Open it.

        Raises:
            ShareError: if the file cannot be used.
        """
        self._place = place
        self._now_ns = 0
        self._opened = False
        self._file = SharedFile(place, "lease", name, _FIRST_ROOM + 2 * _ROOM_WORDS - PAYLOAD, self._begin)

    @contextmanager
    def locked(self, now_ns: int) -> Generator[bool]:
        """Hold the lock; False: it was not to be had at once.

        Raises:
            ShareError: if the file can no longer be used.
        """
        self._now_ns = now_ns
        held = self._file.lock(now_ns)
        self._opened = self._opened or held
        try:
            yield held
        finally:
            if held:
                self._file.unlock()

    def read(self, now_ns: int) -> LeaseTable:
        """Return the table. One that was spoilt counts as empty, and closed until all its leases are over."""
        words = self._file.words
        for _ in range(_TRIES):  # without the lock, a table may be written over while it is read
            pointer = words[_POINTER]
            if not pointer:
                return self._empty(now_ns, words[_CLOSED_UNTIL])
            room, length, crc = _split(pointer)
            start = _room_at(room)
            data = bytes(self._file.octets[start : start + length])
            if zlib.crc32(data) == crc:
                try:
                    return msgspec.json.decode(data, type=LeaseTable)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    break
        return self._empty(now_ns, now_ns + TTL_NS)

    def write(self, table: LeaseTable) -> bool:
        """Replace the table; to be called under the lock. False: there is no room for so long a queue."""
        data = msgspec.json.encode(table)
        if len(data) > _ROOM_WORDS * 8:
            return False
        words = self._file.words
        room = 1 - _split(words[_POINTER])[0]
        start = _room_at(room)
        self._file.octets[start : start + len(data)] = data
        words[_POINTER] = room << 56 | len(data) << 32 | zlib.crc32(data)
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _begin(self, spoilt: bool) -> None:
        """Note in a blank file until when leases may be in use that were in it, or in one that was taken away."""
        if spoilt or self._opened:
            self._file.words[_CLOSED_UNTIL] = self._now_ns + TTL_NS

    def _empty(self, now_ns: int, closed_until_ns: int) -> LeaseTable:
        # Tokens are counted from the clock: higher than any before, as no grant takes less than a nanosecond.
        return LeaseTable(next_token=max(1, now_ns), closed_until_ns=closed_until_ns)


def _room_at(room: int) -> int:
    return (_FIRST_ROOM + room * _ROOM_WORDS) * 8


def _split(pointer: int) -> tuple[int, int, int]:
    """Return the room, the length and the CRC-32 that a pointer tells."""
    return pointer >> 56 & 1, pointer >> 32 & 0xFF_FFFF, pointer & 0xFFFF_FFFF
