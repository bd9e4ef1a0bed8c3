"""The keys of the runs screen, and what its help says below them."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

NOTES: Final[tuple[str, ...]] = (
    "Enter on a run watches it, or shows its results where it is over; a capacity search has a screen of its own.",
    "Space marks runs: two to compare, any number to delete.",
    "A run that died cannot be resumed yet; `run --reuse` takes over what it finished.",
)
KEYS: Final[list[BindingType]] = [
    Binding(
        "escape",
        "back",
        "clear",
        key_display="esc",
        show=False,
        id="runs.back",
        tooltip="Clear marks and filter; give up what is under way",
    ),
    Binding("a", "attach", "attach", id="runs.attach", tooltip="Watch the live run under the cursor"),
    Binding(
        "o",
        "results",
        "Results",
        show=False,
        id="runs.results",
        tooltip="Results so far, also of a live run",
    ),
    Binding(
        "c",
        "compare",
        "compare",
        id="runs.compare",
        tooltip="Hold the two marked runs against each other",
    ),
    Binding(
        "d",
        "delete",
        "delete",
        id="runs.delete",
        tooltip="Delete the marked runs, or the one under the cursor; asks first",
    ),
    Binding("p", "prune", "prune", id="runs.prune", tooltip="Delete old runs; asks first"),
    Binding("R", "resume", "resume", id="runs.resume", tooltip="Resume a run that died: not there yet"),
    Binding(
        "slash",
        "filter",
        "filter",
        key_display="/",
        id="runs.filter",
        tooltip="Show only runs with these words",
    ),
    Binding("y", "copy", "Copy", show=False, id="runs.copy", tooltip="Copy the id of the run"),
    Binding("r", "reload", "Reload", show=False, id="runs.reload", tooltip="Look at the runs again now"),
]
