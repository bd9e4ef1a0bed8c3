"""What a search is to the engine that measures for it, and how it is to be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from console.capacity.answer import Answer
from console.capacity.steps import Step
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import LevelOutcome, RuleOutcome


class Search(Protocol):
    """Decides from the levels that are over; has no state, so that a search may go on after a crash."""

    @property
    def kind(self) -> Literal["ramp", "target", "seed004"]:
        """Which search it is."""
        ...

    @property
    def target_qps(self) -> float | None:
        """The rate to reach, where it looks for one."""
        ...

    def next_step(self, levels: Sequence[LevelOutcome]) -> Step:
        """Return what to measure next."""
        ...

    def stage(self, levels: Sequence[LevelOutcome], step: Step) -> str:
        """Say what it is doing."""
        ...

    def levels_left(self, levels: Sequence[LevelOutcome], step: Step) -> int | None:
        """Return about how many levels are to come; None while that cannot be said."""
        ...

    def ends(self, levels: Sequence[LevelOutcome]) -> tuple[int | None, int | None]:
        """Return the ends of the bracket, as the search calls them."""
        ...

    def judge(
        self, outcome: LevelOutcome, server: Mapping[str, float] | None, health: ClientHealth | None
    ) -> tuple[RuleOutcome, ...]:
        """Apply the rules of a level."""
        ...

    def answer(self, levels: Sequence[LevelOutcome], because: str = "") -> Answer:
        """Return what the levels say together; `because` is why a search ends that is not over."""
        ...


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long levels go on."""

    least_window_s: float = 5.0
    """A window is no shorter, whatever is decided before."""
    most_s: float = 60.0
    """A level ends after so long, decided or not."""
    scan_s: float = 20.0
    """A rung of the ladder whose rules look well within their limits ends after so long."""
    scan_answers: int = 30
    """And has so many answers in its window, if it can."""
    work_precision: float = 0.02
    """Half width of the interval of throughput, as a share of it, which every level tries to reach."""
    ramp_in_s: float = 1.0
    """Over how long loops begin."""
    quota_rest_s: float = 60.0
    """After requests were refused by quota, so long nothing is sent: as long as providers' windows."""
    look_every_s: float = 0.5


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole search may spend; None: any amount."""

    seconds: float | None = None
    requests: int | None = None
    tokens: int | None = None

    def exhausted(self, seconds: float, requests: int, tokens: int) -> str:
        """Say which one is spent; empty: none."""
        if self.seconds is not None and seconds >= self.seconds:
            return f"the budget of {self.seconds:g} s is spent"
        if self.requests is not None and requests >= self.requests:
            return f"the budget of {self.requests:,} requests is spent"
        if self.tokens is not None and tokens >= self.tokens:
            return f"the budget of {self.tokens:,} tokens is spent"
        return ""


class Subject(msgspec.Struct, frozen=True):
    """A set of lanes that is searched by itself."""

    name: str
    """Empty: all lanes together."""
    lanes: tuple[str, ...]
    """Their ids."""
