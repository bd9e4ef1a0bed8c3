"""The keys of the launch screen."""

from __future__ import annotations

from textual.binding import Binding, BindingType

LAUNCH_KEYS: list[BindingType] = [
    Binding(
        "enter",
        "launch",
        "launch",
        key_display="enter",
        id="launch.launch",
        tooltip="Show the essentials, and ask",
    ),
    Binding(
        "L", "launch", "launch", show=False, id="launch.anywhere", tooltip="Show the essentials, and ask"
    ),
    Binding(
        "c",
        "compare",
        "compare",
        id="launch.compare",
        tooltip="Rehearse it under each policy, and compare",
    ),
    Binding(
        "R",
        "rehearse",
        "rehearse",
        id="launch.rehearse",
        tooltip="Play it through on a virtual clock; sends nothing",
    ),
    Binding(
        "p",
        "print_command",
        "command",
        show=False,
        id="launch.command",
        tooltip="Show the same as a command line",
    ),
    Binding("y", "copy_command", "copy", show=False, id="launch.copy", tooltip="Copy the command line"),
    Binding(
        "w",
        "next_warning",
        "warnings",
        id="launch.warning",
        tooltip="Go to the next warning; Enter there cures it",
    ),
    Binding(
        "o",
        "own_values",
        "own",
        show=False,
        id="launch.own",
        tooltip="Forget what is picked on this branch",
    ),
    Binding("u", "undo", "undo", show=False, id="launch.undo", tooltip="Take the last change back"),
    Binding(
        "slash",
        "filter",
        "filter",
        key_display="/",
        id="launch.filter",
        tooltip="Show only what has these words",
    ),
    Binding(
        "escape",
        "clear",
        "clear",
        show=False,
        id="launch.clear",
        tooltip="Drop the filter, or go back to the tree",
    ),
    Binding("tab", "next_pane(1)", "next pane", show=False, id="launch.next", tooltip="Go to the next pane"),
    Binding(
        "shift+tab",
        "next_pane(-1)",
        "pane before",
        show=False,
        id="launch.before",
        tooltip="Go to the pane before",
    ),
]
