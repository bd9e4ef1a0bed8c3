"""No screen shows a text from outside that has not passed the choke point, as far as reading the source can tell.

Every field of type `str` that a screen is given (the `needs.py` of the screens, snapshots, inspections) may come
from a file, a model or a server. Where one is put into a text or handed to a widget, `safe_line` or `safe_text`
must stand in between. What is safe for another reason is listed here, with that reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "console"
SOURCES = [
    ROOT / "vocabulary" / "snapshot.py",
    ROOT / "vocabulary" / "inspection.py",
    *sorted((ROOT / "screens").glob("*/needs.py")),
]
SCREENS = [path for path in sorted((ROOT / "screens").rglob("*.py")) if path.name != "needs.py"]
MAKES_SAFE = {"safe_line", "safe_text", "_safe", "quote"}
SINKS = {
    "Label",
    "Option",
    "Paragraph",
    "Static",
    "Text",
    "add_row",
    "notify",
    "paragraph",
    "plain",
    "show_lines",
    "update",
    "write",
}
TITLES = {"border_title", "border_subtitle", "title", "sub_title"}
NOT_FROM_OUTSIDE = {"event", "binding", "answer", "self", "child", "active"}
"""Names of things of our own that happen to have fields of the same names."""
REVIEWED = {
    "count.name": "of counts that we name",
    "leaving.run_id": "asked in a Question, which makes all its text safe",
    "profile.rate_mode": "one of two words, or the profile is not read",
}
"""Expression → why it is safe."""

UNREVIEWED = {
    "console/screens/launch/load_lines.py: key.limit",
    "console/screens/launch/plan_lines.py: planned.latency",
    "console/screens/launch/plan_lines.py: planned.place",
    "console/screens/launch/plan_lines.py: warned.change",
    "console/screens/launch/plan_lines.py: warned.cure",
    "console/screens/launch/plan_lines.py: warned.text",
    "console/screens/launch/plan_lines.py: warned.where",
    "console/screens/launch/played.py: row.same_as",
    "console/screens/launch/screen.py: self._standing.notice",
    "console/screens/launch/screen.py: self._standing.title",
    "console/screens/launch/standing.py: under.id",
    "console/screens/launch/tree.py: axis.name",
    "console/screens/live/control.py: change.label",
    "console/screens/live/control.py: command.kind",
    "console/screens/live/control.py: command.name",
    "console/screens/live/control.py: tuning.text",
    "console/screens/live/face.py: part.lines",
    "console/screens/live/lane_text.py: chosen.label",
    "console/screens/live/lane_text.py: lane.qps_scope",
    "console/screens/live/lanes.py: first.deployment",
    "console/screens/live/lanes.py: first.key",
    "console/screens/live/lanes.py: lane.deployment",
    "console/screens/live/lanes.py: lane.provider",
    "console/screens/live/screen.py: happened.subject",
    "console/screens/live/screen.py: happened.text",
    "console/screens/live/screen.py: self.picked.label",
    "console/screens/live/steps.py: chosen.label",
    "console/screens/live/steps.py: scope.kind",
    "console/screens/live/switching.py: chosen.label",
    "console/screens/live/switching.py: lane.deployment",
    "console/screens/live/switching.py: lane.provider",
    "console/screens/live/typed.py: chosen.label",
    "console/screens/live/work.py: part.id",
    "console/screens/palette.py: command.name",
    "console/screens/profiles/parts.py: root.id",
    "console/screens/profiles/probe_lines.py: one.lane.id",
    "console/screens/profiles/setup.py: step.title",
    "console/screens/profiles/switches.py: one.label",
    "console/screens/profiles/switches.py: one.note",
    "console/screens/profiles/totals.py: model.model_class",
    "console/screens/profiles/totals.py: row.lanes",
    "console/screens/results/taking.py: fact.label",
    "console/screens/runs/acting.py: run.id",
    "console/screens/runs/acting.py: run.title",
    "console/screens/runs/run_rows.py: run.error",
    "console/screens/runs/run_rows.py: run.id",
    "console/screens/runs/run_rows.py: run.run_dir",
    "console/screens/runs/screen.py: run.error",
    "console/screens/runs/screen.py: run.id",
}
"""Places nobody has looked at one by one. What reaches the terminal there is made harmless by the writer of the
screen (`console/screens/frame.py`) alone; the list may only grow shorter."""


def text_fields() -> set[str]:
    """Return the names of all fields that hold free text."""
    names: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                        kinds = {part.id for part in ast.walk(field.annotation) if isinstance(part, ast.Name)}
                        if "str" in kinds and "Literal" not in kinds and "ClassVar" not in kinds:
                            names.add(field.target.id)
    return names


def unsafe(path: Path, fields: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the expression where such a field reaches a text or a widget as it came."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Attribute)
            or node.attr not in fields
            or not isinstance(node.ctx, ast.Load)
        ):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in NOT_FROM_OUTSIDE:
            continue
        if reaches_a_reader(node, parents):
            yield node.lineno, ast.unparse(node)


def reaches_a_reader(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    below: ast.AST = node
    above = parents.get(node)
    while above is not None and not isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        match above:
            case ast.Call(func=called) if below is not called:
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                if name in MAKES_SAFE:
                    return False
                if name in SINKS:
                    return True
                if name not in ("join", "upper", "lower", "strip", "format", "tuple", "list", "str", "map"):
                    return False  # a function of ours: what it makes of it is looked at there
            case ast.Compare() | ast.IfExp(test=ast.expr()) if (
                isinstance(above, ast.Compare) or below is above.test
            ):
                return False
            case ast.Subscript(slice=index) if below is index:
                return False  # a key to look something up with
            case ast.FormattedValue(format_spec=None):
                return not to_a_log_or_an_error(above, parents)
            case ast.Assign(targets=[ast.Attribute(attr=attr)]) if attr in TITLES:
                return True
            case _:
                pass
        below, above = above, parents.get(above)
    return False


def to_a_log_or_an_error(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a text is the message of an error, which is made safe where it is shown, or passes the choke point whole."""
    above: ast.AST | None = node
    while above is not None and not isinstance(above, ast.stmt):
        if isinstance(above, ast.Call):
            name = above.func.id if isinstance(above.func, ast.Name) else getattr(above.func, "attr", "")
            if name in MAKES_SAFE or name.endswith("Error"):
                return True
        above = parents.get(above)
    return False


def test_every_text_from_outside_passes_the_choke_point_before_it_is_shown() -> None:
    fields = text_fields()
    assert {"note", "title", "holder", "text"} <= fields
    found = [
        (f"{path.relative_to(ROOT.parent)}: {expression}", line)
        for path in SCREENS
        for line, expression in unsafe(path, fields)
        if expression not in REVIEWED
    ]
    assert {place for place, _ in found} >= UNREVIEWED, "these are mended: take them from the list"
    new = [f"{place} (line {line})" for place, line in found if place not in UNREVIEWED]
    assert new == [], "make it safe with safe_line, or say in REVIEWED why it is:\n" + "\n".join(new)


def test_the_reader_of_the_source_finds_what_it_should(tmp_path) -> None:
    source = """
def show(lane, event):
    good = paragraph(safe_line(lane.note, 30))
    plain(f"{lane.note}")
    widget.update(lane.note)
    if lane.note == "x": pass
    names[lane.note] = 1
    raise ConsoleError(f"no {lane.note}")
    box.border_title = lane.note
    text = " ".join(safe_line(lane.note) for lane in lanes)
    event.note
"""
    path = tmp_path / "made_up.py"
    path.write_text(source, encoding="utf-8")
    assert sorted(line for line, _ in unsafe(path, {"note"})) == [4, 5, 9]
