"""What is chosen in the tree, and how that reads as what `run` takes.

A selection of `run` is phases times lists: a list holds for every phase. So the tree has a branch for the phases and
one for each axis, and every state that it can show is a selection. As long as nothing is picked on an axis each phase has
its own values there; the tree shows all of them as checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from console.screens.launch.needs import Asked, Axis, AxisName, Matrix

PHASE: Final = "phase"
AXES: Final[tuple[AxisName, ...]] = ("model", "prompt", "difficulty", "rate", "task")


@dataclass(frozen=True, slots=True)
class Picks:
    """The phases that are chosen, and what is picked of each axis."""

    phases: tuple[str, ...] = ()
    model: tuple[str, ...] | None = None
    """None, as on all axes: each phase has its own. Empty: nothing is left."""
    prompt: tuple[str, ...] | None = None
    difficulty: tuple[str, ...] | None = None
    rate: tuple[str, ...] | None = None
    task: tuple[str, ...] | None = None

    def of(self, axis: AxisName) -> tuple[str, ...] | None:
        """Return what is picked on an axis."""
        match axis:
            case "model":
                return self.model
            case "prompt":
                return self.prompt
            case "difficulty":
                return self.difficulty
            case "rate":
                return self.rate
            case "task":
                return self.task

    @property
    def emptied(self) -> tuple[AxisName, ...]:
        """The axes on which nothing is left, which no command line can say."""
        return tuple(axis for axis in AXES if self.of(axis) == ())


def with_picks(asked: Asked, picks: Picks) -> Asked:
    """Return what is asked with these picks."""
    return replace(
        asked,
        phases=picks.phases,
        models=picks.model or (),
        prompt_types=picks.prompt or (),
        difficulties=picks.difficulty or (),
        rates=picks.rate or (),
        task_types=picks.task or (),
    )


def picked(picks: Picks, axis: AxisName, values: tuple[str, ...] | None) -> Picks:
    """Return the picks with other ones on one axis."""
    match axis:
        case "model":
            return replace(picks, model=values)
        case "prompt":
            return replace(picks, prompt=values)
        case "difficulty":
            return replace(picks, difficulty=values)
        case "rate":
            return replace(picks, rate=values)
        case "task":
            return replace(picks, task=values)


def leaf(branch: str, name: str) -> str:
    """Return the id of a leaf of the tree."""
    return f"{branch}:{name}"


def checked_leaves(matrix: Matrix, picks: Picks) -> frozenset[str]:
    """Return the leaves that are checked."""
    known = {phase.id for phase in matrix.phases if phase.error is None}
    leaves = {leaf(PHASE, name) for name in picks.phases if name in known}
    for axis in matrix.axes:
        leaves |= {leaf(axis.name, name) for name in shown_values(axis, picks)}
    return frozenset(leaves)


def shown_values(axis: Axis, picks: Picks) -> tuple[str, ...]:
    """Return the values of an axis that are checked, in the order of the axis."""
    values = picks.of(axis.name)
    if values is None:
        return tuple(value.name for value in axis.values if value.own)
    return tuple(value.name for value in axis.values if value.name in values)


def picks_of(matrix: Matrix, before: Picks, checked: Iterable[str]) -> Picks:
    """Return the picks after leaves were checked or unchecked by hand.

    A branch that was not touched stays as it was. One that shows exactly what the phases have by themselves is taken
    for that, so that whoever takes a value out and puts it back is where they were.
    """
    checked = frozenset(checked)
    phases = tuple(
        phase.id for phase in matrix.phases if phase.error is None and leaf(PHASE, phase.id) in checked
    )
    after = replace(before, phases=phases)
    for axis in matrix.axes:
        now = tuple(value.name for value in axis.values if leaf(axis.name, value.name) in checked)
        if now == shown_values(axis, before):
            continue
        own = tuple(value.name for value in axis.values if value.own)
        after = picked(after, axis.name, None if now == own else now)
    return after
