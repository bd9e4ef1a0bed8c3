"""Why a key of the launch screen does nothing now, in a line. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def why_not(action: str, *, emptied: Sequence[str], planned: bool, failed: bool) -> str:
    """Return why an action that is not offered is not; "" where there is nothing to say.

    Args:
        action: its name.
        emptied: branches of which nothing is left.
        planned: whether there is a plan of what is chosen.
        failed: whether there is an error in its place.
    """
    if action in ("launch", "compare", "rehearse", "print_command", "copy_command"):
        if emptied:
            return f"nothing is left of {' and '.join(emptied)}: Space checks one, o lets each phase have its own"
        return "nothing is chosen yet: Space checks a phase"
    if action == "next_warning":
        if planned:
            return "the plan has no warnings"
        return "there is no plan: its pane says why" if failed else "there is no plan yet"
    return "nothing has been changed" if action == "undo" else ""
