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
MAKES_SAFE = {
    "safe_line",
    "safe_text",
    "safe",
    "_safe",
    "quote",
    "say",
    "said",
    "shown_text",
    "wrapped",
    "Question",
}
"""Functions of ours that pass all their text through the choke point; a test looks into those of the screens."""
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
_SAID = "its only reader is `said`, which makes it safe"
_SAY = "its only reader is `say`, which makes it safe"
_LABEL = "`Picked.label` is put together of names that are safe"
_SCOPE = "the name of a scope, for the engine and to compare by; shown by `scope_text` and labels, which make it safe"
_NODE = "of a node that was made two lines above, of safe text"
_SHOWN = "its only reader is `shown_text`, which makes it safe"
REVIEWED = {
    "launch/plan_lines.py: warned.where": _SAID,
    "launch/plan_lines.py: warned.cure": _SAID,
    "launch/plan_lines.py: warned.change": _SAID,
    "launch/screen.py: self._standing.notice": "a method that makes a line",
    "launch/screen.py: self._standing.title": "a method that knows three titles",
    "launch/tree.py: axis.name": "one of our five axes, and an id that nobody sees",
    "live/control.py: command.kind": _SAY,
    "live/control.py: command.name": _SAY,
    "live/control.py: leaving.run_id": "asked in a Question, which makes all its text safe",
    "capacity/face.py: part.lines": "counted, not shown",
    "live/face.py: part.lines": "counted, not shown",
    "live/figures.py: count.name": "of counts that we name",
    "live/lane_text.py: chosen.label": _LABEL,
    "live/steps.py: chosen.label": _LABEL,
    "live/switching.py: chosen.label": _LABEL,
    "live/typed.py: chosen.label": _LABEL,
    "live/lanes.py: lane.provider": _SCOPE,
    "live/lanes.py: lane.deployment": _SCOPE,
    "live/switching.py: lane.provider": _SCOPE,
    "live/switching.py: lane.deployment": _SCOPE,
    "live/steps.py: scope.kind": "one of the five kinds, made by scope_of",
    "live/work.py: part.id": "a key to remember its pace by",
    "profiles/parts.py: root.id": "an id that nobody sees",
    "profiles/probe_lines.py: one.lane.id": "the whole of it passes safe_line where it ends",
    "profiles/setup.py: step.title": "a question of ours",
    "profiles/switches.py: one.label": _NODE,
    "profiles/switches.py: one.note": _NODE,
    "profiles/totals.py: row.lanes": "a number",
    "profiles/totals.py: model.model_class": "one of two words, or the profile is not read",
    "runs/run_rows.py: run.error": _SHOWN,
    "runs/run_rows.py: run.run_dir": _SHOWN,
    "runs/run_rows.py: run.id": _SHOWN,
}
"""Place → why it is safe."""


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
    found = {
        f"{path.relative_to(ROOT / 'screens')}: {expression}": line
        for path in SCREENS
        for line, expression in unsafe(path, fields)
    }
    assert REVIEWED.keys() <= found.keys(), "these are no more: take them from the list"
    new = [f"{place} (line {line})" for place, line in found.items() if place not in REVIEWED]
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


def test_functions_that_are_said_to_make_text_safe_do() -> None:
    found: dict[str, list[str]] = {}
    for path in [*SCREENS, ROOT / "records" / "wrap.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in MAKES_SAFE:
                found.setdefault(node.name, []).append(ast.unparse(node))
    assert found.keys() >= {"say", "said", "safe", "shown_text", "wrapped", "Question"}
    for name, texts in found.items():
        makers = [f"{maker}(" for maker in MAKES_SAFE - {name}]
        if name == "say":
            makers.append(
                "self._show_notice("
            )  # of the profiles screen, where it is the first thing made safe
        for text in texts:
            assert any(maker in text for maker in makers), text
