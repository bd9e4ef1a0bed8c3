"""`ultra-console tasks show`: one task as models see it, with its plan and goal."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click

from console.cli.saying import say
from console.vocabulary.errors import ConsoleError
from console.vocabulary.names import DIFFICULTIES, PROMPT_TYPES, SEVERITIES, TASK_TYPES

if TYPE_CHECKING:
    from console.work.task import Task

_SHORT_ID: Final = 2
_MOST_INSTANCE: Final = 10**9


@click.group()
def tasks() -> None:
    """Look at tasks of the library."""


@tasks.command()
@click.argument("task_id", metavar="ID")
@click.option(
    "--prompt-type",
    help="How it is put: baseline, cot, optimal, flawed_…[@light|medium|severe]; absent: as in the ID, else optimal.",
)
@click.option(
    "--difficulty",
    type=click.Choice(DIFFICULTIES),
    help="How plainly it is worded; absent: as in the ID, else easy.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def show(task_id: str, *, prompt_type: str | None, difficulty: str | None, seed: int, as_json: bool) -> None:
    """Show the task ID, such as data_pipeline/7, or that of a test: MODEL/optimal/easy/0.8/data_pipeline/7."""
    import msgspec

    from console.phases.phase import one_name
    from console.work.library import LIBRARY, task_of
    from console.work.prompts import opening, shown_plan
    from console.work.protocol import rules

    task_type, instance, of_test = _read_id(task_id)
    prompt_type = one_name(prompt_type or of_test[0])
    difficulty = difficulty or of_test[1]
    _check_prompt_type(prompt_type)
    task = task_of(seed, task_type, instance)
    user = opening(task, prompt_type, difficulty, "")[1]["content"]
    if as_json:
        record: dict[str, Any] = {
            "id": task.id,
            "seed": seed,
            "library": LIBRARY,
            "template": task.template,
            "prompt_type": prompt_type,
            "difficulty": difficulty,
            "rules": rules("tools"),
            "user_message": user,
            "plan": task.plan,
            "shown_plan": shown_plan(task, prompt_type),
            "goal": task.goal,
            "start": task.start,
        }
        say(msgspec.json.encode(record))
        return
    width = max(60, shutil.get_terminal_size((80, 24)).columns)
    say(f"{task.id} · seed {seed} · library {LIBRARY} · {prompt_type} · {difficulty}")
    for line in ["", "What every model is told first:", *_folded(rules("tools"), width)]:
        say(line)
    for line in ["", "What it is asked:", *_folded(user, width)]:
        say(line)
    for line in _inside(task, width):
        say(line)


def _read_id(text: str) -> tuple[str, int, tuple[str, str]]:
    """Return task type, instance, and prompt type and difficulty, of the id of a task or of a test.

    Raises:
        ConsoleError: if it is neither.
    """
    parts = text.split("/")
    task_type, number = parts[-2:] if len(parts) >= _SHORT_ID else ("", "")
    if task_type not in TASK_TYPES or not number.isdecimal() or not 1 <= int(number) <= _MOST_INSTANCE:
        raise ConsoleError(
            f"{text!r} is no id of a task",
            hint=f"such as {TASK_TYPES[0]}/1, or the id of a test; task types: {', '.join(TASK_TYPES)}",
        )
    of_test = ("optimal", "easy")
    if len(parts) > _SHORT_ID:
        if len(parts) < 6 or parts[-4] not in DIFFICULTIES:
            raise ConsoleError(
                f"{text!r} is no id of a test", hint="MODEL/PROMPT/DIFFICULTY/RATE/TYPE/NUMBER"
            )
        of_test = (parts[-5], parts[-4])
    return task_type, int(number), of_test


def _check_prompt_type(name: str) -> None:
    from console.phases.phase import severity_fits

    if name.partition("@")[0] not in PROMPT_TYPES or not severity_fits(name):
        raise ConsoleError(
            f"{name!r} is no prompt type",
            hint=f"one of {', '.join(PROMPT_TYPES)}; flawed ones with @{', @'.join(SEVERITIES)}",
        )


def _inside(task: Task, width: int) -> list[str]:
    """Return what no model is told: plan, goal, and the world at the beginning."""
    import msgspec

    from console.work.prompts import plan_text

    lines = ["", "Its true plan:", *_folded(plan_text(task.plan).partition("\n")[2], width)]
    lines += ["", "What has to hold at the end:"]
    for condition in task.goal:
        value = msgspec.json.encode(condition.value).decode()
        lines += _folded(f"{condition.section} {condition.name} = {value}", width)
    lines += ["", "What is there at the beginning:"]
    for section, entries in task.start.items():
        for name, value in entries.items():
            lines += _folded(f"{section} {name} = {msgspec.json.encode(value).decode()}", width)
    return lines


def _folded(text: str, width: int) -> list[str]:
    return [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(
            line, width - 2, initial_indent="  ", subsequent_indent="     ", break_on_hyphens=False
        )
    ]
