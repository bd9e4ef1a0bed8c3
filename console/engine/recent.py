"""What happened on one lane lately: its last failures, and the last changes of its limits."""

from __future__ import annotations

from collections import deque
from typing import Final

from console.engine.adaptive.change import Change
from console.engine.gates import NS_PER_S
from console.vocabulary.inspection import Failed, LimitChange
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow
from console.vocabulary.safe_text import safe_line

FAILURES_KEPT: Final = 8
CHANGES_KEPT: Final = 20
"""Of each lane."""
_TEXT: Final = 300
_MOVED_FOR_NS: Final = 10 * NS_PER_S
_NAMES: Final = {"rate": "qps", "window": "window", "tokens": "tokens"}
"""Of what adaptive mode changes, as watchers are told; the rest are no limits."""
_QUIET: Final = frozenset({Outcome.OK, Outcome.CANCELLED})


class Recent:
    """Keeps a few rows as they are: what a watcher reads is made of them only when one asks."""

    def __init__(self) -> None:
        self.failed = 0
        """Requests that ended neither ok nor cancelled."""
        self._failures: deque[RequestRow] = deque(maxlen=FAILURES_KEPT)
        self._changes: deque[LimitChange] = deque(maxlen=CHANGES_KEPT)
        self._moved_ns: int | None = None
        self._direction = 0

    def ended(self, row: RequestRow) -> None:
        """Take in how a request ended whose row is written."""
        if row.outcome not in _QUIET:
            self.failed += 1
            self._failures.append(row)

    def moved(self, change: Change, at_s: float) -> None:
        """Take in what adaptive mode changed, `at_s` seconds after the start."""
        what = _NAMES.get(change.what)
        if what is None:
            return
        before, after = change.before, change.after
        self._changes.append(LimitChange(at_s=at_s, what=what, old=before, new=after, why=change.reason))
        self._moved_ns = change.at_ns
        self._direction = 1 if after is None or (before is not None and after > before) else -1

    def changed(self, change: LimitChange) -> None:
        """Take in what somebody changed by hand."""
        self._changes.append(change)

    def direction(self, now_ns: int) -> int:
        """Return where adaptive mode last moved a limit within ten seconds: 1 up, -1 down, 0 nowhere."""
        moved_ns = self._moved_ns
        return self._direction if moved_ns is not None and now_ns - moved_ns <= _MOVED_FOR_NS else 0

    @property
    def changes(self) -> tuple[LimitChange, ...]:
        """The last changes, newest last."""
        return tuple(self._changes)

    @property
    def failures(self) -> tuple[Failed, ...]:
        """The last failures, newest last."""
        return tuple(
            Failed(
                at_s=row.at_ns / NS_PER_S,
                outcome=str(row.outcome),
                status=row.status,
                text=safe_line(row.error or "", _TEXT),
                test=safe_line(row.test, _TEXT),
            )
            for row in self._failures
        )
