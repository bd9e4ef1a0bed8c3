"""The server's own truth: counts and peaks, and where asked for every arrival and every chunk sent."""

from __future__ import annotations

from collections import deque

import msgspec

from console.sim.provider import SimulatedProvider

KEPT = 200_000
"""Arrivals, and answers, that a log holds; beyond, the oldest go."""


class ScopeStats(msgspec.Struct, frozen=True):
    """One key or deployment."""

    requests: int
    in_flight: int
    peak: int
    """Most requests in flight at once, those waiting for a slot included."""
    peak_serving: int | None = None
    peak_waiting: int | None = None


class ProviderStats(msgspec.Struct, frozen=True):
    """One provider since it was started."""

    in_flight: int
    peak: int
    outcomes: dict[str, int]
    """Ended requests by `ok`, `cut`, `cancelled` or the reason of refusal."""
    tokens_sent: int
    keys: dict[str, ScopeStats]
    """By fingerprint of the key; `-`: none was sent."""
    deployments: dict[str, ScopeStats]

    @property
    def requests(self) -> int:
        """Requests that reached the provider and ended."""
        return sum(self.outcomes.values())


class ServerStats(msgspec.Struct, frozen=True):
    """The whole server."""

    providers: dict[str, ProviderStats]
    connections: int
    connections_made: int
    refused: int
    """Requests that reached no provider: bad path, method, size or JSON."""


class Arrival(msgspec.Struct, frozen=True):
    """One request as it came."""

    at_ns: int
    """Monotonic, when its last byte had been read."""
    provider: str
    deployment: str
    key: str
    status: int
    request_id: str


class Delivery(msgspec.Struct, frozen=True):
    """One answer as it was sent."""

    request_id: str
    served_ns: int
    """When it got its slot."""
    sent_ns: tuple[int, ...]
    """When each token was handed to the socket; one time for an answer that is not streamed."""
    ended: str
    """`ok`, `cut` or `cancelled`."""


class Log:
    """Arrivals and answers, oldest first, bounded."""

    def __init__(self) -> None:
        """Start empty."""
        self.arrivals: deque[Arrival] = deque(maxlen=KEPT)
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)

    def to_json(self) -> bytes:
        """Return `{"arrivals": […], "deliveries": […]}`."""
        return msgspec.json.encode({"arrivals": list(self.arrivals), "deliveries": list(self.deliveries)})


def provider_stats(provider: SimulatedProvider) -> ProviderStats:
    """Return the counts of `provider` now."""
    return ProviderStats(
        in_flight=provider.in_flight,
        peak=provider.peak,
        outcomes=dict(provider.outcomes),
        tokens_sent=provider.tokens_sent,
        keys={name: ScopeStats(key.requests, key.in_flight, key.peak) for name, key in provider.keys.items()},
        deployments={
            name: ScopeStats(
                deployment.requests,
                deployment.in_flight,
                deployment.peak,
                deployment.peak_serving,
                deployment.peak_waiting,
            )
            for name, deployment in provider.deployments.items()
        },
    )
