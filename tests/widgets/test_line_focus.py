"""A list in focus shows its cursor in another way than one that is not, as soon as the focus moves."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from widgets.check_tree import CheckTree
from widgets.tree_nodes import TreeNode

pytestmark = pytest.mark.anyio
NODES = (TreeNode("a", "first"), TreeNode("b", "second"))


class TwoTrees(App[None]):
    def compose(self) -> ComposeResult:
        yield CheckTree(NODES, id="one")
        yield CheckTree(NODES, id="two")


async def test_the_cursor_is_shown_in_the_list_that_has_the_focus_and_in_no_other():
    app = TwoTrees()
    async with app.run_test(size=(30, 10)) as pilot:
        one, two = app.query_one("#one", CheckTree), app.query_one("#two", CheckTree)
        for focused, other in ((one, two), (two, one), (one, two)):
            focused.focus()
            await pilot.pause()
            reversed_in = [
                tree
                for tree in (one, two)
                if any(segment.style and segment.style.reverse for segment in tree.render_line(0))
            ]
            assert reversed_in == [focused], other
