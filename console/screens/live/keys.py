"""The keys of the live screen: those that change the run, and those that change what is seen of it."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

_WORKERS: Final = Binding.Group("workers", compact=True)
_QPS: Final = Binding.Group("qps", compact=True)


def _key(
    key: str,
    action: str,
    label: str,
    id: str,
    tooltip: str,
    *,
    face: str | None = None,
    group: Binding.Group | None = None,
    show: bool = True,
) -> Binding:
    return Binding(key, action, label, show, face, group=group, id=id, tooltip=tooltip)


CONTROL_KEYS: Final[list[BindingType]] = [
    _key("space", "pause_run", "pause", "run.pause", "Pause: send nothing new"),
    _key("space", "resume_run", "resume", "run.resume", "Go on after a pause"),
    _key(
        "plus",
        "tune('workers', 1)",
        "workers",
        "tune.more-workers",
        "More workers for the selection: 1 below 20, 10 % above",
        face="+",
        group=_WORKERS,
    ),
    _key(
        "minus",
        "tune('workers', -1)",
        "workers",
        "tune.fewer-workers",
        "Fewer workers; what is in flight ends in peace",
        face="-",
        group=_WORKERS,
    ),
    _key(
        "less_than_sign,left_square_bracket",
        "tune('qps', -1)",
        "qps",
        "tune.less-qps",
        "Fewer requests per second, at the gate that binds the selection",
        face="<",
        group=_QPS,
    ),
    _key(
        "greater_than_sign,right_square_bracket",
        "tune('qps', 1)",
        "qps",
        "tune.more-qps",
        "More requests per second, at the gate that binds the selection",
        face=">",
        group=_QPS,
    ),
    _key(
        "equals_sign",
        "type_limits",
        "set",
        "tune.type",
        "Type limits, such as `workers 40 qps 8`",
        show=False,
    ),
    _key("o", "switch", "off/on", "tune.switch", "Switch the selection off (asks where work is lost) or on"),
    _key("0,R", "reset", "reset", "tune.reset", "Give the selection the profile's limits again", show=False),
    _key(
        "a", "adapt", "adaptive", "tune.adapt", "Let adaptive mode find its limits, or hold them", show=False
    ),
    _key(
        "d",
        "drain_run",
        "drain",
        "run.drain",
        "Drain: finish what is begun, then end (asks first)",
        show=False,
    ),
    _key("s", "stop_run", "stop", "run.stop", "Stop now (asks first); what is finished is kept"),
]
VIEW_KEYS: Final[list[BindingType]] = [
    _key("enter", "open_results", "results", "run.results", "Show the results", face="enter"),
    _key(
        "i,enter",
        "open_detail",
        "lane",
        "view.detail",
        "Show all about the lane under the cursor",
        face="i",
    ),
    _key("slash", "filter", "filter", "view.filter", "Filter lanes by words; !word leaves out", face="/"),
    _key("t", "next_quantity(1)", "figure", "view.quantity", "Show another figure in the grid", show=False),
    _key("T", "next_quantity(-1)", "figure", "view.quantity-back", "Show the figure before it", show=False),
    _key("b", "next_below", "jobs/events", "view.below", "Show jobs or events below the grid", show=False),
    _key("e", "next_level", "events", "view.level", "Show all events, or warnings and errors", show=False),
    _key("r", "next_interval", "refresh", "view.refresh", "Look less often, then oftener again", show=False),
    _key("m", "freeze", "freeze", "view.freeze", "Let the picture stand still; the run goes on", show=False),
    _key("y", "copy", "copy", "view.copy", "Copy the selection as text", show=False),
    _key("escape", "back", "back", "view.back", "Close the lane, then empty the filter", show=False),
    _key("tab", "app.focus_next", "next pane", "view.next", "Go to the next pane", show=False),
    _key(
        "shift+tab", "app.focus_previous", "pane before", "view.before", "Go to the pane before", show=False
    ),
]
