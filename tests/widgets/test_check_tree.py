"""The tree with check marks: its three states, its keys, its filter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from widget_fakes import shown

from widgets.check_tree import CheckTree
from widgets.tree_nodes import TreeIndex, TreeNode

pytestmark = pytest.mark.anyio

TREE = (
    TreeNode("5.1", "5.1", "Baseline", 800, (
        TreeNode("5.1/gpt", "gpt-4o", "", 400, (
            TreeNode("5.1/gpt/easy", "easy", "", 200), TreeNode("5.1/gpt/hard", "hard", "", 200),
        )),
        TreeNode("5.1/qwen", "qwen-7b", "", 400, (TreeNode("5.1/qwen/easy", "easy", "", 400),)),
    )),
    TreeNode("5.2", "5.2", "Scale", 1000, (TreeNode("5.2/qwen", "qwen-7b", "", 1000),)),
)  # fmt: skip


async def test_a_node_shows_whether_all_some_or_none_below_it_is_checked() -> None:
    tree = CheckTree(TREE, ["5.1/gpt/easy", "5.2/qwen"], opened=["5.1", "5.1/gpt"])
    async with shown(tree, (40, 9)) as seen:
        assert seen.lines == [
            ">▾ [-] 5.1  Baseline                800",
            "   ▾ [-] gpt-4o                     400",
            "       [x] easy                     200",
            "       [ ] hard                     200",
            "   ▸ [ ] qwen-7b                    400",
            " ▸ [x] 5.2  Scale                 1,000",
            "",
            "",
            "",
        ]


async def test_space_checks_a_node_with_all_below_it_and_unchecks_it_again() -> None:
    tree = CheckTree(TREE, ["5.1/gpt/easy"])
    async with shown(tree, (40, 9)) as seen:
        await seen.press("space")
        assert tree.checked == {"5.1/gpt/easy", "5.1/gpt/hard", "5.1/qwen/easy"}
        assert seen.lines[0].startswith(">▸ [x] 5.1")
        await seen.press("space")
        assert tree.checked == set()
        await seen.press("l", "j", "j", "space")
        assert tree.checked == {"5.1/qwen/easy"}
        assert seen.lines[0].startswith(" ▾ [-] 5.1")
        await seen.press("a")
        assert len(tree.checked) == 4
        await seen.press("a")
        told = seen.tells(CheckTree.Toggled)
        assert [message.node_id for message in told] == ["5.1", "5.1", "5.1/qwen", "", ""]
        assert told[2].checked == {"5.1/qwen/easy"}
        assert told[-1].checked == frozenset()


async def test_right_opens_then_enters_and_left_closes_then_leaves() -> None:
    tree = CheckTree(TREE, ascii_only=True)
    async with shown(tree, (40, 9)) as seen:
        assert [line.split()[0] for line in seen.lines[:2]] == [">+", "+"]
        await seen.press("l", "l", "l", "l")
        assert tree.highlighted == "5.1/gpt/easy"
        assert tree.opened == {"5.1", "5.1/gpt"}
        await seen.press("left")
        assert tree.highlighted == "5.1/gpt"
        await seen.press("left", "left", "left")
        assert tree.highlighted == "5.1"
        assert len([line for line in seen.lines if line]) == 2


async def test_a_filter_shows_what_leads_to_a_match_and_toggles_only_what_it_leaves() -> None:
    tree = CheckTree(TREE, noun="choices")
    async with shown(tree, (50, 9)) as seen:
        tree.filter("5.1 EASY")
        assert [line.split()[-2] for line in seen.lines[:5]] == [
            "Baseline",
            "gpt-4o",
            "easy",
            "qwen-7b",
            "easy",
        ]
        assert seen.lines[-1] == "filter: 5.1 EASY   2 of 8 choices"
        await seen.press("space")
        assert tree.checked == {"5.1/gpt/easy", "5.1/qwen/easy"}
        await seen.press("j", "h")
        assert [line.split()[-2] for line in seen.lines[:4]] == ["Baseline", "gpt-4o", "qwen-7b", "easy"]
        tree.filter("nowhere")
        assert "nothing matches `nowhere`" in seen.lines[0]
        await seen.press("space", "l", "h")
        assert len(tree.checked) == 2
        tree.filter("")
        assert seen.lines[0].startswith(">▸ [-] 5.1")


async def test_another_tree_keeps_the_cursor_what_is_open_and_what_is_checked() -> None:
    tree = CheckTree(TREE, ["5.1/qwen/easy"], opened=["5.1"])
    async with shown(tree, (40, 9)) as seen:
        tree.highlight("5.1/qwen/easy")
        assert tree.highlighted == "5.1/qwen/easy"
        tree.show((TreeNode("5.0", "5.0"), replace(TREE[0], children=TREE[0].children[1:])))
        assert tree.highlighted == "5.1/qwen/easy"
        assert tree.checked == {"5.1/qwen/easy"}
        assert seen.lines[1].startswith(" ▾ [x] 5.1")
        tree.show((TREE[1],))
        assert tree.highlighted == "5.2"
        assert tree.checked == frozenset()
        tree.show(())
        assert seen.lines[0] == "nothing to choose from"


async def test_only_what_changes_is_painted_and_wide_names_stay_in_bounds() -> None:
    wide = (TreeNode("w", "模型" * 30, "[b]注[/b]", 12, (TreeNode("x", "x"),)), *TREE)
    tree = CheckTree(wide, opened=["w"])
    async with shown(tree, (40, 9)) as seen:
        tree.show(wide)
        assert (seen.painted, seen.whole) == ([], 0)
        assert "~" in seen.lines[0]
        assert seen.lines[0].endswith("12")
        assert tree.render_line(0).cell_length == 39
        await seen.press("j", "space")
        assert sorted({region.y for region in seen.painted}) == [0, 1]
        assert seen.whole == 0


@pytest.mark.parametrize("size", [(60, 15), (20, 5), (5, 2), (1, 1)])
async def test_any_size_does(size: tuple[int, int]) -> None:
    tree = CheckTree(TREE)
    async with shown(tree, size) as seen:
        await seen.press("l", "j", "space", "G", "l")
        tree.filter("easy")
        assert all(len(line) <= size[0] for line in seen.lines)


def test_leaves_of_a_node_are_all_below_it_and_of_a_leaf_itself() -> None:
    index = TreeIndex(TREE)
    assert index.placed[0].leaves == {"5.1/gpt/easy", "5.1/gpt/hard", "5.1/qwen/easy"}
    assert index.leaves == index.placed[0].leaves | {"5.2/qwen"}
    assert [index.placed[at].node.id for at in index.upward(index.by_id["5.1/gpt/hard"])] == [
        "5.1/gpt/hard", "5.1/gpt", "5.1",
    ]  # fmt: skip
