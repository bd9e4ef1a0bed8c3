"""From a phase's matrix to its jobs: which combinations there are, and which may run side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import msgspec

from console.phases.phase import Axis, Phase
from console.vocabulary.test_id import TestId, rate_text


class ModelChoice(msgspec.Struct, frozen=True):
    """A model of the profile as a phase sees it."""

    name: str
    provider: str
    model_class: str


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One combination of a phase's axes: one job."""

    model: str
    provider: str
    difficulty: str
    group: str
    prompt_types: tuple[str, ...]
    rate: str

    def tests(self, task_types: Sequence[str], instances: int) -> tuple[TestId, ...]:
        """Return its tests, instances of all task types interleaved so that any prefix is a fair sample."""
        return tuple(
            TestId(self.model, prompt_type, self.difficulty, self.rate, task_type, instance)
            for instance in range(1, instances + 1)
            for prompt_type in self.prompt_types
            for task_type in task_types
        )

    @property
    def step(self) -> tuple[str, str, str]:
        """What it has in common with one job of each other model."""
        return (self.difficulty, self.group, self.rate)


def cells(phase: Phase, models: Sequence[ModelChoice], *, models_inside: bool | None = None) -> list[Cell]:
    """Return the jobs of a phase in starting order.

    The model is the outermost axis, unless models run side by side: then it is the innermost, so that every
    model starts with the first difficulty before any starts with the second.

    Args:
        phase: the phase.
        models: its models.
        models_inside: whether the model is the innermost axis; absent: as the phase's order says.
    """
    rest = list(
        product(phase.difficulties, phase.prompt_groups().items(), map(rate_text, phase.tool_success_rates))
    )
    inside = "model" in phase.order.together if models_inside is None else models_inside
    pairs = (
        [(model, other) for other in rest for model in models]
        if inside
        else [(model, other) for model in models for other in rest]
    )
    return [
        Cell(
            model=model.name,
            provider=model.provider,
            difficulty=difficulty,
            group=group,
            prompt_types=prompt_types,
            rate=rate,
        )
        for model, (difficulty, (group, prompt_types), rate) in pairs
    ]


def side_by_side(phase: Phase, one: Cell, other: Cell, *, groups: bool | None = None) -> bool:
    """Say whether two jobs may run at once.

    The outermost axis in series on which they differ keeps them apart. Where providers run side by side, two
    jobs of different providers never wait for one another.

    Args:
        phase: the phase, whose order is asked.
        one: a job.
        other: another one.
        groups: whether groups run side by side; absent: as the phase's order says.
    """
    order = phase.order
    if "provider" in order.together and one.provider != other.provider:
        return True
    group_axis: Axis = "group" if phase.groups else "prompt_type"
    axes: tuple[tuple[Axis, bool], ...] = (
        ("model", one.model != other.model),
        ("difficulty", one.difficulty != other.difficulty),
        (group_axis, one.group != other.group),
        ("rate", one.rate != other.rate),
    )
    for axis, differ in axes:
        together = axis in order.together or (
            one.provider == other.provider and order.together_when.get(axis) == one.provider
        )
        if axis == group_axis and groups is not None:
            together = groups
        if differ and not together:
            return False
    return True
