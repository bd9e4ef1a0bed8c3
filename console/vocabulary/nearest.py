"""Which of the names that are known somebody is likely to have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

_LONGEST = 200
"""Of a name that is compared: of what is longer, nobody could say what it means."""


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that `name` is most likely meant to be."""
    folded = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name[:_LONGEST].lower(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None
