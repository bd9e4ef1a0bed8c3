"""The README's key table is made of the screens' own bindings."""

from __future__ import annotations

from pathlib import Path

from textual.binding import Binding

from console.app import ConsoleApp
from console.screens.help import key_name
from console.screens.live.screen import Live
from widgets.lane_grid import LaneGrid

README = Path(__file__).parents[2] / "README.md"


def key_table() -> list[str]:
    """Return the rows of the table: where, which key, what it does."""
    rows = []
    for where, owner in (
        ("everywhere", ConsoleApp),
        ("live", Live),
        ("live, the grid", LaneGrid),
    ):
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding)
            if binding.show or binding.tooltip:
                keys = " ".join(key_name(key) for key in binding.key.split(","))
                rows.append(f"| {where} | {keys} | {binding.tooltip or binding.description} |")
    return rows


def test_the_readme_shows_every_key():
    text = README.read_text()
    assert [row for row in key_table() if row not in text] == []
