"""What one window of load came to, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Seen:
    """One answer as the client saw it; times of `time.perf_counter_ns`."""

    number: int
    """The server's number of the request."""
    sent_ns: int
    chunk_ns: list[int]
    """When each content chunk was read."""


@dataclass
class Sample:
    """One window."""

    requests: int
    seconds: float
    cpu_s: float
    others: float = 0.0
    """Share of the client's core that other processes took: it makes requests fewer and times longer."""
    reads: int = 0
    """Socket reads, where they are counted."""
    seen: list[Seen] = field(default_factory=list)

    @property
    def us_per_request(self) -> float:
        return self.cpu_s / self.requests * 1e6

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def share(self) -> float:
        """Of a core."""
        return self.cpu_s / self.seconds


class WrongAnswer(RuntimeError):  # noqa: N818 - says what it is
    """A request failed or its answer was not what the server sent: the figures would be of something else."""
