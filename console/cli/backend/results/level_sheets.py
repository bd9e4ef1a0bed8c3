"""The levels from a model down to its tests: figures of each value of the next axis that varies."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from typing import Any, Final

import polars as pl

from console.cli.backend.results.test_figures import group_rows, tests_of
from console.records.hierarchy import sorted_by
from console.records.intervals import FEWEST_SCORES
from console.records.scored import figures
from console.screens.results.places import DOWN, Axis, Place, Step
from console.screens.results.sheet import Column, Listed

HEADS: Final[dict[str, str]] = {
    "model": "model",
    "prompt_type": "prompt type",
    "difficulty": "difficulty",
    "rate": "tool success rate",
    "task_type": "task type",
}
NOUNS: Final[dict[str, str]] = {
    "model": "models",
    "prompt_type": "prompt types",
    "difficulty": "difficulties",
    "rate": "rates",
    "task_type": "task types",
}
NOTES: Final = (
    "success: full + partial of all that the model answered; infra: no complete answer came, in no rate",
    f"95% CI of shares: Wilson; of scores: Student, n/a below {FEWEST_SCORES} scores and where all are equal",
    "n/a elsewhere: the model answered no test of that row",
)


def next_axis(place: Place, tests: pl.DataFrame) -> tuple[Place, Axis | None]:
    """Return the next axis that varies, and the place with the steps over those that do not; None: only tests are left."""
    steps: list[Step] = []
    for axis in DOWN:
        if place.value(axis) is not None:
            continue
        values = tests[axis].unique().to_list()
        if len(values) > 1:
            return place.down(steps), axis
        steps += [Step(axis, str(value)) for value in values]
    return place.down(steps), None


def level_sheet(place: Place, axis: Axis, tests: pl.DataFrame) -> Listed:
    """Return a row for each value of an axis, and one of all."""
    rows = level_groups(tests, axis)
    columns, shown = group_rows([(name, (Step(axis, name),), group) for name, group in rows], total_of(tests))
    return Listed(
        place,
        f"by {HEADS[axis]}",
        (Column(axis, HEADS[axis]), *columns),
        tuple(shown),
        NOTES,
        noun=NOUNS[axis],
    )


def level_groups(
    tests: pl.DataFrame, axis: Axis, models: tuple[str, ...] = ()
) -> list[tuple[str, dict[str, Any]]]:
    """Return the figures of each value of an axis, in the order in which reports have them."""
    column = "tool_success_rate" if axis == "rate" else axis
    found = sorted_by(figures(tests, [column]), [column], models)
    return [(str(row[column]), tests_of(row)) for row in found.iter_rows(named=True)]


def total_of(tests: pl.DataFrame) -> dict[str, Any] | None:
    """Return the figures of all tests; None: there are none."""
    whole = figures(tests.with_columns(pl.lit("all").alias("_all")), ["_all"])
    return tests_of(whole.row(0, named=True)) if whole.height else None
