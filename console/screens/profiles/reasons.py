"""Why a key of the profiles screen does nothing now, in a line. Pure."""

from __future__ import annotations


def why_not(action: str, *, readable: bool, yours: bool, in_list: bool, in_limits: bool) -> str:
    """Return why an action that is not offered is not; "" where there is nothing to say.

    Args:
        action: its name.
        readable: whether the profile in front can be read as TOML.
        yours: whether it is one of the user's.
        in_list: whether the keys go to the list of profiles.
        in_limits: whether they go to the table of limits.
    """
    if action in ("rename", "delete") and not yours:
        return "only a profile of yours can be renamed or deleted: n makes one"
    if action == "back" or (action == "edit" and in_limits):
        return ""
    if not readable and action not in ("filter", "toggle_cell"):
        return "the profile cannot be read: what is wrong is said at the right"
    return {
        "save": "nothing differs from the file",
        "show_changes": "nothing differs from the file",
        "save_as": "nothing differs from the file; n makes a profile like it",
        "new": "" if in_list else "a new one is made from the list: Esc goes there",
        "show_findings": "nothing is wrong, and nothing suspicious",
        "filter": "the list, and keys and deployments, can be filtered: Tab goes there",
        "undo": "nothing has been changed",
        "redo": "nothing has been undone",
        "toggle_cell": "Space turns round choices such as × prompt types, where the cursor is on one",
    }.get(action, "")
