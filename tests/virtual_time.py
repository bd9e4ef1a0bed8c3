"""What rigs on trio's mock clock share: its time as the engine reads it, and a journal in memory."""

from __future__ import annotations

import trio

from console.vocabulary.rows import RequestRow, Row, TestRow


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


class MemoryJournal:
    """Keeps rows; refuses them while `blocked` says so, as a full disk does."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.pending: list[Row] = []
        self.blocked = False

    def hold(self, row: Row) -> None:
        self.pending.append(row)

    def flush(self) -> None:
        from console.records.journal import JournalBlocked

        if self.blocked:
            raise JournalBlocked(OSError(28, "No space left on device"), 1, 1)
        self.rows += self.pending
        self.pending.clear()

    def of(self, kind):
        return [row for row in self.rows if isinstance(row, kind)]

    @property
    def tests(self) -> list[TestRow]:
        return self.of(TestRow)

    @property
    def requests(self) -> list[RequestRow]:
        return self.of(RequestRow)
