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
