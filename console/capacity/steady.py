"""The steady window of a level."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.vocabulary.rows import RequestRow


class Window(msgspec.Struct, frozen=True):
    """The part of a level that is measured; times since the run's start."""

    from_ns: int
    to_ns: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.to_ns - self.from_ns) / 1e9


class NotSteady(msgspec.Struct, frozen=True):
    """There is no steady window, or none yet."""

    reason: str
    whole: Window
    """What may be measured all the same, to be shown as INVALID."""


def steady_window(
    rows: Sequence[RequestRow],
    begun_ns: int,
    until_ns: int,
    *,
    concurrency: int | None,
    settled_after_ns: int = 0,
) -> Window | NotSteady:
    """Return the steady part of a level.

    Args:
        rows: of the whole level, in any order.
        begun_ns: when it began to send.
        until_ns: when it ceased to send; while it goes on, now.
        concurrency: loops of a closed loop; None: open loop.
        settled_after_ns: the window begins no sooner than so long after `begun_ns` (the ramp-in).
    """
    return Window(begun_ns + settled_after_ns, until_ns)
