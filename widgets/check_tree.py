"""A tree with check marks, of which each node shows how far what stands below it is checked.

Run `python -m widgets.check_tree` to see it on a made-up selection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.line_list import LineList
from widgets.line_paint import Line, joined, text_of
from widgets.tree_lines import count_text, node_line
from widgets.tree_nodes import Placed, TreeIndex, TreeNode
from widgets.word_filter import filter_note, nothing_left, words_of


class CheckTree(LineList):
    """Shows nodes, the open ones with their children."""

    DEFAULT_CSS = "CheckTree { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left,h",
            "close",
            "close",
            id="tree.close",
            tooltip="Close the node, or go to the one above",
            show=False,
        ),
        Binding(
            "right,l",
            "open",
            "open",
            id="tree.open",
            tooltip="Open the node, or go to the first one below",
            show=False,
        ),
        Binding(
            "space",
            "check",
            "check",
            id="tree.check",
            tooltip="Check the node with all below it, or uncheck it",
        ),
        Binding("a", "check_all", "all", id="tree.all", tooltip="Check everything; again: nothing"),
    ]

    @dataclass
    class Toggled(Message):
        """Leaves were checked or unchecked by hand."""

        tree: CheckTree
        node_id: str
        """The node on which it was done; empty: on the whole tree."""
        checked: frozenset[str]
        """All leaves that are checked."""

        @property
        def control(self) -> CheckTree:
            """The tree, for `@on(..., "#id")`."""
            return self.tree

    @dataclass
    class NodeHighlighted(Message):
        """The cursor stands on another node."""

        tree: CheckTree
        node_id: str

        @property
        def control(self) -> CheckTree:
            """The tree, for `@on(..., "#id")`."""
            return self.tree

        def can_replace(self, message: Message) -> bool:
            """Only the newest place of the cursor matters."""
            return isinstance(message, CheckTree.NodeHighlighted) and message.tree is self.tree

    def __init__(
        self,
        roots: Sequence[TreeNode] = (),
        checked: Iterable[str] = (),
        *,
        opened: Iterable[str] = (),
        noun: str = "nodes",
        ascii_only: bool = False,
        empty_text: str = "nothing to choose from",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Show the tree below `roots`, the leaves `checked` checked and the nodes `opened` open."""
        super().__init__(ascii_only=ascii_only, empty_text=empty_text, id=id, classes=classes)
        self._roots: tuple[TreeNode, ...] = ()
        self._index = TreeIndex(())
        self._checked: frozenset[str] = frozenset(checked)
        self._open: set[str] = set(opened)
        self._closed_by_hand: set[str] = set()
        """While a filter holds, all is open but these."""
        self._noun = noun
        self._filter = ""
        self._matches: frozenset[int] | None = None
        self._seen: list[int] = []
        self._count_width = 0
        self._take(roots)

    # What is shown

    def show(self, roots: Sequence[TreeNode], checked: Iterable[str] | None = None) -> None:
        """Show another tree; open nodes stay open, the cursor stays on its node, and so do marks if none are given."""
        before = self.highlighted
        if checked is not None:
            self._checked = frozenset(checked)
        self._take(roots)
        self._look_again(before)

    @property
    def checked(self) -> frozenset[str]:
        """The ids of all leaves that are checked."""
        return self._checked & self._index.leaves

    def check(self, leaf_ids: Iterable[str]) -> None:
        """Check these leaves and no others; this posts nothing."""
        self._checked = frozenset(leaf_ids)
        self.redraw()

    @property
    def highlighted(self) -> str | None:
        """The id of the node under the cursor."""
        return (
            self._index.placed[self._seen[self._cursor]].node.id if self._cursor < len(self._seen) else None
        )

    def highlight(self, node_id: str) -> None:
        """Set the cursor on a node, opening what it stands below."""
        index = self._index.by_id.get(node_id)
        if index is None:
            return
        above = {self._index.placed[other].node.id for other in self._index.upward(index)} - {node_id}
        self._open |= above
        self._closed_by_hand -= above
        self._look_again(node_id)

    @property
    def opened(self) -> frozenset[str]:
        """The ids of the nodes that are open."""
        return frozenset(self._open)

    @property
    def filter_text(self) -> str:
        """The words that the path of a node must have."""
        return self._filter

    def filter(self, text: str) -> None:
        """Show only nodes in whose path all words occur, and what leads to them; an empty text shows all."""
        if text.strip() == self._filter:
            return
        before = self.highlighted
        self._filter = text.strip()
        self._closed_by_hand = set()
        self._match()
        self._look_again(before)

    # Keys

    def action_open(self) -> None:
        """Open a closed node; from an open one go to its first child."""
        found = self._under_cursor
        if found is None or not found.node.children:
            return
        if self._is_open(found):
            self.go_to(self._cursor + 1)
            return
        self._open.add(found.node.id)
        self._closed_by_hand.discard(found.node.id)
        self._look_again(found.node.id)

    def action_close(self) -> None:
        """Close an open node; from any other go to the one that it stands below."""
        found = self._under_cursor
        if found is None:
            return
        if found.node.children and self._is_open(found):
            self._open.discard(found.node.id)
            self._closed_by_hand.add(found.node.id)
            self._look_again(found.node.id)
        elif found.parent >= 0:
            self.go_to(self._seen.index(found.parent))

    def action_check(self) -> None:
        """Check all leaves of the node, or uncheck them if they all are; only those that the filter leaves."""
        found = self._under_cursor
        if found is not None:
            self._toggle(found.node.id, found.leaves)

    def action_check_all(self) -> None:
        """Check everything that the filter leaves, or uncheck it if it all is."""
        if self._seen:
            self._toggle("", self._index.leaves)

    # Lines

    def line_count(self) -> int:
        """Return how many nodes are in open ones."""
        return len(self._seen)

    def line_at(self, index: int, width: int) -> Line:
        """Make the line of one node."""
        at = self._seen[index]
        placed, at_cursor = self._index.placed[at], index == self._cursor
        lead = f"{'>' if at_cursor else ' '}{'  ' * placed.depth}{self._handle(placed)} "
        state = self._index.state(at, self._checked)
        line = node_line(placed.node, lead, state, self._count_width, width)
        if at_cursor and self.has_focus:
            return (line[0], (text_of(line[1:]), "cursor"))
        return joined(line)

    def foot_lines(self, width: int) -> tuple[Line, ...]:
        """Say what is filtered."""
        if not self._filter or self._matches is None:
            return ()
        return (
            ((filter_note(self._filter, len(self._matches), len(self._index.placed), self._noun), "accent"),),
        )

    def empty_lines(self, width: int) -> tuple[Line, ...]:
        """Say why there is nothing."""
        if self._filter and self._index.placed:
            return (((nothing_left(self._filter, len(self._index.placed), self._noun), "muted"),),)
        return super().empty_lines(width)

    def cursor_moved(self) -> None:
        """Tell on which node the cursor stands."""
        found = self.highlighted
        if found is not None and self.is_attached:
            self.post_message(self.NodeHighlighted(self, found))

    def on_mount(self) -> None:
        """Say where the cursor stands at first."""
        self.cursor_moved()

    # Within

    @property
    def _under_cursor(self) -> Placed | None:
        return self._index.placed[self._seen[self._cursor]] if self._cursor < len(self._seen) else None

    def _take(self, roots: Sequence[TreeNode]) -> None:
        if tuple(roots) != self._roots:
            self._roots = tuple(roots)
            self._index = TreeIndex(roots)
            self._count_width = max(
                (len(count_text(placed.node.count)) for placed in self._index.placed), default=0
            )
            self._match()
        self._see()

    def _match(self) -> None:
        words = words_of(self._filter)
        self._matches = self._index.matching(words) if words else None
        self._see()

    def _see(self) -> None:
        self._seen = self._index.visible(self._open_now(), self._matches)

    def _open_now(self) -> AbstractSet[str]:
        return self._open if self._matches is None else self._index.by_id.keys() - self._closed_by_hand

    def _is_open(self, placed: Placed) -> bool:
        return placed.node.id in self._open_now()

    def _handle(self, placed: Placed) -> str:
        if not placed.node.children:
            return " "
        closed, opened = ("+", "-") if self._ascii_only else ("▸", "▾")
        return opened if self._is_open(placed) else closed

    def _look_again(self, node_id: str | None) -> None:
        """Find the node under the cursor, or what it stands below, among those that are in sight now."""
        self._see()
        index = self._index.by_id.get(node_id, -1) if node_id is not None else -1
        for candidate in self._index.upward(index):
            if candidate in self._seen:
                self._cursor = self._seen.index(candidate)
                break
        self.take_count()
        self.show_cursor()
        self.redraw()
        if self.highlighted != node_id:
            self.cursor_moved()

    def _toggle(self, node_id: str, leaves: AbstractSet[str]) -> None:
        if self._matches is not None:
            leaves = leaves & {self._index.placed[index].node.id for index in self._matches}
        if not leaves:
            return
        self._checked = self.checked - leaves if leaves <= self._checked else self.checked | leaves
        self.redraw()
        self.post_message(self.Toggled(self, node_id, self._checked))


if __name__ == "__main__":
    from widgets.demo import ASCII_ONLY, show

    def _made_up(path: str, levels: Sequence[Sequence[str]]) -> tuple[TreeNode, ...]:
        if not levels:
            return ()
        return tuple(
            TreeNode(
                f"{path}/{name}",
                name,
                "" if len(levels) > 1 else "simulated",
                20 ** len(levels),
                _made_up(f"{path}/{name}", levels[1:]),
            )
            for name in levels[0]
        )

    _levels = (
        ("5.1 Baseline", "5.2 Scale"),
        ("gpt-4o", "模型-7b", "o3"),
        ("optimal", "flawed"),
        ("easy", "hard"),
    )
    show(CheckTree(_made_up("", _levels), opened=["/5.1 Baseline"], noun="choices", ascii_only=ASCII_ONLY))
