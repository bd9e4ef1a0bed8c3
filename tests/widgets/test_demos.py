"""Each widget has a demo that runs, and no widget is imported by what it imports."""

from __future__ import annotations

import ast
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widget import Widget
from widget_fakes import shown

pytestmark = pytest.mark.anyio

ROOM = Path(__file__).parents[2] / "widgets"
DEMOS = sorted(path.stem for path in ROOM.glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8"))


def test_there_is_a_demo_of_every_widget() -> None:
    assert {
        "check_tree",
        "edit_table",
        "event_log",
        "lane_grid",
        "phase_progress",
        "summary_table",
        "table",
    } <= set(DEMOS)


@pytest.mark.parametrize("name", DEMOS)
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_demo_shows_something_and_goes_on(
    name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[tuple[Widget, Callable[[int], None] | None]] = []
    monkeypatch.setattr("widgets.demo.show", lambda widget, step=None: caught.append((widget, step)))
    monkeypatch.delitem(
        sys.modules, f"widgets.{name}", raising=False
    )  # runpy warns of what is loaded already
    runpy.run_module(f"widgets.{name}", run_name="__main__")
    [(widget, step)] = caught
    async with shown(widget, size) as seen:
        for number in range(1, 8):
            if step is not None:
                step(number)
        await seen.pilot.pause()
        assert sum(bool(line) for line in seen.lines) >= 2
        assert all(widget.render_line(y).cell_length <= size[0] for y in range(widget.size.height))


def test_no_widget_is_imported_by_what_it_imports() -> None:
    imports = {path.stem: _imports(path) for path in ROOM.glob("*.py")}

    def reached(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' -> '.join((*path, name))}"
        for other in imports[name]:
            reached(other, (*path, name))

    for name in imports:
        reached(name, ())


def _imports(path: Path) -> set[str]:
    """Return the modules of the room that a file imports anywhere in it, in its main block too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("widgets."):
            found.add((node.module or "").removeprefix("widgets."))
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("widgets.")
                for alias in node.names
                if alias.name.startswith("widgets.")
            }
    return found
