"""What the results screen asks of the rest of the program, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from console.screens.results.places import Place
from console.screens.results.sheet import Sheet
from console.screens.runs.needs import RunKind

Watch = Callable[[float], None]
"""Is told what share of a run has been read; what it raises ends the reading."""
What = Literal["table", "tests", "summary"]
Format = Literal["csv", "json", "parquet", "md"]
Scoring = Literal["goal", "original"]
"""By what tests are full, partial or failure: the state that was to be reached, or the marks of the first harness."""


@dataclass(frozen=True, slots=True)
class RunHead:
    """What must be known of a run whatever is read of it."""

    run_id: str
    run_dir: Path
    title: str
    profile: str
    kind: RunKind
    simulated: bool
    done: int
    planned: int
    unit: Literal["tests", "prompts"] = "tests"
    is_search: bool = False
    """It is a capacity search, which has a screen of its own."""
    partial_reason: str = ""
    """Why these are not the results of the whole run; empty: they are."""
    alarm: str = ""
    """Why latencies are not the server's; empty: they are."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the overview."""

    label: str
    """Empty: it goes on from the line above."""
    text: str
    tone: Literal["", "strong", "muted", "good", "warn", "bad"] = ""


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be written where."""

    what: What
    format: Format
    path: Path
    overwrite: bool = False


class TestText(Protocol):
    """One test, with all that was said in it."""

    __test__ = False

    def lines(self, width: int) -> list[str]:
        """Return it as safe lines of at most `width` columns; takes a moment where much was said."""
        ...


class RunResults(Protocol):
    """The results of one run as they were when it was read. All calls may take a moment, and may be made side by side."""

    @property
    def head(self) -> RunHead:
        """What must be known of it."""
        ...

    def by(self, scoring: Scoring) -> RunResults:
        """Return the same run judged by another scoring preset."""
        ...

    def overview(self) -> Sequence[Fact]:
        """Return the run in a screenful."""
        ...

    def sheet(self, place: Place) -> Sheet:
        """Return the table of a place. Levels at which there is nothing to choose are passed over."""
        ...

    def test(self, test: str) -> TestText:
        """Return one test."""
        ...

    def export(self, wanted: Export, sheet: Sheet | None, order: Sequence[int]) -> Path:
        """Write a file and return where; `sheet` and `order` are the table as shown.

        Raises:
            FileExistsError: if there is one, and it is not to be written over.
        """
        ...


class ResultsNeeds(Protocol):
    """Calls may take a moment: screens make them in a thread. Errors meant for the user are ConsoleError."""

    def read(self, run_dir: Path, watch: Watch) -> RunResults:
        """Read the results of a run, ended or not."""
        ...
