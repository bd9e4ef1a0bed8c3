"""What a user picks out of phases on the command line, and the ad-hoc phase made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from pydantic import TypeAdapter, ValidationError

from console.phases.matrix import ModelChoice
from console.phases.phase import AXES, SEVERITY_RULE, Phase, one_name, severity_fits
from console.phases.policy import BATCH_HINT, IN_SERIES, POLICIES_TEXT, parse_policy
from console.profile.complaints import Complaint, complaints, meant_hint
from console.profile.form import SpacelessName
from console.profile.toml_lines import dotted
from console.vocabulary.errors import ConsoleError, Problem, Problems
from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, TASK_TYPES
from console.vocabulary.nearest import nearest
from console.vocabulary.safe_text import safe_line
from console.vocabulary.test_id import rate_text

CLASSES = ("open", "closed", "all")


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Parts of a matrix to keep. An empty tuple or None keeps all, or the phase's own."""

    model_class: str | None = None
    """Replaces a phase's `models` where that is a class; where it is a list, keeps those of the class."""
    models: tuple[str, ...] = ()
    """Replaces the phase's list."""
    prompt_types: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    tool_success_rates: tuple[float, ...] = ()
    instances: int | None = None
    """Per task type."""
    policy: str | None = None
    ultra_parallel: bool = False
    """Every axis side by side: only gates, leases and the stagger hold work back."""

    @property
    def empty(self) -> bool:
        """Whether no test is picked; how they run picks none."""
        return msgspec.structs.replace(self, policy=None, ultra_parallel=False) == Selection()


def ad_hoc_phase(selection: Selection) -> Phase:
    """Return the phase that a selection alone stands for: optimal, easy, all task types, 0.8, 20 of each.

    All its prompt types are one group, so that one job carries them.

    Raises:
        Problems: everything that is wrong with the picks, each at its flag.
    """
    _refuse_wrong(selection)
    prompt_types = list(map(one_name, selection.prompt_types)) or ["optimal"]
    groups = {"prompts": prompt_types} if len(prompt_types) > 1 else {}
    fields: dict[str, object] = {"id": "ad-hoc", "title": "Ad-hoc selection"}
    fields.update({"groups": groups} if groups else {"prompt_types": prompt_types})
    return _checked(fields, "selection")


def _checked(fields: dict[str, object], where: str) -> Phase:
    try:
        return Phase.model_validate(fields)
    except ValidationError as error:
        found = complaints(error, fields, Phase)
        raise Problems(
            [Problem(where, None, dotted(one.path), one.message, one.hint) for one in found]
        ) from None


def narrowed(phase: Phase, selection: Selection) -> Phase:
    """Return `phase` with what the selection picks put in its place.

    Raises:
        Problems: everything that is wrong with the picks, each at its flag.
        ConsoleError: if a prompt type is picked that the phase's groups do not have.
    """
    _refuse_wrong(selection)
    fields: dict[str, object] = phase.model_dump(exclude_unset=True)
    if selection.models:
        fields["models"] = list(selection.models)
    elif selection.model_class and isinstance(phase.models, str):
        fields["models"] = selection.model_class
    if selection.prompt_types:
        _pick_prompts(fields, phase, tuple(map(one_name, selection.prompt_types)))
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
    order = phase.order.model_dump(exclude_unset=True)
    if selection.policy is not None:
        order["policy"] = selection.policy
    if selection.ultra_parallel:
        _refuse_contradiction(phase, order.get("policy", "as-is"))
        order.update(together=list(AXES), together_when={})
    if order:
        fields["order"] = order
    return _checked(fields, f"phase {phase.id} as selected")


def _refuse_contradiction(phase: Phase, policy: str) -> None:
    if parse_policy(policy).kind in IN_SERIES:
        raise ConsoleError(
            f"--ultra-parallel puts everything side by side, and policy {policy} does not",
            where=f"phase {phase.id}",
            hint="with --ultra-parallel the policy is as-is, key-pool or groups-spread",
        )


def _pick_prompts(fields: dict[str, object], phase: Phase, wanted: tuple[str, ...]) -> None:
    if not phase.groups:
        fields["prompt_types"] = list(wanted)
        return
    held = [member for members in phase.groups.values() for member in members]
    if missing := [name for name in wanted if _bare(name) not in map(_bare, held)]:
        raise ConsoleError(
            f"phase {phase.id} has no prompt type {_quoted(missing[0])}",
            where="--prompt-types",
            hint="it has " + ", ".join(held),
        )
    groups = {
        group: list(
            dict.fromkeys(name for member in members for name in wanted if _bare(name) == _bare(member))
        )
        for group, members in phase.groups.items()
    }
    fields["groups"] = {group: members for group, members in groups.items() if members}


def _bare(prompt_type: str) -> str:
    """Return a prompt type without its severity: a flaw picked with one is of the group that has the flaw."""
    return prompt_type.partition("@")[0]


def class_conflicts(selection: Selection, choices: Sequence[ModelChoice]) -> list[str]:
    """Return, for every picked model that is of another class than the picked one, that it is.

    A model that is not among the choices is left to whoever looks it up.
    """
    wanted = selection.model_class
    if wanted is None or wanted == "all":
        return []
    classes = {choice.name: choice.model_class for choice in choices}
    return [
        f"{_quoted(name)} is {classes[name]}, and --class asks for {wanted} models"
        for name in selection.models
        if name in classes and classes[name] != wanted
    ]


def _refuse_wrong(selection: Selection) -> None:
    found = list(_wrong_picks(selection))
    if found:
        raise Problems([Problem(flag, None, "", one.message, one.hint) for flag, one in found])


def _wrong_picks(selection: Selection) -> Iterator[tuple[str, Complaint]]:
    """Yield the flag and what is wrong with what it picks, with what may be picked in its place."""
    if selection.model_class is not None and selection.model_class not in CLASSES:
        yield "--class", _no(selection.model_class, f"is not {_either(CLASSES)}")
    for name in selection.prompt_types:
        if name.partition("@")[0] not in PROMPT_TYPES:
            yield "--prompt-types", _unknown_prompt(name)
        elif not severity_fits(name):
            yield "--prompt-types", _no(name, f"has a wrong severity: {SEVERITY_RULE}")
    named = (
        ("--difficulty", selection.difficulties, DIFFICULTIES, "difficulty"),
        ("--task-types", selection.task_types, TASK_TYPES, "task type"),
    )
    for flag, picked, known, what in named:
        for name in picked:
            if name not in known:
                yield flag, _unknown(name, what, known)
    for name in selection.models:
        try:
            TypeAdapter(SpacelessName).validate_python(name)
        except ValidationError:
            yield "--model", _no(name, "is no name (1 to 200 characters without spaces or commas)")
    for rate in selection.tool_success_rates:
        if not 0 <= rate <= 1:
            yield "--tool-success-rate", Complaint((), f"{rate:g} is not a number from 0 to 1")
    if selection.instances is not None and selection.instances < 1:
        yield "--num-instances", Complaint((), f"{selection.instances} is not a whole number ≥ 1")
    if selection.policy is not None:
        try:
            parse_policy(selection.policy)
        except ValueError:
            hint = BATCH_HINT if selection.policy.startswith("batches") else None
            yield "--policy", _no(selection.policy, f"is not {POLICIES_TEXT}", hint)
    yield from _twice(selection)


def _twice(selection: Selection) -> Iterator[tuple[str, Complaint]]:
    lists: tuple[tuple[str, Sequence[str]], ...] = (
        ("--model", selection.models),
        ("--prompt-types", list(map(one_name, selection.prompt_types))),
        ("--difficulty", selection.difficulties),
        ("--task-types", selection.task_types),
        ("--tool-success-rate", [rate_text(rate) for rate in selection.tool_success_rates]),
    )
    for flag, picked in lists:
        for name, count in Counter(picked).items():
            if count > 1:
                yield flag, _no(name, "is there more than once")


def _no(name: str, message: str, hint: str | None = None) -> Complaint:
    return Complaint((), f"{_quoted(name)} {message}", hint)


def _unknown(name: str, what: str, available: Sequence[str]) -> Complaint:
    return _no(name, f"is no {what}", meant_hint(name, list(available), what="available"))


def _unknown_prompt(name: str) -> Complaint:
    near = nearest(name, list(PROMPT_TYPES))
    hint = f"did you mean {near}?" if near else f"known: {', '.join(PROMPT_TYPES)}"
    return _no(name, "is no prompt type", hint)


def _quoted(name: str) -> str:
    return f"'{safe_line(name, 80)}'"


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
