"""What a tool-use test is marked by: what was reached, how, and why not."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from console.vocabulary.outcome import Verdict


class ErrorClass(StrEnum):
    """Why a test is not full, by rules from its calls. Infrastructure failures have none: they are no error of a model."""

    TOOL_CALL_FORMAT = "tool_call_format"
    """What it wrote could not be read as calls."""
    TOOL_SELECTION = "tool_selection"
    """Another tool was called in place of one that is needed."""
    PARAMETER_CONFIG = "parameter_config"
    """The right tool, with arguments that are refused or do something else."""
    SEQUENCE_ORDER = "sequence_order"
    """All that is needed was called, in an order that does not lead to the goal."""
    DEPENDENCY = "dependency"
    """A call failed as what it needs had not been made, and was never made good."""
    TIMEOUT = "timeout"
    """A needed call timed out and was never made good."""
    MAX_TURNS = "max_turns"
    """The turns were used up on the way."""
    OTHER = "other"


class OriginalMarks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The scores of the preset `original`: formulas of `work/scoring_original.py`."""

    workflow: float
    phase2: float
    quality: float
    verdict: Verdict


class Marks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Marks of one attempt. Shares are 0 … 1; formulas in `work/scoring.py`."""

    goal_reached: bool = False
    finished: bool = False
    """Whether the model called `finish`."""
    conditions: float = 0.0
    """Share of the goal's conditions that hold at the end."""
    coverage: float = 0.0
    """Share of the needed calls whose tool was called with success."""
    order: float = 0.0
    """Longest common subsequence of successful calls and true plan, over the plan's length."""
    efficiency: float = 0.0
    """Needed calls over calls made, where failures by chance count as needed."""
    recovery: float | None = None
    """Share of failed calls that a later success of the same tool made good; None: no call failed."""
    needed_calls: int = 0
    calls: int = 0
    failed_calls: int = 0
    """All that failed, for whatever reason."""
    chance_failures: int = 0
    """Those that were drawn by the tool success rate."""
    format_errors: int = 0
    """Replies that held no readable call, and calls whose arguments were no JSON object."""
    assisted_turns: int = 0
    """Turns answered with help on the format."""
    error_class: ErrorClass | None = None
    """None: the verdict is full."""
    original: OriginalMarks | None = None
