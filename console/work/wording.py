"""Five difficulties of saying the same task: what fades is how plainly it names tools and order, never a name or figure."""

from __future__ import annotations

from typing import Any, Final

from console.vocabulary.names import DIFFICULTIES
from console.work.library import draw
from console.work.phrases import PHRASES
from console.work.task import Step, Task

_LEVEL: Final = {"very_easy": 0, "easy": 0, "medium": 1, "hard": 2, "very_hard": 3}
"""Which of a tool's wordings a difficulty takes; very easy names the tool besides."""
_COMPARED: Final = {"at_least": "at least", "at_most": "at most", "equals": "equal to", "differs": "not"}
_AHEAD: Final = ("First, ", "Then, ", "After that, ", "Next, ")
_HEDGES: Final = (
    "The order may matter more than it seems.",
    "Not everything here is said in the order in which it has to happen.",
    "Those who ask for this do not know the tools, and should not need to.",
)


def describe(task: Task, difficulty: str) -> str:
    """Return the task in words.

    Very easy and easy number the steps in words; medium only lists them; hard tells what is wanted in the end first;
    very hard tells the steps in another order, so that it has to be found out from what they work on.

    Raises:
        KeyError: if there is no such difficulty.
    """
    level = _LEVEL[difficulty]
    said = [_sentence(step, level) for step in task.plan]
    names = {str(value) for step in task.plan for value in step.arguments.values()}
    if difficulty == "very_easy":
        said = [f"{text} (tool: {step.tool})" for text, step in zip(said, task.plan, strict=True)]
    if difficulty in ("very_easy", "easy"):
        return " ".join(_numbered(said))
    rng = draw("wording", task.mark, difficulty)
    if difficulty == "medium":
        return " ".join(_capital(text, names) + "." for text in said)
    if difficulty == "hard":
        return f"{task.story} Wanted in the end: {said[-1]}. On the way: {'; '.join(said[:-1])}."
    rng.shuffle(said)
    return f"{task.story} {' '.join(_capital(text, names) + '.' for text in said)} {rng.choice(_HEDGES)}"


def _numbered(said: list[str]) -> list[str]:
    last = len(said) - 1
    ahead = ["Finally, " if place == last else _AHEAD[min(place, 3)] for place in range(len(said))]
    return [f"{word}{text}." for word, text in zip(ahead, said, strict=True)]


def _sentence(step: Step, level: int) -> str:
    return PHRASES[step.tool][level].format_map(_spoken(step))


def _spoken(step: Step) -> dict[str, Any]:
    """Return the arguments of a step as they are said."""
    given = dict(step.arguments)
    if step.tool == "file_scanner":
        given["folder"] += "/"  # a folder called in would read as a word
    if step.tool == "data_filter":
        given["comparison"] = _COMPARED[given["comparison"]]
    if step.tool == "data_validator":
        given["rule"] = {"number": "a number", "text": "text", "not_empty": "not empty"}.get(
            given["rule"], given["rule"]
        )
    if step.tool == "data_transformer":
        field, factor = given["field"], given.get("factor")
        given["change"] = {
            "upper": f"put {field} in upper case",
            "lower": f"put {field} in lower case",
            "scale": f"scale {field} by {factor}",
            "add": f"add {factor} to {field}",
        }[given["operation"]]
    return given


def _capital(text: str, names: set[str]) -> str:
    """Begin a sentence, unless it begins with a name, which has to stay as it is."""
    return text if text.split(" ", 1)[0].rstrip(",:;") in names else text[:1].upper() + text[1:]


assert tuple(_LEVEL) == DIFFICULTIES
