# ruff: noqa: RUF012 - pydantic copies mutable defaults
"""The phase file: a matrix of tests and a rule for what may run at once."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from console.phases.policy import PolicyText
from console.profile.form import Count, Form, Name, NotNegative, SpacelessName, Text, expecting
from console.vocabulary.names import (
    DEFAULT_SEVERITY,
    DIFFICULTIES,
    PROMPT_TYPES,
    SEVERITIES,
    SEVERITY_ALIASES,
    TASK_TYPES,
)

Axis = Literal["provider", "model", "difficulty", "group", "rate", "prompt_type"]
AXES: Final[tuple[Axis, ...]] = get_args(Axis)
SEVERITY_RULE: Final = f"only flawed prompts bear one, of {', '.join(SEVERITIES)}"
Models = Annotated[
    Literal["open", "closed", "all"] | list[SpacelessName],
    expecting('"open", "closed", "all" or a list of model names'),
]
TaskTypes = Annotated[Literal["all"] | list[str], expecting('"all" or a list of task types')]
Rate = Annotated[float, Field(ge=0, le=1), expecting("a number from 0 to 1")]
PhaseIds = Annotated[
    list[Name],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    expecting("the id of a phase, or a list of such"),
]


def fault(text: str) -> PydanticCustomError:
    """Return an error that reads `<what stands there> <text>`."""
    return PydanticCustomError("said", "{fault}", {"fault": text})


def known(names: list[str], accepted: tuple[str, ...], what: str) -> list[str]:
    """Return `names` if there is one, all are accepted and none is there twice; raise a fault otherwise."""
    if not names:
        raise fault(f"needs at least one {what}")
    for name in names:
        if name not in accepted:
            raise fault(f"names {name!r}, which is no {what} (known: {', '.join(accepted)})")
    if len(set(names)) != len(names):
        raise fault(f"names a {what} twice")
    return names


def severity_fits(name: str) -> bool:
    """Say whether what follows `@` in a prompt type is a severity, and the prompt one that bears it."""
    bare, at, severity = name.partition("@")
    return not at or (_severity(severity) in SEVERITIES and bare.startswith("flawed_"))


def _severity(name: str) -> str:
    return SEVERITY_ALIASES.get(name, name)


def one_name(prompt_type: str) -> str:
    """Return the one name of a prompt type: a test has one id, however its severity was written.

    The severity that is meant without one is left out, and an alias gives way to the name that it stands for.
    """
    bare, at, severity = prompt_type.partition("@")
    severity = _severity(severity)
    return bare if not at or severity == DEFAULT_SEVERITY else f"{bare}@{severity}"


def known_prompt_types(names: list[str]) -> list[str]:
    """Return `names`, each as its one name, if all are prompt types, a flawed one with or without `@severity`."""
    for name in names:
        if not severity_fits(name):
            raise fault(f"names {name!r}, which has a wrong severity: {SEVERITY_RULE}")
        known([name.partition("@")[0]], PROMPT_TYPES, "prompt type")
    found = [one_name(name) for name in names]
    if not found or len(set(found)) != len(found):
        raise fault("needs at least one prompt type, none of them twice")
    return found


class OrderTable(Form):
    """What may run at once."""

    together: list[Axis] = []
    """Axes whose jobs run side by side; every other axis is in series."""
    together_when: dict[Axis, SpacelessName] = {}
    """Axis → provider: side by side only there."""
    stagger_s: NotNegative | None = None
    """Between the starts of jobs side by side; absent: the profile's `start.job_delay`."""
    policy: PolicyText = "as-is"


class Phase(Form):
    """One phase file."""

    id: Name
    title: Text = ""
    description: Text = ""
    variant_of: Name | None = None
    """Another way to run that phase: ranges and `all` leave it out, so that its tests are not planned twice."""
    models: Models = "all"
    prompt_types: list[str] = ["optimal"]
    difficulties: list[str] = ["easy"]
    task_types: TaskTypes = "all"
    tool_success_rates: list[Rate] = [0.8]
    instances: Count = 20
    """Per task type."""
    reuse: PhaseIds = []
    """Other phases: tests that one of them plans in the same run are taken from there."""
    groups: dict[str, list[str]] = {}
    """Group name → prompt types that one job carries together; replaces `prompt_types`."""
    order: OrderTable = OrderTable()

    @field_validator("prompt_types")
    @classmethod
    def _prompt_types(cls, value: list[str]) -> list[str]:
        return known_prompt_types(value)

    @field_validator("groups")
    @classmethod
    def _groups(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        if value:
            known_prompt_types([name for members in value.values() for name in members])
        if not all(value.values()):
            raise fault("has a group without a prompt type")
        return {name: [one_name(member) for member in members] for name, members in value.items()}

    @field_validator("difficulties")
    @classmethod
    def _difficulties(cls, value: list[str]) -> list[str]:
        return known(value, DIFFICULTIES, "difficulty")

    @field_validator("task_types")
    @classmethod
    def _task_types(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, str):
            return value
        return known(value, TASK_TYPES, "task type")

    @field_validator("tool_success_rates")
    @classmethod
    def _rates(cls, value: list[float]) -> list[float]:
        if not value or len(set(value)) != len(value):
            raise fault("needs at least one rate, none of them twice")
        return value

    @field_validator("reuse")
    @classmethod
    def _reuse(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("id") in value:
            raise fault("names the phase itself, which has nothing to take from itself")
        return value

    @model_validator(mode="after")
    def _groups_or_prompts(self) -> Phase:
        if self.groups and "prompt_types" in self.model_fields_set:
            raise fault("has both `prompt_types` and `[groups]`: keep one")
        return self

    def task_type_names(self) -> tuple[str, ...]:
        """Return the task types in registry order."""
        wanted = TASK_TYPES if self.task_types == "all" else tuple(self.task_types)
        return tuple(name for name in TASK_TYPES if name in wanted)

    def prompt_groups(self) -> dict[str, tuple[str, ...]]:
        """Return what one job carries: the groups, or each prompt type alone."""
        if self.groups:
            return {name: tuple(members) for name, members in self.groups.items()}
        return {name: (name,) for name in self.prompt_types}
