"""What a coordinator of engine processes is given by its host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from console.engine.board import Headline
from console.engine.gates import NowNs
from console.engine.recording import RowWriter
from console.vocabulary.chat import Endpoint


class Given(Protocol):
    """What a coordinator is given by its host."""

    @property
    def headline(self) -> Headline:
        """What snapshots say besides figures."""
        ...

    @property
    def journal(self) -> RowWriter:
        """Takes the coordinator's own rows: events and the end."""
        ...

    @property
    def now_ns(self) -> NowNs:
        """The monotonic clock."""
        ...

    @property
    def start_ns(self) -> int:
        """The time that rows count from."""
        ...

    @property
    def announce_segment(self) -> Callable[[str], None]:
        """Puts a segment of the journal into `run.toml`."""
        ...

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Lane id → where its requests go."""
        ...

    @property
    def wall(self) -> str:
        """Wall time of the run's start."""
        ...
