"""A tree of things to choose from, without a screen: which of its nodes are in sight, and how far each is checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, NamedTuple

from widgets.word_filter import has_all

CheckState = Literal["all", "some", "none"]


@dataclass(frozen=True)
class TreeNode:
    """A node; one without children is a leaf, and only leaves are checked. Text is shown without markup."""

    id: str
    """Unique in the whole tree."""
    label: str
    note: str = ""
    count: int | str | None = None
    """Shown at the right edge; what it counts is the caller's business."""
    children: tuple[TreeNode, ...] = ()


class Placed(NamedTuple):
    """A node with its place in the tree."""

    node: TreeNode
    depth: int
    parent: int
    """Index among all nodes; -1: it is a root."""
    leaves: frozenset[str]
    """Ids of all leaves below it; of a leaf itself."""


class TreeIndex:
    """All nodes of a tree in the order in which they stand, parents before their children."""

    def __init__(self, roots: Sequence[TreeNode]) -> None:
        """Walk the tree once."""
        self.placed: list[Placed] = []
        for root in roots:
            self._take(root, 0, -1)
        self.by_id = {placed.node.id: index for index, placed in enumerate(self.placed)}
        self.leaves = frozenset(placed.node.id for placed in self.placed if not placed.node.children)

    def _take(self, node: TreeNode, depth: int, parent: int) -> frozenset[str]:
        at = len(self.placed)
        self.placed.append(Placed(node, depth, parent, frozenset()))
        below = [self._take(child, depth + 1, at) for child in node.children]
        leaves = frozenset[str]().union(*below) if below else frozenset((node.id,))
        self.placed[at] = self.placed[at]._replace(leaves=leaves)
        return leaves

    def matching(self, words: Sequence[str]) -> frozenset[int]:
        """Return the nodes in whose path all words occur: what stands below a match matches too."""
        paths: list[str] = []
        found: set[int] = set()
        for index, placed in enumerate(self.placed):
            above = paths[placed.parent] if placed.parent >= 0 else ""
            paths.append(f"{above}\n{placed.node.label} {placed.node.note}")
            if has_all(words, paths[-1]):
                found.add(index)
        return frozenset(found)

    def visible(self, is_open: AbstractSet[str], matches: frozenset[int] | None) -> list[int]:
        """Return the nodes in sight: below open ones only, and only matches and what leads to them."""
        wanted = None if matches is None else {index for match in matches for index in self.upward(match)}
        seen: list[int] = []
        hidden_below: int | None = None
        for index, placed in enumerate(self.placed):
            if hidden_below is not None and placed.depth > hidden_below:
                continue
            hidden_below = None
            if wanted is not None and index not in wanted:
                hidden_below = placed.depth  # no match below it, or it would lead to one
                continue
            seen.append(index)
            if placed.node.children and placed.node.id not in is_open:
                hidden_below = placed.depth
        return seen

    def upward(self, index: int) -> Iterator[int]:
        """Yield a node and all that it stands below."""
        while index >= 0:
            yield index
            index = self.placed[index].parent

    def state(self, index: int, checked: AbstractSet[str]) -> CheckState:
        """Return how many of the leaves of a node are checked."""
        leaves = self.placed[index].leaves
        count = sum(leaf in checked for leaf in leaves)
        return "none" if not count else "all" if count == len(leaves) else "some"
