"""How often the console looks at a run, and how often it can draw what it saw. Pure but for one measure."""

from __future__ import annotations

from typing import Any, Final

INTERVALS_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
_SLOWER: Final = 1.5
"""The line is called slow where pictures come so many times later than they should."""


class Pace:
    """The interval that was chosen, and the one that the line allows."""

    def __init__(self, interval_s: float) -> None:
        """Look every `interval_s`."""
        self.interval_s = interval_s
        self._last_s: float | None = None
        self._real_s = interval_s
        self._skipped = False

    def slower(self) -> None:
        """Take the next longer interval, and the shortest after the longest."""
        longer = [interval for interval in INTERVALS_S if interval > self.interval_s]
        self.take(longer[0] if longer else INTERVALS_S[0])

    def take(self, interval_s: float) -> None:
        """Look every so many seconds from now on."""
        self.interval_s = self._real_s = interval_s

    def skipped(self) -> None:
        """Take note that a picture was due and the line had not taken the one before."""
        self._skipped = True

    def drew(self, now_s: float) -> None:
        """Take note that a picture was drawn."""
        if self._last_s is not None and self._skipped:
            self._real_s = (self._real_s + now_s - self._last_s) / 2
        else:
            self._real_s = (self._real_s + self.interval_s) / 2
        self._last_s, self._skipped = now_s, False

    @property
    def slow(self) -> bool:
        """Whether the line holds up the pictures."""
        return self._real_s > _SLOWER * self.interval_s

    @property
    def text(self) -> str:
        """What is said of it in the headline."""
        if self.slow:
            return f"line slow: every {max(1, round(self._real_s))} s"
        return f"every {self.interval_s:g} s"


def line_is_behind(app: Any) -> bool:
    """Return whether the terminal has not taken all that was drawn; false where that cannot be told.

    A driver of ours says it itself. Textual's own writer is private; a version that keeps it elsewhere loses this
    politeness and nothing else.
    """
    driver = getattr(app, "_driver", None)
    line = getattr(driver, "line", None)
    if line is not None:
        return bool(getattr(line, "busy", False))
    queue = getattr(getattr(driver, "_writer_thread", None), "_queue", None)
    size = getattr(queue, "qsize", None)
    return bool(size()) if callable(size) else False
