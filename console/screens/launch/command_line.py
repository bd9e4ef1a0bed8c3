"""The arguments of `run` that a choice stands for: what is planned, rehearsed, launched and shown to be copied."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Final

from console.screens.launch.needs import Asked

PROGRAM: Final = "ultra-console"


def arguments(asked: Asked) -> list[str]:
    """Return the arguments after `run`; only what differs from what `run` does by itself, but for the profile."""
    said = ["--profile", asked.profile]
    for change in asked.changes:
        said += ["--set", change]
    lists = (
        ("--phase", asked.phases),
        ("--model", asked.models),
        ("--prompt-types", asked.prompt_types),
        ("--difficulty", asked.difficulties),
        ("--tool-success-rate", asked.rates),
        ("--task-types", asked.task_types),
    )
    for flag, values in lists:
        if values:
            said += [flag, ",".join(values)]
    settings = (
        ("--class", asked.model_class),
        ("--num-instances", None if asked.instances is None else str(asked.instances)),
        ("--policy", asked.policy),
        ("--rate-mode", asked.rate_mode),
        ("--seed", str(asked.seed) if asked.seed else None),
        ("--reuse", asked.reuse),
        ("--processes", None if asked.processes == "1" else asked.processes),
        ("--run-id", asked.run_id),
    )
    for flag, value in settings:
        if value is not None:
            said += [flag, value]
    flags = (("--ultra-parallel", asked.ultra_parallel), ("--no-content", not asked.content))
    return [*said, *(flag for flag, on in flags if on)]


def command_line(asked: Asked) -> str:
    """Return the command as a shell takes it."""
    return shlex.join([PROGRAM, "run", *arguments(asked)])


def cured(asked: Asked, change: tuple[str, ...]) -> Asked | None:
    """Return what is asked with the arguments of a cure added; None: they are no settings of this screen."""
    pairs = list(zip(change[::2], change[1::2], strict=False))
    if not pairs or len(change) % 2:
        return None
    for flag, value in pairs:
        match flag:
            case "--policy":
                asked = replace(asked, policy=value)
            case "--rate-mode":
                asked = replace(asked, rate_mode=value)
            case "--set":
                path = value.partition("=")[0]
                kept = (text for text in asked.changes if text.partition("=")[0] != path)
                asked = replace(asked, changes=(*kept, value))
            case _:
                return None
    return asked
