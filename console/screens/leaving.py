"""What the console leaves behind when it closes: how the run stands that was watched last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from console.screens.live.needs import RunEnd
from console.vocabulary.safe_text import safe_line


@dataclass(frozen=True, slots=True)
class Leaving:
    """Which run was watched last, and how it stands."""

    run_dir: Path
    run_id: str
    state: Literal["live", "stopping", "ended", "gone"]
    done: int = 0
    planned: int = 0
    end: RunEnd | None = None

    def lines(self) -> list[str]:
        """Return what is printed on the normal screen: what became of the run, and how to come back."""
        run = safe_line(self.run_id, 100)
        figures = f"{self.done}/{self.planned} tests" if self.planned else "no figures seen"
        see = f"  see it: ultra-console summary {run}"
        match self.state:
            case "live":
                return [f"run {run} goes on ({figures})", f"  watch it again: ultra-console attach {run}"]
            case "stopping":
                return [f"run {run} was told to stop, and has not ended yet ({figures})", see]
            case "gone":
                heard = f" ({figures} when it was last heard)" if self.planned else ""
                return [
                    f"run {run}: the engine is gone, without an end{heard}",
                    f"  what is finished is kept: {safe_line(str(self.run_dir), 500)}/journal",
                    see,
                ]
            case "ended":
                stopped = self.end is not None and self.end.state == "interrupted"
                return [f"run {run} {'was stopped' if stopped else 'finished'} ({figures})", see]

    @property
    def exit_code(self) -> int:
        """The run's own code where it ended while watched; 0 after detaching; 3 for an engine that is gone."""
        if self.end is not None:
            return self.end.exit_code
        return 3 if self.state == "gone" else 0
