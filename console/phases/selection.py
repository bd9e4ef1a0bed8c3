"""What a user picks out of phases on the command line, and the ad-hoc phase made of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pydantic import ValidationError

from console.phases.phase import Phase
from console.vocabulary.errors import ConsoleError


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Parts of a matrix to keep. An empty tuple or None keeps all, or the phase's own."""

    model_class: str | None = None
    models: tuple[str, ...] = ()
    """Replaces the phase's list."""
    prompt_types: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    tool_success_rates: tuple[float, ...] = ()
    instances: int | None = None
    """Per task type."""
    policy: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is picked."""
        return self == Selection()


def ad_hoc_phase(selection: Selection) -> Phase:
    """Return the phase that a selection alone stands for: optimal, easy, all task types, 0.8, 20 of each.

    All its prompt types are one group, so that one job carries them.

    Raises:
        ConsoleError: if a picked name is unknown.
    """
    prompt_types = list(selection.prompt_types) or ["optimal"]
    groups = {"prompts": prompt_types} if len(prompt_types) > 1 else {}
    fields: dict[str, object] = {"id": "ad-hoc", "title": "Ad-hoc selection"}
    fields.update({"groups": groups} if groups else {"prompt_types": prompt_types})
    return _checked(fields, "selection")


def _checked(fields: dict[str, object], where: str) -> Phase:
    try:
        return Phase.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        flag = ".".join(str(part) for part in first["loc"]) or where
        raise ConsoleError(
            f"{flag}: {str(first['msg']).removeprefix('Value error, ')}", where=where
        ) from error


def narrowed(phase: Phase, selection: Selection) -> Phase:
    """Return `phase` with what the selection picks put in its place.

    Raises:
        ConsoleError: if a picked name is unknown, or picks prompts of which the phase's groups have none.
    """
    fields: dict[str, object] = phase.model_dump(exclude_unset=True)
    if selection.models:
        fields["models"] = list(selection.models)
    elif selection.model_class:
        fields["models"] = selection.model_class
    if selection.prompt_types:
        _pick_prompts(fields, phase, selection.prompt_types)
    replacements: dict[str, Sequence[object]] = {
        "difficulties": selection.difficulties,
        "task_types": selection.task_types,
        "tool_success_rates": selection.tool_success_rates,
    }
    for name, values in replacements.items():
        if values:
            fields[name] = list(values)
    if selection.instances is not None:
        fields["instances"] = selection.instances
    if selection.policy is not None:
        fields["order"] = {**phase.order.model_dump(exclude_unset=True), "policy": selection.policy}
    return _checked(fields, f"phase {phase.id} as selected")


def _pick_prompts(fields: dict[str, object], phase: Phase, wanted: tuple[str, ...]) -> None:
    if not phase.groups:
        fields["prompt_types"] = list(wanted)
        return
    groups = {
        name: [member for member in members if member in wanted] for name, members in phase.groups.items()
    }
    fields["groups"] = {name: members for name, members in groups.items() if members}
    held = {member for members in groups.values() for member in members}
    if missing := [name for name in wanted if name not in held]:
        raise ConsoleError(
            f"phase {phase.id} has no prompt type {missing[0]!r}",
            hint="it has " + ", ".join(member for members in phase.groups.values() for member in members),
        )
