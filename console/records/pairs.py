"""Two conditions held against each other on the tests that they share: full or not, by McNemar's exact test.

A condition is a model, a prompt type, a tool success rate and a difficulty; two that are compared differ in one of
them. Their tests are paired by task type and instance, as an instance is the same task under every condition and
sees the same failures by chance.
"""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

import polars as pl

from console.records.hierarchy import sorted_by
from console.records.intervals import FEWEST_PAIRS, holm, mcnemar_p, paired_difference

CONDITION: Final = ("model", "prompt_type", "tool_success_rate", "difficulty")
_PAIRED_BY: Final = ("task_type", "instance")
PAIRS: Final[dict[str, type[pl.DataType]]] = {
    **dict.fromkeys((*CONDITION, "axis", "first", "second"), pl.String),
    **dict.fromkeys(("pairs", "both_full", "b", "c", "neither_full"), pl.Int64),
    **dict.fromkeys(("difference", "difference_low", "difference_high", "p", "p_holm"), pl.Float64),
    "reason": pl.String,
}
"""Columns: the condition (null on the axis that differs), what is compared, and what came of it. `b`: full under the
first alone; `c`: under the second alone; `reason`: why there is no figure."""

Condition = tuple[str, ...]
Answers = dict[tuple[str, int], bool]


def compare(
    tests: pl.DataFrame,
    axis: str,
    reference: str | None = None,
    also: pl.DataFrame | None = None,
    models: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """Return a row for each two conditions that differ in `axis` alone, without adjusted p values.

    Args:
        tests: scored tests.
        axis: one of `CONDITION`.
        reference: the value that all others are held against; None: every two are.
        also: scored tests among which the reference is looked for as well.
        models: in the order to show.
    """
    of = _answers(tests, axis, models)
    if reference is not None and also is not None:
        for fixed, values in _answers(also.filter(pl.col(axis) == reference), axis, models).items():
            if fixed in of:
                of[fixed].setdefault(reference, values[reference])
    rows: list[dict[str, Any]] = []
    for fixed, values in of.items():
        condition = dict(zip((name for name in CONDITION if name != axis), fixed, strict=True))
        for first, second in _couples(list(values), reference):
            rows.append(
                {
                    **condition,
                    axis: None,
                    "axis": axis,
                    "first": first,
                    "second": second,
                    **_compared(values[first], values[second]),
                }
            )
    return rows


def compared_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return comparisons as a table, their p values adjusted for all of them (Holm)."""
    tried = [row for row in rows if row["p"] is not None]
    for row, adjusted in zip(tried, holm([row["p"] for row in tried]), strict=True):
        row["p_holm"] = adjusted
    return pl.DataFrame(rows, schema=PAIRS)


def _couples(values: list[str], reference: str | None) -> Iterator[tuple[str, str]]:
    if reference is None:
        yield from combinations(values, 2)
    elif reference in values:
        yield from ((reference, value) for value in values if value != reference)


def _answers(tests: pl.DataFrame, axis: str, models: tuple[str, ...]) -> dict[Condition, dict[str, Answers]]:
    """Return, for every condition but its axis and every value of that, which shared tests were full."""
    fixed = [name for name in CONDITION if name != axis]
    judged = tests.filter(pl.col("judged")).select(*fixed, axis, *_PAIRED_BY, "full")
    found: dict[Condition, dict[str, Answers]] = {}
    for row in sorted_by(judged, [*fixed, axis], models).iter_rows():
        *condition, value, task_type, instance, full = row
        found.setdefault(tuple(condition), {}).setdefault(value, {})[task_type, instance] = full
    return found


def _compared(first: Answers, second: Answers) -> Mapping[str, Any]:
    shared = [(full, second[test]) for test, full in first.items() if test in second]
    pairs = len(shared)
    b = sum(one and not other for one, other in shared)
    c = sum(other and not one for one, other in shared)
    both = sum(one and other for one, other in shared)
    counts = {"pairs": pairs, "both_full": both, "b": b, "c": c, "neither_full": pairs - both - b - c}
    if pairs < FEWEST_PAIRS:
        nothing = dict.fromkeys(("difference", "difference_low", "difference_high", "p", "p_holm"))
        return {**counts, **nothing, "reason": f"n/a (n={pairs} < {FEWEST_PAIRS} pairs)"}
    difference, (low, high) = paired_difference(b, c, pairs)
    return {
        **counts,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "p": mcnemar_p(b, c),
        "p_holm": None,
        "reason": None,
    }
