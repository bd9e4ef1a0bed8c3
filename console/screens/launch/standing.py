"""What is known of the present choice: its counts, its plan or why there is none, and how both are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from console.screens.launch.choosing import Picks
from console.screens.launch.needs import Asked, Matrix, PhaseLine, Planned
from console.screens.launch.plan_lines import DocLine, plan_document, said
from console.screens.launch.state import nothing_asked
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Line, Run

_HINT: Final = (
    "Nothing is chosen yet.",
    "",
    "Space checks a phase, or all below a branch; right opens it.",
    "",
    "Models, prompt types, flaws, difficulties, rates and task types that are picked hold for every chosen phase.",
    "",
    "Enter on a phase asks whether to launch it. Tab goes to the settings and to the plan.",
)
_NO_PHASES: Final = (
    "There are no phases.",
    "",
    "Built-in ones are missing from this installation; your own go to phases/NAME.toml beside your profiles.",
    "",
    "Without one, models and prompt types that are picked here can be run as they are.",
)
_NAMES: Final = {
    "model": "model",
    "prompt": "prompt type",
    "difficulty": "difficulty",
    "rate": "tool success rate",
    "task": "task type",
}


def error_lines(error: ConsoleError) -> tuple[str, ...]:
    """Return all lines of an error."""
    return tuple(text for whole in error.lines() for text in whole.splitlines())


@dataclass(slots=True)
class Standing:
    """Facts as they came in, each of the choice that it was asked for."""

    matrix: Matrix = field(default_factory=Matrix)
    counted: bool = False
    """The matrix has come."""
    of: Asked | None = None
    """What the plan or the error is of."""
    planned: Planned | None = None
    """The last plan that could be made."""
    planned_of: Asked | None = None
    planned_at: datetime | None = None
    error: tuple[str, ...] = ()
    live: Path | None = None
    """A run that goes on."""
    word: str = ""
    """Said once."""

    def took_plan(self, asked: Asked, planned: Planned, at: datetime) -> None:
        """Take a plan."""
        self.of = self.planned_of = asked
        self.planned, self.planned_at, self.error = planned, at, ()

    def took_error(self, asked: Asked, error: tuple[str, ...]) -> None:
        """Take in why there is none."""
        self.of, self.error = asked, error

    def current(self, asked: Asked) -> Planned | None:
        """Return the plan of exactly this."""
        return self.planned if self.of == asked == self.planned_of and not self.error else None

    def is_planning(self, asked: Asked, picks: Picks) -> bool:
        """Whether a plan of this is on its way."""
        return self.of != asked and not picks.emptied and not nothing_asked(asked)

    def document(
        self, asked: Asked, picks: Picks, under: PhaseLine | None, *, tall: bool, ascii_only: bool
    ) -> Callable[[int], Sequence[DocLine]]:
        """Return what stands in the pane of the plan: the plan, or what there is to say in its place."""
        if under is not None and under.error is not None:
            title = f"phase {safe_line(under.id, 60)} cannot be used"
            return _told((title, *under.error.splitlines()), bad=1)
        if picks.emptied:
            return _told(
                tuple(
                    f"No {_NAMES[axis]} is left: Space checks one, o lets each phase have its own."
                    for axis in picks.emptied
                )
            )
        if nothing_asked(asked):
            return _told(_HINT if self.matrix.phases or not self.counted else _NO_PHASES)
        if self.of == asked and self.error:
            return _told(self.error, bad=1)
        planned, at = self.planned, self.planned_at
        if planned is None or at is None:
            return _told(("planning …",))
        notes = self.matrix.notes if self.planned_of == asked else ()

        def lines(width: int) -> list[DocLine]:
            of = self.planned_of or asked
            return plan_document(
                planned, of, width=width, now=at, notes=notes, tall=tall, ascii_only=ascii_only
            )

        return lines

    def title(self, asked: Asked, picks: Picks) -> str:
        """Return what stands over that."""
        if not self.is_planning(asked, picks):
            return "plan"
        return "planning … (below: the plan before)" if self.planned is not None else "planning …"

    def notice(self, asked: Asked) -> Line:
        """Return the line above it all: the profile, what is live, what was said last."""
        runs: list[Run] = [(" under ", "muted"), (safe_line(asked.profile, 40), "strong")]
        if self.word:
            return (*runs, (f"  {safe_line(self.word, 200)}", "accent"))
        if self.live is not None:
            runs.append((f"  run {safe_line(self.live.name, 60)} goes on: 3 watches it", "accent"))
        elif self.counted and not self.matrix.own_profiles:
            runs.append(("  all profiles are built-in: 1 makes one of your own", "muted"))
        else:
            runs.append(("  1 chooses another profile", "muted"))
        return tuple(runs)


def _told(lines: Sequence[str], *, bad: int = 0) -> Callable[[int], Sequence[DocLine]]:
    """Return words as a document, the first `bad` lines as errors."""

    def document(width: int) -> list[DocLine]:
        found: list[DocLine] = []
        for number, line in enumerate(lines):
            found += said(line, "bad" if number < bad else "", width, "  ") if line else [DocLine()]
        return found

    return document
