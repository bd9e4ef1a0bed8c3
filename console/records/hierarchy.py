"""Figures of every level of model → prompt type → tool success rate → difficulty → task type."""

# pyright: reportUnknownMemberType=false
# Polars names numpy types in its signatures, which is not installed.

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from console.records.scored import AXES, FIGURES, figures
from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, TASK_TYPES

ALL: Final = "all"
"""Stands for an axis that is rolled up."""
_FIRST: Final = "000000"
"""Sorts a level before what is below it."""


def hierarchy(tests: pl.DataFrame, models: Sequence[str] = ()) -> pl.DataFrame:
    """Return a row for every value of every level, each before those below it; `level` names the last axis it has.

    Args:
        tests: scored tests.
        models: in the order to show; others come behind, by name.
    """
    levels: list[pl.DataFrame] = []
    for depth in range(1, len(AXES) + 1):
        kept, rolled = AXES[:depth], AXES[depth:]
        found = figures(tests, kept).with_columns(
            *(pl.lit(ALL).alias(axis) for axis in rolled), pl.lit(kept[-1]).alias("level")
        )
        levels.append(found.select(*AXES, "level", *FIGURES))
    whole = pl.concat(levels)
    return whole.sort([_place(axis, models) for axis in AXES])


def sorted_by(table: pl.DataFrame, keys: Sequence[str], models: Sequence[str] = ()) -> pl.DataFrame:
    """Return rows in the order in which their keys are shown; what is equal stays as it is."""
    return table.sort([_place(key, models) for key in keys], maintain_order=True)


def _place(axis: str, models: Sequence[str]) -> pl.Expr:
    """Return what sorts an axis: the order of its names, the height of rates, and what is unknown by name."""
    column = pl.col(axis)
    known: Sequence[str] = {
        "model": models,
        "prompt_type": PROMPT_TYPES,
        "difficulty": DIFFICULTIES,
        "task_type": TASK_TYPES,
    }.get(axis, ())
    if axis == "tool_success_rate":  # the highest first
        falling = (2e6 - 1e5 * column.cast(pl.Float64, strict=False)).round(0)
        return pl.when(column == ALL).then(pl.lit(_FIRST)).otherwise(falling.cast(pl.Int64).cast(pl.String))
    places = {name: f"{index + 1:06d}" for index, name in enumerate(known)}
    base = column.str.split("@").list.first() if axis == "prompt_type" else column
    ranked = base.replace_strict(places, default="999999", return_dtype=pl.String) + column
    return pl.when(column == ALL).then(pl.lit(_FIRST)).otherwise(ranked)
