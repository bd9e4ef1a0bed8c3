"""How the tests of a group are written in a table: verdicts, shares and scores with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from console.records.figures_text import NONE, share_text
from console.records.report_columns import count_text, figure_text
from console.records.scored import ERRORS
from console.screens.results.places import Step
from console.screens.results.sheet import Column, Row, SortKey

Group = Mapping[str, Any]
"""One row of `scored.figures`, perhaps with `not_run`."""


class Figure(msgspec.Struct, frozen=True):
    """One column."""

    column: Column
    text: Callable[[Group], str]
    key: Callable[[Group], SortKey]
    shown: Literal["always", "not zero"] = "always"


def _count(name: str, title: str, shown: Literal["always", "not zero"] = "always") -> Figure:
    return Figure(
        Column(name, title, figures=True),
        lambda group: count_text(group[name]),
        lambda group: group[name],
        shown,
    )


def _share(name: str, title: str) -> Figure:
    return Figure(
        Column(name, title, figures=True), lambda group: share_text(group[name]), lambda group: group[name]
    )


def _figure(name: str, title: str, digits: int) -> Figure:
    return Figure(
        Column(name, title, figures=True),
        lambda group: figure_text(group[name], digits),
        lambda group: group[name],
    )


def _interval(name: str, *, points: bool) -> Figure:
    def text(group: Group) -> str:
        low, high = group[f"{name}_low"], group[f"{name}_high"]
        if low is None:
            return NONE
        return f"{100 * low:.1f}–{100 * high:.1f}" if points else f"{low:.3f}–{high:.3f}"

    return Figure(
        Column(f"{name}_interval", "95% CI", figures=True), text, lambda group: group[f"{name}_low"]
    )


def _mostly(group: Group) -> str:
    counts = [(group[name] or 0, name.removesuffix("_errors")) for name in ERRORS.values()]
    most, name = max(counts, key=lambda counted: counted[0])
    return f"{name} {most}" if most else "-"


FIGURES: Final = (
    _count("tests", "tests"),
    _count("full_success", "full"),
    _count("partial_success", "part"),
    _count("failed", "fail"),
    _count("infrastructure", "infra"),
    _count("cancelled", "cancelled", "not zero"),
    _count("unscored", "unscored", "not zero"),
    _count("not_run", "not run", "not zero"),
    _count("reused", "reused", "not zero"),
    _share("success_rate", "success"),
    _interval("success_rate", points=True),
    _figure("avg_final_score", "score", 3),
    _interval("final_score", points=False),
    _share("full_success_rate", "full %"),
    _interval("full_success_rate", points=True),
    _figure("avg_turns", "turns", 1),
    _figure("avg_tool_calls", "calls", 1),
    _share("tool_coverage_rate", "coverage"),
    _share("avg_recovery", "recovery"),
    _figure("avg_prompt_tokens", "tok in", 0),
    _figure("avg_completion_tokens", "tok out", 0),
    Figure(Column("mostly", "errors mostly"), _mostly, lambda group: group["total_errors"]),
)
"""From `full` to `reused` counts; the shares are of what the model answered."""


def tests_of(group: Group) -> dict[str, Any]:
    """Return a row of figures with the number of its tests, whatever became of them."""
    counted = ("total", "infrastructure", "cancelled", "unscored")
    return {**group, "tests": sum(group[name] for name in counted), "not_run": group.get("not_run", 0)}


def group_rows(
    groups: Sequence[tuple[str, tuple[Step, ...], Group]], total: Group | None
) -> tuple[tuple[Column, ...], list[Row]]:
    """Return columns and rows without the first column's head: for each group its name, its steps and its figures."""
    whole = [group for _, _, group in groups] + ([total] if total is not None else [])
    shown = [
        figure
        for figure in FIGURES
        if figure.shown == "always" or any(figure.text(group) != "0" for group in whole)
    ]
    rows = [_row(name, steps, group, shown) for name, steps, group in groups]
    if total is not None:
        rows.append(_row("all", (), total, shown)._replace(tone="strong", total=True))
    return tuple(figure.column for figure in shown), rows


def _row(name: str, steps: tuple[Step, ...], group: Group, shown: Sequence[Figure]) -> Row:
    identity = "/".join(f"{step.axis}={step.value}" for step in steps) or "all"
    return Row(
        identity,
        (name, *(figure.text(group) for figure in shown)),
        (name, *(figure.key(group) for figure in shown)),
        steps,
    )
