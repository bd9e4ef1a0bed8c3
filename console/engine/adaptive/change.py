"""A change that the controller made to its lane, with the reason: for the records and the console."""

from __future__ import annotations

from typing import Literal

import msgspec

What = Literal["rate", "tokens", "window", "pause", "park"]


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change. Rates are per second, pauses in seconds; None: there was none, or is none."""

    at_ns: int
    what: What
    before: float | None
    after: float | None
    reason: str
    """In our own words; nothing that a server wrote."""


def change_text(change: Change) -> str:
    """Say a change in one line: `rate 12.4 → 11.8/s: refused (rate): …`."""
    if change.what == "park":
        return f"parked: {change.reason}"
    if change.what == "pause":
        return f"sends nothing for {change.after or 0.0:.1f} s: {change.reason}"
    unit = {"rate": " requests/s", "tokens": " tokens/s", "window": " in flight"}[change.what]
    before, after = _figure(change.before), _figure(change.after)
    return f"{change.what} {before} → {after}{unit}: {change.reason}"


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}" if value < 100 else f"{value:,.0f}"
