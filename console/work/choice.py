"""Which work plays the tests of a run: the one place that says so to whoever plans, runs or rehearses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from console.work.contract import Work
from console.work.expected import expected_turns
from console.work.library import LIBRARY
from console.work.scoring import presets_record
from console.work.tool_use import MAX_TOKENS, ToolUseWork

__all__ = ["LIBRARY", "MOST_TOKENS", "requests_of", "scoring_record", "work_of"]

MOST_TOKENS: Final = MAX_TOKENS
"""What one request of a test asks for at most in answer."""
requests_of = expected_turns
scoring_record = presets_record


def work_of(seed: int, protocols: Mapping[str, str], max_tokens: Mapping[str, int]) -> Work:
    """Return what plays the tests of a run.

    Args:
        seed: draws the tasks and the failures of their tools.
        protocols: model → protocol, where it is not `tools`.
        max_tokens: model → the greatest length of a reply, where the profile says so.
    """
    return ToolUseWork(seed, protocols, max_tokens)
