"""How a test went, apart from its calls: what the turn loop counts, and how it ended."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Ending(StrEnum):
    """Why no further turn was played."""

    FINISH = "finish"
    """The model called `finish`."""
    TURNS = "turns"
    """All turns were used."""
    FAILURES = "failures"
    """Too many calls failed in a row."""


class Course(msgspec.Struct, kw_only=True):
    """What the turn loop counts while a test is played."""

    turns: int = 0
    ending: Ending | None = None
    """None: it goes on."""
    format_errors: int = 0
    """Replies that held no call, and calls whose arguments were no JSON object."""
    unread_replies: int = 0
    """Replies in which no call could be read."""
    assisted_turns: int = 0
    """Turns answered with help on the format."""
    repaired: int = 0
    """Calls that were read although they were not written as asked: no errors of thought."""
    failed_in_a_row: int = 0
    """Calls without success since the last one that worked; unreadable ones too."""
    failing_since: int = 0
    """Turn of the first of them."""

    @property
    def finished(self) -> bool:
        """Whether the model called `finish`."""
        return self.ending is Ending.FINISH
