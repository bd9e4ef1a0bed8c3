"""A way of scoring by name, with its weights and thresholds as they are kept with results."""

from __future__ import annotations

import msgspec


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One way of scoring."""

    name: str
    weights: dict[str, float]
    """Per share, its weight."""
    thresholds: dict[str, float]
    rule: str
    """How score and verdict come of them, in words."""
