"""Why a key of the list of runs does nothing now, in a line. Pure."""

from __future__ import annotations

from console.screens.runs.needs import RunChoice
from console.screens.runs.run_rows import NO_RESUME


def why_not(action: str, run: RunChoice | None) -> str:
    """Return why an action that is not offered is not, with the cursor on `run`; "" where there is nothing to say."""
    if action in ("prune", "filter"):
        return "there are no runs"
    if action == "compare":
        return "it takes two runs: Space marks them"
    if action not in ("attach", "results", "copy", "delete", "resume"):
        return ""
    if run is None:
        return "the cursor is on no run"
    if action == "delete":
        return "a live run is not deleted: a watches it, and s stops it there"
    if run.error:
        return "the run is damaged: what is wrong is said below the list"
    if action == "attach":
        return "the run is over: Enter shows its results"
    if run.kind in ("partial", "interrupted"):
        return NO_RESUME.format(run=run.id)
    return "only a run that died could be resumed"
