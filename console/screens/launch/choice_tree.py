"""The tree of a launch on the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from widgets.check_tree import CheckTree


class ChoiceTree(CheckTree):
    """A tree whose branches are lists of their own: all or nothing is checked in one of them at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a",
            "check_all",
            "all",
            show=False,
            id="tree.all",
            tooltip="Check all of the branch; again: nothing of it",
        ),
    ]

    def action_check_all(self) -> None:
        """Check all of the branch under the cursor that the filter leaves, or uncheck it if it all is."""
        found = self._under_cursor
        if found is None:
            return
        root = list(self._index.upward(self._index.by_id[found.node.id]))[-1]
        placed = self._index.placed[root]
        self._toggle(placed.node.id, placed.leaves)
