"""What a watcher sees of a capacity search while it goes on."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.vocabulary.level import LevelOutcome, Purpose, RuleOutcome

LevelStage = Literal["waiting", "warm-up", "sampling", "cool-down"]
"""waiting: for quota windows to refill, before anything is sent."""


class LevelNow(msgspec.Struct, frozen=True, kw_only=True):
    """The level that is being measured."""

    number: int
    subject: str = ""
    purpose: Purpose
    concurrency: int
    rate: float | None = None
    stage: LevelStage
    stage_s: float
    """For how long it has been in this stage."""
    ended: int = 0
    """Requests of the window so far."""
    at_most_s: float | None = None
    """Seconds after which the level ends whether or not its rules are decided."""
    rules: tuple[RuleOutcome, ...] = ()
    """What the rules say so far."""


class SearchView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole search now."""

    kind: Literal["ramp", "target"]
    model: str
    target_qps: float | None = None
    """Of a search for the least concurrency that reaches a rate."""
    subjects: tuple[str, ...] = ("",)
    """Sets of lanes that are searched one after another; `""`: all together."""
    subject: str = ""
    """The one it is at."""
    stage: str
    """What it is doing, in words: `climbs the ladder`, `narrows 100 … 200`, `confirms 120 and 126`, `looks for drift`."""
    passes: int | None = None
    """Largest concurrency that passes so far (of `subject`); of a target search: that reaches it, the smallest."""
    fails: int | None = None
    levels: tuple[LevelOutcome, ...] = ()
    """Those that are over, in their order, all subjects."""
    now: LevelNow | None = None
    spent_s: float = 0.0
    spent_requests: int = 0
    spent_tokens: int = 0
    most_s: float | None = None
    """Budgets of the whole search; None: none."""
    most_requests: int | None = None
    most_tokens: int | None = None
    levels_left: int | None = None
    """About how many are to come; None: it cannot be said yet."""
    eta_s: float | None = None
    answer: str = ""
    """One line, once it is there."""
