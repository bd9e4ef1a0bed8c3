"""Where in the results one is: a view, and the steps down from it. No Textual here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, get_args

View = Literal["overview", "models", "keys", "deployments", "lanes", "phases", "errors", "tests"]
VIEWS: Final[tuple[View, ...]] = get_args(View)
"""In the order in which a key goes through them."""

Axis = Literal[
    "model",
    "prompt_type",
    "difficulty",
    "rate",
    "task_type",
    "verdict",
    "error_class",
    "provider",
    "deployment",
    "key",
    "table",
]
"""What a step chooses by; all but `table`, which is one table of the report, are columns of the table of tests."""

DOWN: Final[tuple[Axis, ...]] = ("model", "prompt_type", "difficulty", "rate", "task_type")
"""From a model down to its tests."""
OUTCOMES: Final[tuple[str, ...]] = ("", "not full", "failure", "partial", "infrastructure", "full")
"""Which tests a list shows, in the order in which a key goes through them; empty: all."""
_WORDS: Final = {
    "failure": "failures",
    "infrastructure": "without an answer",
    "partial": "partial",
    "full": "full",
    "not full": "not full",
}


class Step(NamedTuple):
    """One step down: only what has this value."""

    axis: Axis
    value: str

    @property
    def word(self) -> str:
        """How a breadcrumb names it."""
        if self.axis == "verdict":
            return _WORDS.get(self.value, self.value)
        return self.value


class Place(NamedTuple):
    """A table of the results."""

    view: View
    steps: tuple[Step, ...] = ()
    as_tests: bool = False
    """Whether it is the list of the tests, and not the next level."""

    def down(self, steps: Sequence[Step], *, as_tests: bool = False) -> Place:
        """Return the place that these steps lead to."""
        return Place(self.view, (*self.steps, *steps), as_tests)

    def value(self, axis: Axis) -> str | None:
        """Return what was chosen on an axis, the last step deciding."""
        return next((step.value for step in reversed(self.steps) if step.axis == axis), None)

    def with_outcome(self, outcome: str) -> Place:
        """Return the same list with only the tests that ended so; empty: all of them."""
        steps = tuple(step for step in self.steps if step.axis != "verdict")
        return Place(self.view, (*steps, Step("verdict", outcome)) if outcome else steps, as_tests=True)


def next_outcome(outcome: str, step: int = 1) -> str:
    """Return what a list shows after `outcome`."""
    at = OUTCOMES.index(outcome) if outcome in OUTCOMES else 0
    return OUTCOMES[(at + step) % len(OUTCOMES)]


def next_view(view: View, step: int) -> View:
    """Return the view behind, or with -1 before, this one."""
    return VIEWS[(VIEWS.index(view) + step) % len(VIEWS)]


def trail(place: Place) -> list[str]:
    """Return where one is: the steps down, or what is at the top."""
    words = [step.word for step in place.steps if step.word]
    return words or [{"phases": "tables of the report"}.get(place.view, f"all {place.view}")]
