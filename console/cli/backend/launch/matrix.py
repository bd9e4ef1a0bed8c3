"""What can be chosen for a launch, and how many tests a choice has, from the functions that make the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from console.phases.load import builtin_phases, load_phase, phase_ids
from console.phases.matrix import ModelChoice, cells
from console.phases.models import models_of
from console.phases.phase import Phase
from console.phases.selection import Selection, ad_hoc_phase, class_conflicts, narrowed
from console.profile.form import Profile
from console.profile.load import load_profile
from console.profile.places import list_profiles
from console.screens.launch.needs import Asked, Axis, AxisName, AxisValue, Matrix, PhaseLine
from console.vocabulary.errors import ConsoleError
from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, TASK_TYPES
from console.vocabulary.test_id import rate_text

RATES: Final = ("1.0", "0.9", "0.8", "0.7", "0.6", "0.5")
"""Tool success rates that are offered besides those of phases."""
_FIELDS: Final[dict[AxisName, str]] = {
    "model": "models",
    "prompt": "prompt_types",
    "difficulty": "difficulties",
    "rate": "tool_success_rates",
    "task": "task_types",
}
_NOUNS: Final[dict[AxisName, str]] = {
    "model": "model",
    "prompt": "prompt type",
    "difficulty": "difficulty",
    "rate": "tool success rate",
    "task": "task type",
}


class Loaded(NamedTuple):
    """A phase that could be read, as it is named on the command line."""

    name: str
    phase: Phase


class Parts(NamedTuple):
    """What a phase comes to: how many tests have each value of each axis."""

    tests: int
    by: dict[AxisName, Counter[str]]


def matrix_of(asked: Asked) -> Matrix:
    """Count what is asked for, and what else there is."""
    profile, error = _profile(asked)
    choices = [] if profile is None else model_choices(profile)
    selection = _selection(asked)
    conflict = "; ".join(class_conflicts(selection, choices))
    phases: list[Loaded] = []
    lines: list[PhaseLine] = []
    parts: dict[str, Parts] = {}
    builtin = builtin_phases()
    for name in phase_ids():
        origin = "built-in" if name in builtin else "yours"
        try:
            phase = _nameable(name)
        except ConsoleError as wrong:
            lines.append(PhaseLine(name, origin=origin, error="\n".join(wrong.lines())))
            continue
        tests, why = None, error
        try:
            if conflict:
                why = conflict
            elif profile is not None:
                parts[name] = _parts(phase, selection, choices)
                tests = parts[name].tests
                why = "" if tests else f"none of its models is {asked.model_class}"
        except ConsoleError as unfit:
            why = "; ".join(unfit.lines())
        phases.append(Loaded(name, phase))
        lines.append(PhaseLine(name, phase.title, origin, phase.variant_of, None, tests, why))
    chosen = _chosen(asked, phases, selection)
    if not asked.phases and chosen and profile is not None and not conflict:
        with suppress(ConsoleError):  # the plan says it
            parts[chosen[0].name] = _parts(chosen[0].phase, selection, choices)
    chosen = [one for one in chosen if one.name not in parts or parts[one.name].tests]
    counted = [parts[name] for name, _ in chosen if name in parts]
    axes = tuple(_axis(axis, chosen, selection, choices, counted) for axis in _FIELDS)
    return Matrix(
        phases=tuple(lines),
        axes=axes,
        tests=sum(one.tests for one in counted),
        notes=tuple(_added(chosen, selection, choices)),
        error=error,
        own_profiles=any(place.path is not None for place in list_profiles()),
    )


def model_choices(profile: Profile) -> list[ModelChoice]:
    """Return the models of a profile that are on."""
    return [
        ModelChoice(name, model.provider, model.model_class)
        for name, model in profile.models.items()
        if not model.off
    ]


def _profile(asked: Asked) -> tuple[Profile | None, str]:
    try:
        return load_profile(asked.profile, asked.changes, rate_mode=asked.rate_mode).profile, ""
    except ConsoleError as error:
        return None, "\n".join(error.lines())


def _nameable(name: str) -> Phase:
    """Load a phase of the folder.

    Raises:
        ConsoleError: if it is wrong, or has a file name that `--phase` cannot say.
    """
    if "," in name or name != name.strip() or name in ("", "all"):
        raise ConsoleError(
            f"its file is called {name!r}, which --phase cannot name", hint="give the file another name"
        )
    return load_phase(name)


def _selection(asked: Asked) -> Selection:
    """Return the picks that say which tests; how they run changes none."""
    return Selection(
        model_class=asked.model_class,
        models=asked.models,
        prompt_types=asked.prompt_types,
        difficulties=asked.difficulties,
        task_types=asked.task_types,
        tool_success_rates=tuple(map(float, asked.rates)),
        instances=asked.instances,
    )


def _chosen(asked: Asked, phases: Sequence[Loaded], selection: Selection) -> list[Loaded]:
    """Return the phases that run: those that are named, or the one that the picks alone stand for."""
    if asked.phases:
        known = dict(phases)
        return [Loaded(name, known[name]) for name in asked.phases if name in known]
    if selection.empty:
        return []
    try:
        return [Loaded("ad-hoc", ad_hoc_phase(selection))]
    except ConsoleError:
        return []  # the plan says what is wrong with the picks


def _parts(phase: Phase, selection: Selection, choices: Sequence[ModelChoice]) -> Parts:
    wanted = narrowed(phase, selection)
    task_types = wanted.task_type_names()
    by: dict[AxisName, Counter[str]] = {axis: Counter() for axis in _FIELDS}
    tests = 0
    for cell in cells(wanted, models_of(wanted, choices, selection.model_class)):
        each = len(task_types) * wanted.instances
        count = len(cell.prompt_types) * each
        tests += count
        by["model"][cell.model] += count
        by["difficulty"][cell.difficulty] += count
        by["rate"][cell.rate] += count
        for prompt_type in cell.prompt_types:
            by["prompt"][prompt_type] += each
        for task_type in task_types:
            by["task"][task_type] += len(cell.prompt_types) * wanted.instances
    return Parts(tests, by)


def _axis(
    axis: AxisName,
    chosen: Sequence[Loaded],
    selection: Selection,
    choices: Sequence[ModelChoice],
    counted: Sequence[Parts],
) -> Axis:
    own = [_own(axis, one.phase, selection, choices) for one in chosen]
    by_any = {value for values in own for value in values}
    tests = sum((one.by[axis] for one in counted), Counter[str]())
    notes = {one.name: f"{one.model_class} {one.provider}" for one in choices}
    values = [
        AxisValue(
            name,
            notes.get(name, "not in the profile") if axis == "model" else "",
            name in by_any,
            tests[name],
        )
        for name in _offered(axis, choices, [*by_any, *_picked(axis, selection)])
    ]
    return Axis(axis, tuple(values), all(set(values) == by_any for values in own))


def _own(
    axis: AxisName, phase: Phase, selection: Selection, choices: Sequence[ModelChoice]
) -> tuple[str, ...]:
    """Return the values that a phase has on an axis as long as none is picked there."""
    match axis:
        case "model":
            if isinstance(phase.models, str) and selection.model_class:
                phase = phase.model_copy(update={"models": selection.model_class})
            try:
                return tuple(one.name for one in models_of(phase, choices, selection.model_class))
            except ConsoleError:
                return tuple(phase.models) if isinstance(phase.models, list) else ()
        case "prompt":
            return tuple(name for members in phase.prompt_groups().values() for name in members)
        case "difficulty":
            return tuple(phase.difficulties)
        case "rate":
            return tuple(map(rate_text, phase.tool_success_rates))
        case "task":
            return phase.task_type_names()


def _picked(axis: AxisName, selection: Selection) -> tuple[str, ...]:
    if axis == "rate":
        return tuple(map(rate_text, selection.tool_success_rates))
    return getattr(selection, _FIELDS[axis])


def _offered(axis: AxisName, choices: Sequence[ModelChoice], held: Sequence[str]) -> list[str]:
    """Return all values of an axis in their order; `held` are those that must not be missing."""
    match axis:
        case "model":
            return list(dict.fromkeys((*(one.name for one in choices), *sorted(held))))
        case "prompt":
            more = sorted(set(held) - set(PROMPT_TYPES))
            return [
                name
                for known in PROMPT_TYPES
                for name in (known, *(other for other in more if other.partition("@")[0] == known))
            ]
        case "difficulty":
            return list(DIFFICULTIES)
        case "rate":
            return sorted({*map(rate_text, map(float, RATES)), *held}, key=float, reverse=True)
        case "task":
            return list(TASK_TYPES)


def _added(chosen: Sequence[Loaded], selection: Selection, choices: Sequence[ModelChoice]) -> Iterator[str]:
    """Say where picks give a phase what it does not have by itself, as a list replaces that of every phase."""
    if len(chosen) < 2:
        return
    for axis, noun in _NOUNS.items():
        picked = _picked(axis, selection)
        if not picked or (axis == "prompt" and any(one.phase.groups for one in chosen)):
            continue  # a phase with groups takes no prompt type that it does not have
        for name, phase in chosen:
            more = len(set(picked) - set(_own(axis, phase, selection, choices)))
            if more:
                plural = noun if more == 1 else f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
                yield f"{name} gets {more} {plural} that it does not have by itself: picks hold for every phase"
