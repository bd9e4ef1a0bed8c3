"""The journal of a rehearsal: rows are counted and forgotten, and what load curves need is kept as plain numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

from console.vocabulary.lane import Lane
from console.vocabulary.outcome import TERMINAL, Outcome, Verdict
from console.vocabulary.rows import EventRow, RequestRow, Row, RunEnded, TestRow
from console.vocabulary.trace import TraceRow


class LaneBook:
    """What happened on one lane. Times in ns since the start."""

    __slots__ = ("outcomes", "request_ends", "request_starts", "test_ends", "test_starts")

    def __init__(self) -> None:
        self.request_starts = array("q")
        self.request_ends = array("q")
        self.test_starts = array("q")
        self.test_ends = array("q")
        self.outcomes: dict[Outcome, int] = {}


class Held:
    """A key in the hands of a job. Times in ns since the start; `end_ns` None: it has it still."""

    __slots__ = ("end_ns", "job", "key", "start_ns")

    def __init__(self, job: str, key: str, start_ns: int) -> None:
        self.job = job
        self.key = key
        self.start_ns = start_ns
        self.end_ns: int | None = None


class Ledger:
    """Takes the rows of an engine. `written` is called after each write, with nothing of it kept."""

    def __init__(self, lanes: Iterable[Lane], written: Callable[[Ledger], None] | None = None) -> None:
        """Keep books of `lanes`."""
        self.lanes = {lane: LaneBook() for lane in lanes}
        self.verdicts: dict[Verdict, int] = {}
        """Of tests that are done."""
        self.unanswered: set[str] = set()
        """Tests whose last attempt brought no complete answer."""
        self.service_ns = 0
        self.limiter_wait_ns = 0
        self.held_ns = 0
        self.retry_wait_ns = 0
        self.job_starts: dict[str, int] = {}
        self.job_ends: dict[str, int] = {}
        self.leases: list[Held] = []
        """In the order of time."""
        self._holding: dict[str, Held] = {}
        """By job."""
        self.ended: RunEnded | None = None
        self.now_ns = 0
        """The latest time that any row tells of."""
        self._held: list[Row] = []
        self._written = written

    @property
    def done(self) -> int:
        """Tests with an answer."""
        return sum(self.verdicts.values())

    def hold(self, row: Row | TraceRow) -> None:
        """Keep a row for the next `flush`; of what is said a rehearsal keeps nothing."""
        if not isinstance(row, TraceRow):
            self._held.append(row)

    def flush(self) -> None:
        """Enter what is kept."""
        rows, self._held = self._held, []
        for row in rows:
            if isinstance(row, RequestRow):
                self._request(row)
            elif isinstance(row, TestRow):
                self._test(row)
            elif isinstance(row, EventRow):
                self._event(row)
            elif isinstance(row, RunEnded):
                self.ended = row
                self.now_ns = row.at_ns
        if self._written is not None:
            self._written(self)

    def _request(self, row: RequestRow) -> None:
        book = self.lanes[row.lane]
        end_ns = row.at_ns + (row.total_ns or 0)
        book.request_starts.append(row.at_ns)
        book.request_ends.append(end_ns)
        outcome = row.outcome
        book.outcomes[outcome] = book.outcomes.get(outcome, 0) + 1
        self.limiter_wait_ns += row.limiter_wait_ns
        self.held_ns += row.held_ns
        self.retry_wait_ns += row.retry_wait_ns
        if outcome is Outcome.OK and row.latency_ns is not None:
            self.service_ns += row.latency_ns
        self.now_ns = max(self.now_ns, end_ns)

    def _test(self, row: TestRow) -> None:
        book = self.lanes[row.lane]
        book.test_starts.append(row.at_ns)
        book.test_ends.append(row.at_ns + row.duration_ns)
        verdict = row.verdict
        if verdict in TERMINAL:
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
            self.unanswered.discard(row.test)
        elif verdict is Verdict.INFRASTRUCTURE:
            self.unanswered.add(row.test)

    def _event(self, row: EventRow) -> None:
        if row.kind in ("job_started", "lease", "job_done"):
            self._lease(row)
        if row.kind == "job_started":
            self.job_starts.setdefault(row.subject, row.at_ns)
        elif row.kind == "job_done":
            self.job_ends[row.subject] = row.at_ns
        self.now_ns = max(self.now_ns, row.at_ns)

    def _lease(self, row: EventRow) -> None:
        """Note that a job holds a key from now on, or none any more."""
        before = self._holding.pop(row.subject, None)
        if before is not None:
            before.end_ns = row.at_ns
        if row.key:
            held = self._holding[row.subject] = Held(row.subject, row.key, row.at_ns)
            self.leases.append(held)
