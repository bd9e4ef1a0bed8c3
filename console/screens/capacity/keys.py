"""The keys of the capacity screen: those of the form, those of a search that goes on, and those of one that is over."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType


def _key(
    key: str, action: str, label: str, id: str, tooltip: str, *, show: bool = True, face: str | None = None
) -> Binding:
    return Binding(key, action, label, show, face, id=id, tooltip=tooltip)


CAPACITY_KEYS: Final[list[BindingType]] = [
    _key("space", "pause_run", "pause", "capacity.pause", "Pause: the level under way is measured anew"),
    _key("space", "resume_run", "resume", "capacity.resume", "Go on after a pause"),
    _key("s", "start", "start", "capacity.start", "Start the search; asks where it costs money"),
    _key("s", "stop_run", "stop", "capacity.stop", "Stop the search (asks first); r goes on with it later"),
    _key("r", "go_on", "go on", "capacity.go-on", "Go on with a search that was stopped or killed"),
    _key("n", "new", "new search", "capacity.new", "Ask for another search"),
    _key("v", "next_subject", "lanes", "capacity.subject", "Show the search of the next set of lanes"),
    _key("d", "detach", "detach", "capacity.detach", "Leave the console; the search goes on"),
    _key("y", "copy", "copy", "capacity.copy", "Copy the command line, or levels and answer"),
    _key("escape", "back", "back", "capacity.back", "Close the level, or go back to the search", face="esc"),
    _key("tab", "app.focus_next", "next pane", "capacity.next", "Go to the next pane", show=False),
    _key(
        "shift+tab",
        "app.focus_previous",
        "pane before",
        "capacity.before",
        "Go to the pane before",
        show=False,
    ),
]
NOTES: Final = (
    "A search climbs a ladder of concurrencies until a rule fails or throughput stops growing, then narrows.",
    "Curve and table: what a level comes to is told by glyph and word: pass, so far, FAIL, open.",
    "The bar of a rule is the room left to its limit; nothing of it is left where the rule fails.",
    "3 shows the lanes of the same run. Leaving the console never touches it.",
)
