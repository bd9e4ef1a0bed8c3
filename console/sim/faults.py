"""Which requests fail: drawn from the conversation and how often it was sent, not from the order of arrival."""

from __future__ import annotations

import random

import msgspec

from console.vocabulary.simulated import SimBehaviour

REMEMBERED = 200_000
"""Conversations whose sendings are counted; beyond, the oldest starts again at its first."""


class Fault(msgspec.Struct, frozen=True):
    """What goes wrong with one request."""

    error: bool = False
    """It is answered 500."""
    cut_at: float | None = None
    """The stream is cut at this share of its tokens."""


NO_FAULT = Fault()


class Faults:
    """Draws the fault of each sending, so that a retry of the same conversation has a new chance."""

    def __init__(self, behaviour: SimBehaviour) -> None:
        """Draw at the rates of `behaviour`."""
        self._error_rate = behaviour.error_rate
        self._cut_rate = behaviour.cut_rate
        self._sendings: dict[bytes, int] = {}

    def draw(self, digest: bytes) -> Fault:
        """Return the fault of the next sending of the conversation that `digest` stands for."""
        if not self._error_rate and not self._cut_rate:
            return NO_FAULT
        sending = self._sendings.pop(digest, 0) + 1
        self._sendings[digest] = sending
        if len(self._sendings) > REMEMBERED:
            del self._sendings[next(iter(self._sendings))]
        draw = random.Random(b"fault" + digest + sending.to_bytes(8, "big"))
        error = draw.random() < self._error_rate
        cut = draw.random() < self._cut_rate
        return Fault(error=error, cut_at=draw.random() if cut else None)
