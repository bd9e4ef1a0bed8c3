"""Why a key of the live screen does nothing now, in a line. Pure."""

from __future__ import annotations

from console.screens.live.connection import View
from console.screens.live.figures import OVER

_RUN = ("pause_run", "resume_run", "drain_run", "stop_run")
_LIMITS = ("tune", "type_limits", "reset", "adapt", "switch")
_PICTURE = ("filter", "next_quantity", "freeze")


def why_not(action: str, view: View, *, selects: bool, detail_open: bool) -> str:
    """Return why an action that is not offered is not; "" where there is nothing to say.

    Args:
        action: its name.
        view: what is known of the run.
        selects: whether the cursor of the grid stands on lanes.
        detail_open: whether a lane is shown in full.
    """
    if action in _PICTURE:
        return "there is no picture of a run yet"
    if action in (*_RUN, *_LIMITS):
        return _no_command(view) or _no_wish(action, view, selects=selects)
    if action in ("open_detail", "copy"):
        return "" if detail_open else _no_command(view) if selects else "the cursor is on no lane"
    return {
        "open_results": "results are shown once the run has ended; 5 shows those so far",
        "next_below": "jobs and events are both in sight",
    }.get(action, "")


def _no_command(view: View) -> str:
    """Say why a run takes no command at all."""
    over = view.snapshot is not None and view.snapshot.state in OVER
    if over and view.standing == "live":
        return "the run is over"
    return {
        "none": "no run is watched: 2 launches one, 6 lists all",
        "connecting": "the engine has not answered yet",
        "silent": "the engine does not answer",
        "ended": "the run is over: Enter shows its results",
        "gone": "the engine is gone: Enter shows its results",
    }.get(view.standing, "")


def _no_wish(action: str, view: View, *, selects: bool) -> str:
    state = "" if view.snapshot is None else view.snapshot.state
    if state == "stopping":
        return "the run is stopping"
    if action in _LIMITS:
        return "" if selects else "the cursor is on no lane"
    return "the run is draining: s stops it now" if state == "draining" else ""
