"""What is measured of a level, from its request rows alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.capacity.steady import Window
from console.vocabulary.level import LevelOutcome, Purpose
from console.vocabulary.rows import RequestRow


class LevelAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a level of a search was asked to do, and when it did."""

    number: int
    subject: str = ""
    purpose: Purpose
    concurrency: int
    """Loops of a closed loop; in open loop the most in flight."""
    rate: float | None = None
    """Requests due per second; None: closed loop."""
    goodput: tuple[tuple[str, float], ...] = ()
    """As `parse_goodput` returns them."""
    begun_ns: int
    """First sending of the level, since the run's start."""
    ended_ns: int
    """End of its cool-down; while it goes on, now."""
    prompt_tokens: int = 0
    """Estimate of one prompt, for what is spent where no usage is told."""


def measure(asked: LevelAsked, rows: Sequence[RequestRow], window: Window) -> LevelOutcome:
    """Measure a level in its window.

    Args:
        asked: the level.
        rows: of the whole level, warm-up and drain included.
        window: what counts.

    Returns:
        Everything but rules, validity and server.
    """
    raise NotImplementedError
