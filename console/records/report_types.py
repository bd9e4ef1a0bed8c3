"""What a report is made of, and what its figures mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from console.records.intervals import FEWEST_PAIRS, FEWEST_SCORES

if TYPE_CHECKING:
    import polars as pl

DEFINITIONS: Final[dict[str, str]] = {
    "total": "tests that the model answered: full, partial or failure; the denominator of all rates. Infrastructure "
    "failures, cancelled, unscored and missing tests are in none",
    "success": "full + partial",
    "failed": "the model answered, and the answer was wrong",
    "infrastructure": "no complete answer came, after all attempts: never counted against a model",
    "cancelled": "begun and stopped, and not done since",
    "unscored": "done, but the scoring preset says nothing of it, as tests without turns have no original scores",
    "planned": "tests that the plan has for this row; those without a result are in no other figure",
    "reused": "results taken over from another run, which `tests` names; they count like the others",
    "scoring": "the preset by which tests are full, partial or failure, and which scores are averaged: goal (the state "
    "that is reached) or original (the formulas of the system that this one replaces)",
    "weighted_success_score": "(full + 0.5 partial) / total",
    "…_low, …_high": "95 % intervals: Wilson's of shares; Student's of mean scores, null below "
    f"{FEWEST_SCORES} scores and where all are equal",
    "avg_execution_time_s": "seconds from the start of a test to its end, without waiting for limits, pauses and retries",
    "avg_turns, avg_tool_calls": "means over total; of calls those that failed are counted too",
    "tool_coverage_rate": "mean share of the needed calls whose tool was called with success",
    "avg_workflow_score, avg_phase2_score, avg_quality_score": "means of the original's scores, whatever the preset",
    "avg_final_score": "mean score by the preset; of the original that is its phase2 score",
    "avg_recovery": "mean over tests in which a call failed: share of failed calls that a later success of the same tool "
    "made good",
    "avg_prompt_tokens, avg_completion_tokens": "mean tokens of a test, over all its requests, as the server counts them; "
    "null where it does not",
    "avg_chance_failures": "mean of the failures drawn by the tool success rate; the same instance sees the same ones",
    "total_errors": "tests that are not full by the goal, by their error class; null without marks",
    "…_error_rate": "share of an error class in total_errors",
    "tests_with_assistance": "tests in which help on the format was given; they are in all counts as they ended, since "
    "leaving them out would flatter a model that needs help",
    "assisted_success_rate": "assisted_success / tests_with_assistance",
    "assistance_rate": "tests_with_assistance / total",
    "unaided_full_rate": "full without help / total",
    "all": "this axis is rolled up: the row is over all its values",
    "pairs": "tests of the same task type and instance with an answer under both conditions",
    "b, c": "pairs that are full under the first condition alone, and under the second alone",
    "difference": "share of full pairs under the second condition less that under the first; 95 % interval of Agresti "
    f"and Min (2005); n/a below {FEWEST_PAIRS} pairs",
    "p": "McNemar's exact test, two-sided: a binomial of b and c",
    "p_holm": "p adjusted for all comparisons of the table (Holm)",
    "vs_…": "the comparison of a row with the `reference` of its table (5.3: optimal; 5.4: the highest rate), from the "
    "table of pairs; a drop is below 0",
    "size_b": "billions of parameters, read from the model's name",
}
"""Also in the report as JSON."""
AGAINST: Final = (
    "pairs",
    "b",
    "c",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "p_holm",
    "reason",
)
"""What a row of a phase takes over from its comparison with the reference."""

Kind = Literal["hierarchy", "phase", "errors", "pairs"]


class ReportTable(msgspec.Struct, frozen=True):
    """One table, all its columns."""

    name: str
    """As `--table` takes it, and files are called."""
    title: str
    frame: pl.DataFrame
    kind: Kind
    keys: tuple[str, ...] = ()
    """Of a phase and of its errors: what rows are of."""
