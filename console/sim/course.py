"""The course of one streamed answer, worked out ahead: when its tokens come, and which deadline ends it."""

from __future__ import annotations

from collections.abc import Iterable

from console.vocabulary.outcome import Outcome


class Course:
    """Tokens of an answer whose first one comes in time. All times in ns of the client's clock."""

    def __init__(self, first_ns: int, tokens: int, idle_ns: int, total_ns: int) -> None:
        """Begin with the first token.

        Args:
            first_ns: when it comes.
            tokens: how many are to come, at least one.
            idle_ns: longest gap that the client waits for.
            total_ns: when the client gives up in any case.
        """
        self.first_ns = first_ns
        self.received = 1
        """Tokens that come before it ends."""
        self.last_ns = first_ns
        """When the last of them comes."""
        self.due_ns = first_ns
        """When the next thing is due that the client waits for: the last token, or one that comes too late."""
        self.late = Outcome.TIMEOUT_IDLE
        """What the client says if that is after `deadline_ns`."""
        self.deadline_ns = first_ns
        self._tokens = tokens
        self._idle_ns = idle_ns
        self._total_ns = total_ns
        self._gap_ns: int | None = None
        self._times: list[int] = [first_ns]

    def run(self, gaps_ns: Iterable[int]) -> None:
        """Let token after token come, each after its own gap, until one is late."""
        for gap_ns in gaps_ns:
            if not self._next(gap_ns):
                return
            self._times.append(self.last_ns)

    def run_evenly(self, gap_ns: int) -> None:
        """Do the same with one gap for all, at once."""
        self._gap_ns = gap_ns
        if gap_ns <= 0:
            in_time = self._tokens
        elif gap_ns > self._idle_ns:
            in_time = 1
        else:
            in_time = min(self._tokens, 1 + max(0, self._total_ns - self.first_ns) // gap_ns)
        self.received = in_time
        self.last_ns = self.due_ns = self.deadline_ns = self.first_ns + (in_time - 1) * gap_ns
        if in_time < self._tokens:
            self._next(gap_ns)

    def time_of(self, token: int) -> int:
        """Return when the token of this index came."""
        return self._times[token] if self._gap_ns is None else self.first_ns + token * self._gap_ns

    def _next(self, gap_ns: int) -> bool:
        """Take in the next token, if it is not late."""
        idle_ns = self.last_ns + self._idle_ns
        self.due_ns = self.last_ns + gap_ns
        self.late = Outcome.TIMEOUT_IDLE if idle_ns < self._total_ns else Outcome.TIMEOUT_TOTAL
        self.deadline_ns = min(idle_ns, self._total_ns)
        if self.due_ns > self.deadline_ns:
            return False
        self.received += 1
        self.last_ns = self.deadline_ns = self.due_ns
        return True
