"""What is said at the end of an adaptive run: what it found, and how to keep it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from console.vocabulary.learnt import figures_text

if TYPE_CHECKING:
    from console.host import Ended

_LANES_SHOWN: Final = 3


def found_lines(ended: Ended, profile: str) -> list[str]:
    """Return one line of what adaptive mode found and one of what becomes of it; none where it found nothing.

    Args:
        ended: the run.
        profile: as the user named it.
    """
    if not ended.found:
        return []
    told = [f"{lane_id} {figures_text(learnt)}" for lane_id, learnt in ended.found.items()]
    more = len(told) - _LANES_SHOWN
    rest = [f"and {more} more lane{'s' if more > 1 else ''}"] if more > 0 else []
    lines = ["found: " + "; ".join([*told[:_LANES_SHOWN], *rest])]
    if ended.not_kept:
        lines.append(ended.not_kept)
    elif ended.kept & set(ended.found):
        lines.append(
            "the next run with --rate-mode adaptive begins there; to put it into the profile: "
            f"ultra-console profile learnt {shlex.quote(profile)}"
        )
    else:
        lines.append("of the run's own simulator: nothing of it is kept")
    return lines
