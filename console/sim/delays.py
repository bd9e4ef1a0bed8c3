"""Delays that belong to a request: drawn from what it asks, not from who came before it."""

from __future__ import annotations

import random

from console.sim.faults import REMEMBERED


class RequestDelays:
    """Gives every sending of a conversation a source of delays of its own, the same in every rehearsal."""

    def __init__(self, seed: int) -> None:
        """Draw from `seed`."""
        self._seed = str(seed).encode()
        self._sendings: dict[tuple[str, bytes], int] = {}

    def of(self, deployment: str, digest: bytes) -> random.Random:
        """Return the source for the next sending to `deployment` of the conversation that `digest` stands for."""
        sent = (deployment, digest)
        sending = self._sendings.pop(sent, 0) + 1
        self._sendings[sent] = sending
        if len(self._sendings) > REMEMBERED:
            del self._sendings[next(iter(self._sendings))]
        return random.Random(b"/".join((self._seed, deployment.encode(), digest, sending.to_bytes(8, "big"))))
