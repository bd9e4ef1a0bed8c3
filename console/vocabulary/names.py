"""Names of prompt types, flaws, difficulties and task types, in the order they are shown."""

from __future__ import annotations

from typing import Final

DIFFICULTIES: Final = ("very_easy", "easy", "medium", "hard", "very_hard")
TASK_TYPES: Final = ("simple_task", "basic_task", "data_pipeline", "api_integration", "multi_stage_pipeline")
FLAWS: Final = (
    "sequence_disorder",
    "tool_misuse",
    "parameter_error",
    "missing_step",
    "redundant_operations",
    "logical_inconsistency",
    "semantic_drift",
)
FLAWS_OF_SEED_003: Final = (
    "sequence_disorder",
    "incomplete_description",
    "missing_step",
    "insufficient_detail",
    "parameter_issues",
    "logical_inconsistency",
    "contradictory_instructions",
)
SEVERITIES: Final = ("light", "medium", "severe")
DEFAULT_SEVERITY: Final = "severe"
"""Of a flawed prompt type that bears none; so `flawed_missing_step` is the one name of `flawed_missing_step@severe`."""
SEVERITY_ALIASES: Final = {"mild": "light"}
"""Other words for a severity, taken wherever one is written."""
PLAIN_PROMPT_TYPES: Final = ("baseline", "cot", "optimal")
PROMPT_TYPES: Final = PLAIN_PROMPT_TYPES + tuple(
    f"flawed_{flaw}" for flaw in dict.fromkeys(FLAWS + FLAWS_OF_SEED_003)
)
"""Without severity; with one it reads `flawed_missing_step@light`."""

SIMULATED_HEADER: Final = "x-ultra-console-simulated"
"""Response header by which a simulated provider says that its answers are simulated (law 11)."""

PROCESS_LOST: Final = "process_lost"
"""Kind of the event that an engine process died."""
TUNED: Final = "tune"
"""Kind of the event that somebody changed limits while the run went on."""
ADAPTED: Final = "adapt"
"""Kind of the event that somebody switched adaptive mode on or off."""
