"""Why a key of the results screen does nothing now, in a line. Pure."""

from __future__ import annotations


def why_not(action: str, *, read: bool, overview: bool, in_test: bool, level: bool) -> str:
    """Return why an action that is not offered is not; "" where there is nothing to say.

    Args:
        action: its name.
        read: whether results are shown.
        overview: whether it is the overview that is in front.
        in_test: whether it is one test.
        level: whether the run is one of capacity, which has no tests.
    """
    if action == "back":
        return ""
    if not read:
        return "no results are shown: 6 lists the runs"
    if level and action in ("tests", "outcome", "scoring"):
        return "a capacity level has requests and no tests"
    if action == "neighbour":
        return "this goes from test to test: Enter opens one"
    if overview and action in ("filter", "outcome", "tests", "copy_table", "notes"):
        return "the overview is no table: v shows the next view"
    if in_test:
        return "this is one test: Esc goes back to the table"
    return {
        "outcome": "these are no tests: t shows those of the row",
        "tests": "these are tests already",
    }.get(action, "")
