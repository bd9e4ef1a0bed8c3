"""What the console leaves behind when it closes, and the question before it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from console.screens.backend import RunEnd
from console.vocabulary.safe_text import safe_line


@dataclass(frozen=True, slots=True)
class Leaving:
    """Which run was watched last, and how it stands."""

    run_dir: Path
    run_id: str
    state: Literal["live", "ended", "gone"]
    done: int = 0
    planned: int = 0
    end: RunEnd | None = None

    def lines(self) -> list[str]:
        """Return what is printed on the normal screen: what goes on, and how to come back."""
        run = safe_line(self.run_id, 100)
        figures = f"{self.done}/{self.planned} tests"
        if self.state == "live":
            return [f"run {run} goes on ({figures})", f"  watch it again: ultra-console attach {run}"]
        if self.state == "gone":
            return [
                f"run {run}: the engine ended unexpectedly; what finished is in the journal",
                f"  see it: ultra-console summary {run}",
            ]
        how = "finished" if self.end is None else self.end.state
        return [f"run {run} {how} ({figures})", f"  see it: ultra-console summary {run}"]

    @property
    def exit_code(self) -> int:
        """The run's own code where it ended while watched; 0 after detaching; 3 for an engine that is gone."""
        if self.end is not None:
            return self.end.exit_code
        return 3 if self.state == "gone" else 0
