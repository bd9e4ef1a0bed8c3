"""`docs/keys.md` is made of the screens' own bindings, so that it cannot say what does not work."""

from __future__ import annotations

import os
from pathlib import Path

from textual.binding import Binding
from textual.widget import Widget

from console.app import ConsoleApp
from console.screens.capacity.screen import Capacity
from console.screens.help import key_name
from console.screens.launch.screen import Launch
from console.screens.live.screen import Live
from console.screens.pane import Pane
from console.screens.profiles.screen import Profiles
from console.screens.results.screen import Results
from console.screens.runs.screen import Runs
from widgets.check_tree import CheckTree
from widgets.edit_table import EditTable
from widgets.event_log import EventLog
from widgets.lane_grid import LaneGrid
from widgets.table import Table

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
HEAD = """\
# Keys of the console

`?` shows those that work now on the screen in front; `:` offers all of them by name. This page is written by
`PYTHON_UPDATE_GOLDENS=1 python -m pytest tests/screens/test_keys_page.py`.
"""
SCREENS: tuple[type[Pane], ...] = (Profiles, Launch, Live, Capacity, Results, Runs)
WIDGETS: tuple[tuple[str, type[Widget]], ...] = (
    ("The grid", LaneGrid),
    ("Lists and tables", Table),
    ("Trees with marks", CheckTree),
    ("Tables that are edited", EditTable),
    ("The log of events", EventLog),
)


def bindings_of(owner: type) -> list[Binding]:
    """Return what a class and those it is made of bind, the class's own first."""
    found: dict[str, Binding] = {}
    for part in owner.__mro__:
        if part.__module__.split(".")[0] in ("console", "widgets"):
            for binding in part.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding)
                found.setdefault(f"{binding.key} {binding.action}", binding)
    return [one for one in found.values() if one.tooltip or (one.show and one.description)]


def table(title: str, owner: type) -> str:
    lines = [f"\n## {title}\n", "| key | does |", "|---|---|"]
    for binding in bindings_of(owner):
        keys = " ".join(f"`{key_name(key)}`" for key in binding.key.split(","))
        lines.append(f"| {keys} | {binding.tooltip or binding.description} |")
    return "\n".join(lines) + "\n" if len(lines) > 3 else ""


def page() -> str:
    parts = [HEAD, table("Everywhere", ConsoleApp)]
    parts += [table(screen.__name__, screen) for screen in SCREENS]
    parts += [table(title, owner) for title, owner in WIDGETS]
    return "".join(parts)


def test_the_page_of_keys_is_what_the_screens_bind():
    if os.environ.get("PYTHON_UPDATE_GOLDENS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/keys.md is old; PYTHON_UPDATE_GOLDENS=1 rewrites it"
    )
