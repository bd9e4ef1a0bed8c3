"""How long to wait before a request is tried again, and when trying is pointless."""

from __future__ import annotations

import random
from typing import Final

from console.vocabulary.chat import ChatResult
from console.vocabulary.outcome import Outcome

LONGEST_HINT_S: Final = 120.0
"""A server that asks for a longer wait has no room for us at all (Azure has been seen to say 86400): the lane is
switched off."""
_LONGEST_S: Final = 20.0


def backoff_s(result: ChatResult, try_no: int, rng: random.Random) -> float:
    """Return the wait before the next try.

    The server's own hint, stretched by up to a quarter so that waiters do not come back together; without one,
    full jitter over 0.5 s doubled with every try, at most 20 s.
    """
    if result.retry_after_s is not None:
        return result.retry_after_s * rng.uniform(1.0, 1.25)
    return rng.uniform(0.0, min(_LONGEST_S, 0.5 * 2.0**try_no))


def lane_off_reason(result: ChatResult) -> str | None:
    """Say why the lane that gave this answer has to be switched off, or None."""
    if result.outcome is Outcome.AUTH:
        return f"key refused ({result.status or result.error_code or 'auth'})"
    if result.error_code == "insufficient_quota":
        return "quota used up (insufficient_quota)"
    if result.retry_after_s is not None and result.retry_after_s > LONGEST_HINT_S:
        return f"server asks to wait {result.retry_after_s:.0f} s"
    return None
