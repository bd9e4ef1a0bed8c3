"""The one error of this room."""

from __future__ import annotations

from console.vocabulary.errors import ConsoleError


class ShareError(ConsoleError):
    """The files that runs share cannot be used: limits hold for each run by itself only."""
