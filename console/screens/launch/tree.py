"""The tree of a launch: phases, their variants, and a branch for each axis of their matrix."""

from __future__ import annotations

from typing import Final

from console.screens.launch.choosing import PHASE, Picks, leaf, shown_values
from console.screens.launch.needs import Axis, AxisName, AxisValue, Matrix, PhaseLine
from console.vocabulary.safe_text import safe_line
from widgets.tree_nodes import TreeNode

PHASES: Final = "phases"
VARIANTS: Final = "variants"
_LABELS: Final[dict[AxisName, str]] = {
    "model": "models",
    "prompt": "prompt types",
    "difficulty": "difficulties",
    "rate": "tool success rates",
    "task": "task types",
}
_FLAWED: Final = "flawed_"


def tree_nodes(matrix: Matrix, picks: Picks) -> tuple[TreeNode, ...]:
    """Return the branches; counts are of tests, those whose results are reused included."""
    main = [phase for phase in matrix.phases if phase.variant_of is None]
    variants = [phase for phase in matrix.phases if phase.variant_of is not None]
    unknown = any(phase.tests is None for phase in matrix.phases if phase.id in picks.phases)
    roots = [
        TreeNode(PHASES, "phases", count="?" if unknown else matrix.tests, children=tuple(map(_phase, main))),
        TreeNode(VARIANTS, "variants of them", children=tuple(map(_phase, variants))),
        *(_axis(axis, picks) for axis in matrix.axes),
    ]
    return tuple(root for root in roots if root.children)


def branch_of(node_id: str) -> str:
    """Return the branch that a node belongs to: the part before the colon of a leaf, else its own id."""
    return node_id.partition(":")[0]


def phase_under(node_id: str | None, matrix: Matrix) -> PhaseLine | None:
    """Return the phase on whose leaf the cursor stands."""
    return next((phase for phase in matrix.phases if leaf(PHASE, phase.id) == node_id), None)


def _phase(phase: PhaseLine) -> TreeNode:
    label = safe_line(phase.id, 60)
    note = "" if phase.origin == "built-in" else phase.origin
    if phase.title and phase.title != phase.id:
        label = f"{label} {safe_line(phase.title, 60)}"
    if phase.error is not None:
        note = f"{note}  has an error".strip()
    elif phase.tests is None and phase.why:
        note = f"{note}  {safe_line(phase.why, 120)}".strip()
    count = "x" if phase.error is not None else "?" if phase.tests is None else phase.tests
    return TreeNode(leaf(PHASE, phase.id), label, note, count)


def _axis(axis: Axis, picks: Picks) -> TreeNode:
    plain = [value for value in axis.values if not value.name.startswith(_FLAWED)]
    flawed = [value for value in axis.values if value.name.startswith(_FLAWED)]
    children = [_value(axis, value) for value in plain]
    if flawed:
        nodes = tuple(_value(axis, value, value.name.removeprefix(_FLAWED)) for value in flawed)
        tests = sum(value.tests for value in flawed)
        children.append(TreeNode(f"{axis.name}:flaws:", "flaws", "", tests or None, nodes))
    return TreeNode(axis.name, _LABELS[axis.name], _how(axis, picks), children=tuple(children))


def _how(axis: Axis, picks: Picks) -> str:
    """Say whether the values of an axis are those of the phases or picked for all of them."""
    values = picks.of(axis.name)
    if values is None:
        return "each phase's own" if not axis.alike else ""
    count = len(shown_values(axis, picks))
    return f"{count} picked for every phase" if count else "none left"


def _value(axis: Axis, value: AxisValue, label: str = "") -> TreeNode:
    return TreeNode(
        leaf(axis.name, value.name),
        safe_line(label or value.name, 60),
        safe_line(value.note, 40),
        value.tests or None,
    )
