"""What an engine needs of that which runs on one machine share: limits beyond its own gates, and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from console.engine.lender import Keys
from console.engine.passing import Beyond
from console.vocabulary.lane import Scope


class Sharing(Keys, Protocol):
    """What this run shares with the others."""

    def beyond(self, lane_id: str) -> Beyond | None:
        """Return what requests of a lane pass besides the gates of this run; None: nothing."""
        ...

    def shares(self, scope: Scope) -> bool:
        """Whether other runs count on this run's limit of a scope."""
        ...

    def claim(self, scope: Scope, *, workers: int | None, qps: float | None) -> None:
        """Take note of other limits of a scope: what is shared of it follows them as far as that is right."""
        ...

    def tell(self, told: Callable[[str], None]) -> None:
        """Let it be told when limits can no longer be shared."""
        ...
