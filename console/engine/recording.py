"""Rows on their way to the journal: nothing counts before it is written, and a full disk pauses the run.

Rows of requests and tests that end in the same turn of the event loop are written with one write: the first of them
that goes on writes for all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import anyio
from anyio.lowlevel import cancel_shielded_checkpoint

from console.engine.adaptive.change import Change, change_text
from console.engine.gates import NS_PER_S, NowNs
from console.engine.valve import Valve
from console.records.journal import JournalBlocked
from console.vocabulary.lane import Lane
from console.vocabulary.rows import EventRow, LimitRow, Row
from console.vocabulary.safe_text import safe_line
from console.vocabulary.snapshot import EventView
from console.vocabulary.trace import TraceRow

_RETRY_S: Final = 1.0
EVENTS_SHOWN: Final = 100


class RowWriter(Protocol):
    """What the recorder needs of a journal."""

    def hold(self, row: Row | TraceRow) -> None:
        """Keep a row for the next `flush`."""
        ...

    def flush(self) -> None:
        """Write what is kept, traces first; raises JournalBlocked if the disk still does not take it."""
        ...


class Recorder:
    """Writes rows, and tells `observe` of each one once it is written (law 4)."""

    def __init__(
        self,
        journal: RowWriter,
        *,
        now_ns: NowNs,
        start_ns: int,
        valve: Valve,
        observe: Callable[[Row], None],
        events: deque[EventView] | None = None,
    ) -> None:
        """Write into `journal`; `events` is where events are shown, if others show theirs there as well."""
        self._journal = journal
        self._now_ns = now_ns
        self.start_ns = start_ns
        self._valve = valve
        self._observe = observe
        self.blocked = ""
        """Why the disk takes no rows; empty: it does."""
        self._unwritten: list[Row] = []
        """Rows that the journal holds, which nobody has been told of."""
        self._written: anyio.Event | None = None
        """Set once they are written; only there where somebody waits for it."""
        self._turns = 0
        """Writes that took all that was held."""
        self._trouble = anyio.Event()
        self.events: deque[EventView] = deque(maxlen=EVENTS_SHOWN) if events is None else events

    def since_start(self, at_ns: int) -> int:
        """Return a time of the monotonic clock as rows bear it."""
        return at_ns - self.start_ns

    async def write(self, row: Row, trace: TraceRow | None = None) -> None:
        """Return when `row` is written, and `trace` before it, however long the disk takes to have room for them."""
        self._hold(row, trace)
        turn = self._turns
        # Others join; who is cancelled here is told all the same that it is written.
        await cancel_shielded_checkpoint()
        if self._turns > turn or self._flush():
            return
        if self._written is None:
            self._written = anyio.Event()
        await self._written.wait()

    def write_now(self, row: Row, trace: TraceRow | None = None) -> bool:
        """Write `row` without waiting; False if the disk does not take it, in which case it is kept and tried again."""
        self._hold(row, trace)
        return self._flush()

    def _hold(self, row: Row, trace: TraceRow | None) -> None:
        if trace is not None:
            self._journal.hold(trace)
        self._journal.hold(row)
        self._unwritten.append(row)

    def event(self, level: str, kind: str, subject: str, text: str, *, key: str = "") -> None:
        """Record that something happened, and show it; `key` is the one that a job leases from now on."""
        at_ns = self.since_start(self._now_ns())
        self.show(at_ns, level, subject, text)
        self.write_now(EventRow(at_ns=at_ns, level=level, kind=kind, subject=subject, text=text, key=key))

    def limit(self, lane: Lane, change: Change) -> None:
        """Record that adaptive mode changed a limit, and show it."""
        at_ns = self.since_start(change.at_ns)
        level = "error" if change.what == "park" else "info"
        self.show(at_ns, level, lane.id, change_text(change))
        row = LimitRow(
            at_ns=at_ns,
            lane=lane,
            what=change.what,
            before=change.before,
            after=change.after,
            reason=change.reason,
        )
        self.write_now(row)

    def show(self, at_ns: int, level: str, subject: str, text: str) -> None:
        """Show an event without recording it."""
        self.events.append(
            EventView(
                at_s=at_ns / NS_PER_S, level=level, subject=safe_line(subject, 120), text=safe_line(text, 300)
            )
        )

    async def mend(self) -> None:
        """Try again every second while the disk takes no rows; runs as long as the engine."""
        while True:
            await self._trouble.wait()
            await anyio.sleep(_RETRY_S)
            self._flush()

    def _flush(self) -> bool:
        """Write what the journal holds, and tell of it."""
        try:
            self._journal.flush()
        except JournalBlocked as error:
            self._block(error)
            return False
        rows, self._unwritten = self._unwritten, []
        written, self._written = self._written, None
        self._turns += 1
        mended, self.blocked = bool(self.blocked), ""
        for row in rows:
            self._observe(row)
        if written is not None:
            written.set()
        if mended:
            self._trouble = anyio.Event()
            self._valve.open("disk")
            self.event("info", "disk_ok", "", "the disk takes rows again")
        return True

    def _block(self, error: JournalBlocked) -> None:
        if not self.blocked:
            at_ns = self.since_start(self._now_ns())
            self.show(
                at_ns, "error", "", f"the disk takes no rows: {error.strerror}; sending is held until it does"
            )
        self.blocked = error.strerror or str(error)
        self._valve.close("disk")
        self._trouble.set()
