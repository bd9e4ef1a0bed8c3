"""What a search was asked for: written to the plan of its run, and read from there to go on and to tell of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from console.capacity.ramp import RampSettings
from console.capacity.ramp_search import RampSearch
from console.capacity.rules import RuleSettings
from console.capacity.search import Budget, Pace, Search
from console.capacity.seed004 import SeedSearch, SeedSettings
from console.capacity.target import TargetSearch, TargetSettings
from console.vocabulary.errors import ConsoleError


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for with `capacity ramp` or `capacity target`; written to plan.json, and read to go on."""

    model: str
    ramp: RampSettings | None = None
    target: TargetSettings | None = None
    seed004: SeedSettings | None = None
    rules: RuleSettings = RuleSettings()
    pace: Pace = Pace()
    budget: Budget = Budget()
    goodput: tuple[tuple[str, float], ...] = ()
    burstiness: float = 1.0
    lanes: tuple[str, ...] = ()
    """Patterns of lane ids; none: all of the model."""
    each: bool = False
    """Search every lane by itself before all of them together."""
    lift_workers: bool = False
    """Leave out the workers of the profile, which are often less than is looked for."""
    seed: int = 0
    prompts: dict[str, Any] = {}
    """The options that make the prompts."""
    server_metrics: tuple[str, ...] = ()
    """URLs at which the server and its GPUs say how they are."""

    def search(self) -> Search:
        """Return the search that is asked for."""
        if self.target is not None:
            return TargetSearch(self.target, self.rules)
        if self.seed004 is not None:
            return SeedSearch(self.seed004)
        return RampSearch(self.ramp or RampSettings(), self.rules)

    @property
    def most(self) -> int:
        """The most in flight that it may come to."""
        settings = self.target or self.seed004 or self.ramp or RampSettings()
        return settings.most


class _Plan(msgspec.Struct):
    search: SearchRequest | None = None


def read_search_request(run_dir: Path) -> SearchRequest:
    """Return what a search was asked for.

    Raises:
        ConsoleError: if its plan cannot be read, or is that of something else.
    """
    path = run_dir / "plan.json"
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=_Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise ConsoleError(f"cannot be read: {error}", where=str(path)) from error
    if plan.search is None:
        raise ConsoleError("is no capacity search", where=run_dir.name)
    return plan.search
