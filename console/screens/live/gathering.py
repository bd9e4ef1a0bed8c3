"""Keys that are held: their presses become one command a moment, so that the journal is not flooded. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.screens.live.lanes import Picked
from console.screens.live.steps import Figure
from console.vocabulary.snapshot import LaneView

GATHER_S: Final = 0.4
"""From the first press until the command goes out."""


@dataclass(slots=True)
class Gathered:
    """Presses of one figure on one selection, counted on from what it was when the first came."""

    figure: Figure
    chosen: Picked
    lanes: tuple[LaneView, ...]
    """All of the run at the first press."""
    presses: int = 0
    """Up, less those down."""
    number: int = 0
    """Of what is expected of it; 0: nothing yet."""

    def takes(self, figure: Figure, chosen: Picked) -> bool:
        """Whether a press belongs to these."""
        return figure == self.figure and _ids(chosen) == _ids(self.chosen)


def _ids(chosen: Picked) -> list[str]:
    return [lane.lane_id for lane in chosen.lanes]
