"""Which lane a control key is meant for, while the cursor goes by itself where work is done. Pure."""

from __future__ import annotations

from typing import Final

from console.screens.live.lanes import Place

MOVED_S: Final = 1.0
"""How long after the cursor has moved by itself a key is taken to be meant for the lane before."""


class Aim:
    """Keeps the cursor where a key was used, and knows whether it had just moved by itself."""

    def __init__(self) -> None:
        self.pinned = False
        """Whether it stays since a key was used."""
        self._left: Place | None = None
        self._moved_at_s = 0.0

    def moved(self, before: Place | None, after: Place | None, now_s: float) -> None:
        """Take in where the cursor stood before the newest picture, and where it stands."""
        if before is not None and before != after:
            self._left, self._moved_at_s = before, now_s

    def take(self, now_s: float, *, follows: bool) -> Place | None:
        """Pin the cursor; return the lane that it left by itself a moment ago, once."""
        left, self._left = self._left, None
        self.pinned = self.pinned or follows
        return left if follows and now_s - self._moved_at_s < MOVED_S else None
