"""How a node of a tree is written: its mark, label, note, and its count at the right edge. No screen here."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from widgets.line_paint import Line, fit
from widgets.tree_nodes import CheckState, TreeNode

_MARKS: Final[dict[CheckState, str]] = {"all": "[x]", "some": "[-]", "none": "[ ]"}
_LEAST_NOTE: Final = 4
"""A note that would be shorter is left out, unless it is that short."""


def node_line(node: TreeNode, lead: str, state: CheckState, count_width: int, width: int) -> Line:
    """Return the runs of a node, `lead` first; what has no room is cut, the note before the label."""
    mark = f"{_MARKS[state]} "
    room = max(0, width - cell_len(lead) - len(mark) - (2 + count_width if count_width else 0))
    note_room = room - cell_len(node.label) - 2
    note = ""
    if node.note and note_room >= min(_LEAST_NOTE, cell_len(node.note)):
        note = f"  {fit(node.note, min(note_room, cell_len(node.note)))}"
    label = fit(node.label, min(room - cell_len(note), cell_len(node.label)))
    tail = " " * max(0, room - cell_len(label) - cell_len(note))
    if count_width:
        tail += f"  {count_text(node.count):>{count_width}}"
    return (
        (lead, ""),
        (mark, "muted" if state == "none" else "accent"),
        (label, ""),
        (note, "muted"),
        (tail, ""),
    )


def count_text(count: int | str | None) -> str:
    """Write a count with its thousands apart."""
    return "" if count is None else f"{count:,}" if isinstance(count, int) else count
