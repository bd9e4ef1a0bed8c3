"""Why a key of the capacity screen does nothing now, in a line. Pure."""

from __future__ import annotations

from typing import Literal

Mode = Literal["form", "live", "over"]


def why_not(action: str, mode: Mode, *, state: str, standing: str, going_on: bool) -> str:
    """Return why an action that is not offered is not; "" where there is nothing to say.

    Args:
        action: its name.
        mode: what the screen shows.
        state: of the run.
        standing: of the line to it.
        going_on: whether the form has a search that it covers.
    """
    if action in ("pause_run", "resume_run", "stop_run") and mode != "form":
        if mode == "over":
            return "the search is over"
        if state in ("stopping", "draining"):
            return "the search is stopping"
        return {"connecting": "the engine has not answered yet", "silent": "the engine does not answer"}.get(
            standing, ""
        )
    if action == "go_on":
        return {
            "form": "no search is shown: 6 lists them",
            "live": "the search goes on by itself",
            "over": "the search is over: it has its answer",
        }[mode]
    if action == "new":
        return "" if going_on else "this is the form of a new search"
    return ""
