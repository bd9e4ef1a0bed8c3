"""The phase file: a matrix of tests and a rule for what may run at once."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, SEVERITIES, TASK_TYPES

Axis = Literal["provider", "model", "difficulty", "group", "rate", "prompt_type"]
Policy = Literal["as-is", "serial", "batches-of-3", "key-pool", "groups-spread", "groups-serial"]
AVAILABLE_POLICIES: Final = ("as-is", "serial")
Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, strict=True)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def known(names: list[str], accepted: tuple[str, ...], what: str) -> list[str]:
    """Return `names` if all are accepted.

    Raises:
        ValueError: naming the first that is not, and those that are.
    """
    for name in names:
        if name not in accepted:
            raise ValueError(f"{name!r} is no {what} (known: {', '.join(accepted)})")
    if len(set(names)) != len(names):
        raise ValueError(f"names a {what} twice")
    return names


def known_prompt_types(names: list[str]) -> list[str]:
    """Return `names` if all are prompt types, a flawed one with or without `@severity`."""
    for name in names:
        bare, at, severity = name.partition("@")
        if at and (severity not in SEVERITIES or not bare.startswith("flawed_")):
            raise ValueError(f"{name!r}: only flawed prompts bear a severity, one of {', '.join(SEVERITIES)}")
    known([name.partition("@")[0] for name in names], PROMPT_TYPES, "prompt type")
    return names


class OrderTable(_Table):
    """What may run at once."""

    together: list[Axis] = []
    """Axes whose jobs run side by side; every other axis is in series."""
    together_when: dict[Axis, str] = {}
    """Axis → provider: side by side only there."""
    stagger_s: Annotated[float, Field(ge=0)] | None = None
    """Between the starts of jobs side by side; absent: the profile's `start.job_delay`."""
    policy: Policy = "as-is"


class Phase(_Table):
    """One phase file."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    title: str = ""
    description: str = ""
    models: Literal["open", "closed", "all"] | list[str] = "all"
    prompt_types: list[str] = ["optimal"]
    difficulties: list[str] = ["easy"]
    task_types: Literal["all"] | list[str] = "all"
    tool_success_rates: list[Rate] = [0.8]
    instances: Count = 20
    """Per task type."""
    groups: dict[str, list[str]] = {}
    """Group name → prompt types that one job carries together; replaces `prompt_types`."""
    order: OrderTable = OrderTable()

    @field_validator("prompt_types")
    @classmethod
    def _prompt_types(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("needs at least one prompt type")
        return known_prompt_types(value)

    @field_validator("groups")
    @classmethod
    def _groups(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for members in value.values():
            if not members:
                raise ValueError("a group needs at least one prompt type")
        known_prompt_types([name for members in value.values() for name in members])
        return value

    @field_validator("difficulties")
    @classmethod
    def _difficulties(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("needs at least one difficulty")
        return known(value, DIFFICULTIES, "difficulty")

    @field_validator("task_types")
    @classmethod
    def _task_types(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, str):
            return value
        if not value:
            raise ValueError("needs at least one task type")
        return known(value, TASK_TYPES, "task type")

    @field_validator("tool_success_rates")
    @classmethod
    def _rates(cls, value: list[float]) -> list[float]:
        if not value or len(set(value)) != len(value):
            raise ValueError("needs at least one rate, none of them twice")
        return value

    @model_validator(mode="after")
    def _groups_or_prompts(self) -> Phase:
        if self.groups and "prompt_types" in self.model_fields_set:
            raise ValueError("has both `prompt_types` and `[groups]`: keep one")
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
